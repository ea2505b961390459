"""Part of a profile becomes a profile of its own, or goes to another one: two people who shared an entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg.types.json import Jsonb

from sojourn.events import touch_profiles
from sojourn.kernel import Clock, lane_of, public_id
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles.databases import Database
from sojourn.profiles.importing import in_transaction
from sojourn.profiles.merging import Connection, field_image, lock_all, record_change, told_values, write_values
from sojourn.profiles.moving import move_subscriptions, reindex, release
from sojourn.profiles.preference import recompute
from sojourn.profiles.regrouping import regroup
from sojourn.profiles.statuses import CHANGE_CREATED, CHANGE_SPLIT, SUBSCRIBED, UNCONFIRMED

_UNSPLIT = frozenset({"_status", "_is_test", "_no_tracking"})
"""What holds for a person stays with both: a refusal is copied, not moved."""


def split_off(
    connection: Connection, clock: Clock, database: Database, profile_id: int, *, fields: Sequence[str] = (), phones: Sequence[str] = (),
    subscriptions: Sequence[int] = (), into: int | None = None, cause: int, cause_id: int | None = None,
) -> int:  # fmt: skip
    """Move the values of fields, some phones, and subscriptions to a new profile, or to the profile `into`; tells which.

    A new profile begins with the global status of the old one. In one that exists its own values win, and what was moved is only cleared
    here. No import triggers start.

    Raises:
        NotFound: `unknown_profile`, `unknown_subscription`. SojournError: `unknown_field`, `nothing_to_split`, `same_profile`, `required_missing`,
        `unknown_phone`. Conflict: `email_taken`.
    """
    known = [database.field(name) for name in dict.fromkeys(fields) if name not in _UNSPLIT]
    if not (known or phones or subscriptions):
        raise SojournError("nothing_to_split", "Choose what is split off.", "fields")
    if into == profile_id:
        raise SojournError("same_profile", "Choose another profile to move it to.", "into")
    for field in known:
        if field.required:
            raise SojournError("required_missing", f"A profile needs the field “{field.name}”.", field.name)

    def work() -> int:
        regroup(connection, database.id)
        target = into if into is not None else _create(connection, clock, database, profile_id, cause, cause_id)
        lock_all(connection, database, profile_id, target)
        ours, theirs = field_image(connection, database, profile_id), field_image(connection, database, target)
        moving: dict[str, Any] = {
            field.column: ours.get(field.column) for field in known if ours.get(field.column) is not None
        }
        if phones:
            moving["phones"] = _chosen_phones(ours, phones)
        left: dict[str, Any] = dict.fromkeys(moving)
        if phones:
            left["phones"] = [one for one in ours["phones"] if one not in phones] or None
        given = {column: value for column, value in moving.items() if theirs.get(column) is None}
        if theirs.get("phones") and moving.get("phones"):
            given["phones"] = list(dict.fromkeys([*theirs["phones"], *moving["phones"]]))
        for number, values in ((profile_id, left), (target, given)):
            release(connection, database, number)
            write_values(connection, clock, database, number, values)
        if subscriptions:
            # A new profile has the same global status; into another one a refusal goes with the contacts.
            refused = (ours.get("status") or SUBSCRIBED) if into is not None else SUBSCRIBED
            moved, joined = move_subscriptions(
                connection,
                profile_id,
                target,
                list(set(subscriptions)),
                UNCONFIRMED if refused == SUBSCRIBED else refused,
            )
            if len(moved) + len(joined) != len(set(subscriptions)):
                raise NotFound(
                    "unknown_subscription", "One of the subscriptions is not the profile's.", "subscriptions"
                )
        for number in (profile_id, target):
            reindex(connection, database, number)
        recompute(connection, database.id, [profile_id, target])
        before = told_values(database, {column: ours.get(column) for column in left})
        for number, other, told in (
            (profile_id, target, (before | {"profile": public_id(target)}, told_values(database, left))),
            (target, profile_id, ({"profile": public_id(profile_id)}, told_values(database, given))),
        ):
            record_change(connection, clock, database, number, other, CHANGE_SPLIT, told, cause, cause_id)
        touch_profiles(connection, [profile_id, target], "profile")
        touch_profiles(connection, [profile_id, target], "subscription")
        return target

    return in_transaction(connection, work)


def _create(
    connection: Connection, clock: Clock, database: Database, profile_id: int, cause: int, cause_id: int | None
) -> int:
    """A new profile with nothing but the global status of the old one."""
    row = connection.execute("SELECT nextval('profile_id_seq')").fetchone()
    assert row
    made = int(row[0])
    added = connection.execute(
        f"INSERT INTO {quoted(database.table)} (id, lane, created_at, updated_at, status, no_tracking) SELECT %s, %s, %s, %s, status, no_tracking"
        f" FROM {quoted(database.table)} WHERE lane = %s AND id = %s",
        (made, lane_of(made), clock.now(), clock.now(), lane_of(profile_id), profile_id),
    ).rowcount
    if not added:
        raise NotFound("unknown_profile", "There is no such profile in this database.", "profile_id")
    connection.execute(
        "INSERT INTO change (profile_id, at, database_id, lane, kind, cause, cause_id, new) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (made, clock.now(), database.id, lane_of(made), CHANGE_CREATED, cause, cause_id, Jsonb({})),
    )
    required = next((field for field in database.fields.values() if field.required), None)
    if required is not None:
        raise Conflict(
            "required_missing", f"A new profile needs the field “{required.name}”; choose a profile to move to.", "into"
        )
    return made


def _chosen_phones(ours: dict[str, list[str]], phones: Sequence[str]) -> list[str]:
    unknown = next((one for one in phones if one not in (ours.get("phones") or [])), None)
    if unknown is not None:
        raise SojournError("unknown_phone", f"The profile has no phone {unknown}.", "phones")
    return list(dict.fromkeys(phones))
