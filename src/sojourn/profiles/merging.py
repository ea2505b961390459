"""Two profiles of one person become one, and come apart again.

The survivor keeps its number; the other one's number leads to it from then on (`aliases`), and its history is read through that. Nothing that
somebody refused is lost: of two statuses the stricter holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import psycopg
from psycopg.types.json import Jsonb

from sojourn.events import touch_profiles
from sojourn.kernel import Clock, lane_of, public_id
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import Field
from sojourn.profiles.importing import in_transaction
from sojourn.profiles.moving import move_subscriptions, reindex, release, stricter
from sojourn.profiles.preference import lock_profiles, recompute
from sojourn.profiles.regrouping import regroup
from sojourn.profiles.statuses import CHANGE_MERGED, CHANGE_SPLIT, SUBSCRIBED

Connection = psycopg.Connection[Any]
Side = Literal["survivor", "merged"]
Choices = Mapping[str, Side]
"""Field name → whose value is taken; what is not named goes by the rules of `settled`."""
_UNITED = frozenset({"phones", "tags"})


class Follower(Protocol):
    """An upper room that has something of its own about profiles.

    `leave` is called before any row is locked, and ends what cannot move; `move` gives the survivor what the merged one had and tells what
    `undo` needs, as JSON.
    """

    name: str

    def leave(self, connection: Connection, clock: Clock, database_id: int, merged_id: int, cause: int) -> None: ...

    def move(self, connection: Connection, clock: Clock, merged_id: int, survivor_id: int, cause: int) -> Any: ...

    def undo(
        self, connection: Connection, clock: Clock, merged_id: int, survivor_id: int, saved: Any, cause: int
    ) -> None: ...


_followers: dict[str, Follower] = {}


def register_follower(follower: Follower) -> None:
    """Let an upper room follow merges."""
    _followers[follower.name] = follower


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which two profiles differ, as JSON values; `settled` is what the survivor gets unless somebody chooses."""

    field: Field
    survivor: Any
    merged: Any
    settled: Any


@dataclass(frozen=True, slots=True)
class Joining:
    """Subscriptions of one contact that both have, and the status that holds."""

    resource: str
    channel: int
    contact: str
    survivor: int
    merged: int
    holds: int


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would do: differing fields, how many subscriptions come along, and which become one."""

    differences: list[Difference]
    coming: int
    joining: list[Joining]


def refuses(field: Field) -> bool:
    """Whether a field tells what a person does not want: that is not up for choice."""
    return field.type == "status" or field.name == "_no_tracking"


def settled(field: Field, survivor: Any, merged: Any) -> Any:
    """What the survivor gets of a field by itself: its own value, else the other's; lists are united, refusals kept."""
    if field.type == "status":
        return stricter(survivor or SUBSCRIBED, merged or SUBSCRIBED)
    if field.name == "_no_tracking":
        return survivor or merged
    if field.type in _UNITED and survivor and merged:
        return [*survivor, *(one for one in merged if one not in survivor)]
    return merged if survivor is None else survivor


_JOINING = """
SELECT r.name, a.channel, a.contact, a.status, b.status FROM subscription a JOIN subscription b ON b.lane = %(lane_b)s AND b.profile_id = %(b)s
   AND b.resource_id = a.resource_id AND b.channel = a.channel AND b.contact = a.contact JOIN resource r ON r.id = a.resource_id
 WHERE a.lane = %(lane_a)s AND a.profile_id = %(a)s ORDER BY r.name, a.channel, a.contact LIMIT 1000
"""


def preview_merge(connection: Connection, database: Database, survivor_id: int, merged_id: int) -> MergePreview:
    """What merging `merged_id` into `survivor_id` would do; nothing is written.

    Raises:
        NotFound: `unknown_profile`. SojournError: `same_profile`.
    """
    _check_pair(survivor_id, merged_id)
    ours, theirs = (field_image(connection, database, number) for number in (survivor_id, merged_id))
    differences = [
        Difference(field, own, other, settled(field, own, other))
        for field in database.fields.values()
        if (own := ours.get(field.column)) != (other := theirs.get(field.column)) and other is not None
    ]
    values = {"a": survivor_id, "lane_a": lane_of(survivor_id), "b": merged_id, "lane_b": lane_of(merged_id)}
    rows = connection.execute(_JOINING, values).fetchall()
    total = connection.execute(
        "SELECT count(*) FROM subscription WHERE lane = %s AND profile_id = %s", (lane_of(merged_id), merged_id)
    ).fetchone()
    joining = [Joining(row[0], row[1], row[2], row[3], row[4], stricter(row[3], row[4])) for row in rows]
    return MergePreview(differences, (total[0] if total else 0) - len(joining), joining)


def merge(
    connection: Connection, clock: Clock, database: Database, survivor_id: int, merged_id: int, choices: Choices | None = None, *, cause: int,
    cause_id: int | None = None,
) -> None:  # fmt: skip
    """Merge one profile into another of the same database. Passages of the merged one end; no import triggers start.

    Raises:
        NotFound: `unknown_profile`. SojournError: `same_profile`, `unknown_field`. Conflict: `email_taken`. Unavailable: `database_busy`.
    """
    _check_pair(survivor_id, merged_id)
    for name in choices or {}:
        database.field(name)

    def work() -> None:
        for follower in _followers.values():
            follower.leave(connection, clock, database.id, merged_id, cause)
        regroup(connection, database.id)
        lock_all(connection, database, survivor_id, merged_id)
        ours, theirs = (field_image(connection, database, number) for number in (survivor_id, merged_id))
        after = _after(database, ours, theirs, choices or {})
        saved = {name: one.move(connection, clock, merged_id, survivor_id, cause) for name, one in _followers.items()}
        release(connection, database, merged_id)
        moved, joined = move_subscriptions(connection, merged_id, survivor_id)
        connection.execute(
            f"DELETE FROM {quoted(database.table)} WHERE lane = %s AND id = %s", (lane_of(merged_id), merged_id)
        )
        release(connection, database, survivor_id)
        write_values(connection, clock, database, survivor_id, after)
        reindex(connection, database, survivor_id)
        recompute(connection, database.id, [survivor_id])
        before = {column: ours.get(column) for column in after}
        snapshot = {
            "row": theirs, "before": before, "after": after, "moved": moved, "joined": joined, "followers": saved,
        }  # fmt: skip
        _keep_alias(connection, clock, database, survivor_id, merged_id, snapshot)
        told = told_values(database, before) | {"profile": public_id(merged_id)}, told_values(database, after)
        record_change(connection, clock, database, survivor_id, merged_id, CHANGE_MERGED, told, cause, cause_id)
        for kind in ("profile", "subscription", "relation"):
            touch_profiles(connection, [survivor_id, merged_id], kind)

    in_transaction(connection, work)


def _check_pair(survivor_id: int, merged_id: int) -> None:
    if survivor_id == merged_id:
        raise SojournError("same_profile", "A profile is not merged with itself.", "profile_id")


def lock_all(connection: Connection, database: Database, *ids: int) -> None:
    """Lock profiles in the order that all writers keep.

    Raises:
        NotFound: `unknown_profile`.
    """
    if lock_profiles(connection, database.id, sorted(ids)) != set(ids):
        raise NotFound("unknown_profile", "There is no such profile in this database.", "profile_id")


def field_image(connection: Connection, database: Database, profile_id: int) -> dict[str, Any]:
    """The row of a profile as JSON, by column."""
    row = connection.execute(
        f"SELECT to_jsonb(p) FROM {quoted(database.table)} p WHERE lane = %s AND id = %s",
        (lane_of(profile_id), profile_id),
    ).fetchone()
    if row is None:
        raise NotFound("unknown_profile", "There is no such profile in this database.", "profile_id")
    image: dict[str, Any] = row[0]
    return image


def _after(database: Database, ours: Mapping[str, Any], theirs: Mapping[str, Any], choices: Choices) -> dict[str, Any]:
    """The values that change, by column. A refusal is not up for choice."""
    after = {}
    for field in database.fields.values():
        own, other = ours.get(field.column), theirs.get(field.column)
        side = None if refuses(field) else choices.get(field.name)
        value = settled(field, own, other) if side is None else own if side == "survivor" else other
        if value != own and not (field.type == "status" and own is None and value == SUBSCRIBED):
            after[field.column] = value
    return after


def write_values(
    connection: Connection, clock: Clock, database: Database, profile_id: int, values: Mapping[str, Any]
) -> None:
    """Set columns to JSON values; PostgreSQL reads them by the types of the table."""
    sets = "".join(f"{quoted(column)} = x.{quoted(column)}, " for column in values)
    table = quoted(database.table)
    try:
        connection.execute(
            f"UPDATE {table} p SET {sets}updated_at = %(at)s FROM jsonb_populate_record(NULL::{table}, %(values)s) x WHERE p.lane = %(lane)s AND p.id = %(id)s",
            {"at": clock.now(), "values": Jsonb(dict(values)), "lane": lane_of(profile_id), "id": profile_id},
        )
    except psycopg.DataError:
        raise _changed_since() from None


def _keep_alias(
    connection: Connection,
    clock: Clock,
    database: Database,
    survivor_id: int,
    merged_id: int,
    snapshot: Mapping[str, Any],
) -> None:
    connection.execute(
        "INSERT INTO profile_alias (profile_id, survivor_id, at, database_id, lane, snapshot) VALUES (%s, %s, %s, %s, %s, %s)",
        (merged_id, survivor_id, clock.now(), database.id, lane_of(merged_id), Jsonb(dict(snapshot))),
    )
    # Whoever was merged into the merged one leads straight to the survivor; that can no longer be undone on its own.
    connection.execute(
        "UPDATE profile_alias SET survivor_id = %s, snapshot = snapshot - 'row' WHERE survivor_id = %s",
        (survivor_id, merged_id),
    )


def told_values(database: Database, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by field name instead of column."""
    names = {field.column: field.name for field in database.fields.values()}
    return {names.get(column, column): value for column, value in values.items()}


def record_change(
    connection: Connection, clock: Clock, database: Database, profile_id: int, other_id: int, kind: int, told: tuple[Any, Any], cause: int,
    cause_id: int | None,
) -> None:  # fmt: skip
    """Write into the history of a profile that it was merged with, or split from, another; `told`: values before and after."""
    connection.execute(
        "INSERT INTO change (profile_id, at, subject_id, database_id, lane, kind, cause, cause_id, old, new) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (profile_id, clock.now(), other_id, database.id, lane_of(profile_id), kind, cause, cause_id, Jsonb(told[0]), Jsonb(told[1])),
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------- undoing


@dataclass(frozen=True, slots=True)
class Merged:
    """A profile that was merged into another; `undoable`: it can come back."""

    profile_id: int
    at: Any
    name: str
    undoable: bool


def merged_into(connection: Connection, survivor_id: int) -> list[Merged]:
    """What was merged into a profile, the latest first; 100 at most."""
    rows = connection.execute(
        "SELECT profile_id, at, coalesce(snapshot -> 'row' ->> 'email', snapshot -> 'row' -> 'phones' ->> 0, ''), snapshot ? 'row' FROM profile_alias"
        " WHERE survivor_id = %s ORDER BY at DESC, profile_id LIMIT 100",
        (survivor_id,),
    )
    return [Merged(*row) for row in rows]


def undo_merge(
    connection: Connection, clock: Clock, database: Database, merged_id: int, *, cause: int, cause_id: int | None = None
) -> int:
    """Split a merged profile off again, with the fields and subscriptions it had; tells the survivor.

    What the survivor got by the merge and was not changed since goes back; statuses stay as strict as they have become.

    Raises:
        NotFound: `not_merged`. Conflict: `cannot_undo`, `email_taken`.
    """

    def work() -> int:
        regroup(connection, database.id)
        row = connection.execute(
            "SELECT survivor_id, snapshot FROM profile_alias WHERE lane = %s AND profile_id = %s AND database_id = %s FOR UPDATE",
            (lane_of(merged_id), merged_id, database.id),
        ).fetchone()
        if row is None:
            raise NotFound("not_merged", "This profile was not merged into another.", "profile_id")
        survivor_id, snapshot = row
        if "row" not in (snapshot or {}):
            raise Conflict("cannot_undo", "What the profile was before is not known any more.", "profile_id")
        lock_all(connection, database, survivor_id)
        now = field_image(connection, database, survivor_id)
        kept = {
            field.column: settled(field, snapshot["row"].get(field.column), now.get(field.column))
            for field in database.fields.values()
            if refuses(field)
        }
        back = {
            column: snapshot["before"].get(column)
            for column, value in snapshot["after"].items()
            if now.get(column) == value and column not in kept
        }
        release(connection, database, survivor_id)
        write_values(connection, clock, database, survivor_id, back)
        _restore_row(connection, database, snapshot["row"] | kept)
        _subscriptions_back(connection, survivor_id, merged_id, snapshot)
        connection.execute(
            "DELETE FROM profile_alias WHERE lane = %s AND profile_id = %s", (lane_of(merged_id), merged_id)
        )
        for profile_id in (survivor_id, merged_id):
            reindex(connection, database, profile_id)
        recompute(connection, database.id, [survivor_id, merged_id])
        for name, follower in _followers.items():
            follower.undo(connection, clock, merged_id, survivor_id, snapshot["followers"].get(name), cause)
        told = told_values(database, {column: now.get(column) for column in back}) | {"profile": public_id(merged_id)}
        record_change(
            connection, clock, database, survivor_id, merged_id, CHANGE_SPLIT, (told, told_values(database, back)), cause, cause_id
        )  # fmt: skip
        told = {"profile": public_id(survivor_id)}
        record_change(connection, clock, database, merged_id, survivor_id, CHANGE_SPLIT, (told, {}), cause, cause_id)
        for kind in ("profile", "subscription", "relation"):
            touch_profiles(connection, [survivor_id, merged_id], kind)
        return int(survivor_id)

    return in_transaction(connection, work)


def _restore_row(connection: Connection, database: Database, image: Mapping[str, Any]) -> None:
    table = quoted(database.table)
    try:
        connection.execute(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, %s)).*", (Jsonb(dict(image)),)
        )
    except psycopg.DataError:
        raise _changed_since() from None


def _changed_since() -> Conflict:
    return Conflict(
        "cannot_undo", "The fields of the database have changed since, and old values do not fit.", "fields"
    )


def _subscriptions_back(connection: Connection, survivor_id: int, merged_id: int, snapshot: Mapping[str, Any]) -> None:
    move_subscriptions(connection, survivor_id, merged_id, snapshot["moved"])
    for joined in snapshot["joined"].values():
        image = joined["row"] | {"preferred": False}
        now = connection.execute(
            "SELECT status FROM subscription WHERE lane = %s AND id = %s", (lane_of(survivor_id), joined["into"])
        ).fetchone()
        if now is not None:
            image["status"] = stricter(image["status"], now[0])
        connection.execute(
            "INSERT INTO subscription SELECT (jsonb_populate_record(NULL::subscription, %s)).* ON CONFLICT DO NOTHING", (Jsonb(image),)
        )  # fmt: skip
