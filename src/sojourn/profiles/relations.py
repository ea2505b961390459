"""Relations between profiles: types that join two databases, and pairs of profiles with weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from sojourn.events import touch_profiles
from sojourn.kernel import Clock, lane_of
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles.aliases import current_profile
from sojourn.profiles.databases import database, database_of
from sojourn.profiles.regrouping import standing
from sojourn.profiles.table import table_name

Connection = psycopg.Connection[Any]
PropertyType = Literal["number", "boolean"]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_MOST_PROPERTIES = 50
_LARGEST = 1e15
_COLUMNS = "id, name, database_a, database_b, properties, created_at"


@dataclass(frozen=True, slots=True)
class Property:
    """What a relation of a type carries; a boolean one is no sum."""

    name: str
    title: str
    type: PropertyType


@dataclass(frozen=True, slots=True)
class RelationType:
    """A kind of relation from profiles of database A, who receive, to profiles of database B, who began it; both may be the same."""

    id: int
    name: str
    database_a: int
    database_b: int
    properties: tuple[Property, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Relation:
    """One pair, as seen from one of them: `other` is the profile at the other end, of database `database`."""

    type_id: int
    type_name: str
    direction: Literal["from", "to"]
    other: int
    database: int
    weights: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    name: str


def create_type(
    connection: Connection,
    clock: Clock,
    name: str,
    database_a: int,
    database_b: int,
    properties: Sequence[Property] = (),
) -> RelationType:
    """Make a type of relations.

    Raises:
        SojournError: `bad_name`, `bad_property`. NotFound: `unknown_database`. Conflict: `relation_type_exists`.
    """
    _check_type(name, properties)
    for number in (database_a, database_b):
        database(connection, number)
    try:
        row = connection.execute(
            f"INSERT INTO relation_type (created_at, name, database_a, database_b, properties) VALUES (%s, %s, %s, %s, %s) RETURNING {_COLUMNS}",
            (clock.now(), name.strip(), database_a, database_b, _as_json(properties)),
        ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise Conflict("relation_type_exists", f"There is a type “{name.strip()}” already.", "name") from None
    return _type(row)


def change_type(connection: Connection, type_id: int, name: str, properties: Sequence[Property]) -> RelationType:
    """Rename a type or give it other properties; weights of properties that are gone stay, unseen.

    Raises:
        SojournError: `bad_name`, `bad_property`. NotFound: `unknown_relation_type`. Conflict: `relation_type_exists`.
    """
    _check_type(name, properties)
    relation_type(connection, type_id)
    try:
        row = connection.execute(
            f"UPDATE relation_type SET name = %s, properties = %s WHERE id = %s RETURNING {_COLUMNS}",
            (name.strip(), _as_json(properties), type_id),
        ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise Conflict("relation_type_exists", f"There is a type “{name.strip()}” already.", "name") from None
    return _type(row)


def delete_type(connection: Connection, type_id: int) -> None:
    """Delete a type that no pair has.

    Raises:
        NotFound: `unknown_relation_type`. Conflict: `relation_type_in_use`.
    """
    relation_type(connection, type_id)
    try:
        connection.execute("DELETE FROM relation_type WHERE id = %s", (type_id,))
    except psycopg.errors.ForeignKeyViolation:
        raise Conflict(
            "relation_type_in_use", "Profiles are joined by relations of this type.", "relation_type"
        ) from None


def relation_type(connection: Connection, id_or_name: int | str) -> RelationType:
    """One type.

    Raises:
        NotFound: `unknown_relation_type`.
    """
    by_number = isinstance(id_or_name, int)
    row = None
    if not by_number or 0 < int(id_or_name) < 1 << 31:
        row = connection.execute(
            f"SELECT {_COLUMNS} FROM relation_type WHERE {'id' if by_number else 'name'} = %s", (id_or_name,)
        ).fetchone()
    if row is None:
        raise NotFound("unknown_relation_type", f"There is no type of relations “{id_or_name}”.", "relation_type")
    return _type(row)


def list_types(connection: Connection, *, after: int = 0, limit: int = 100) -> list[RelationType]:
    """Types in the order of their numbers, after the number `after`, 1,000 at most."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM relation_type WHERE id > %s ORDER BY id LIMIT %s", (after, max(0, min(limit, 1_000)))
    )
    return [_type(row) for row in rows]


def _check_type(name: str, properties: Sequence[Property]) -> None:
    if not 1 <= len(name.strip()) <= 200 or "\x00" in name:
        raise SojournError("bad_name", "A name of 1 to 200 characters is needed.", "name")
    if len(properties) > _MOST_PROPERTIES or len({one.name for one in properties}) != len(properties):
        raise SojournError("bad_property", f"Up to {_MOST_PROPERTIES} properties, each name once.", "properties")
    for place, one in enumerate(properties):
        if not _NAME.fullmatch(one.name) or not 1 <= len(one.title.strip()) <= 200 or "\x00" in one.title:
            raise SojournError(
                "bad_property", "A property has a name of small Latin letters and a title.", f"properties.{place}"
            )


def _as_json(properties: Sequence[Property]) -> Jsonb:
    return Jsonb([{"name": one.name, "title": one.title.strip(), "type": one.type} for one in properties])


def _type(row: Any) -> RelationType:
    properties = tuple(Property(one["name"], one["title"], one["type"]) for one in row[4])
    return RelationType(row[0], row[1], row[2], row[3], properties, row[5])


# ---------------------------------------------------------------------------------------------- pairs

_SET = """
INSERT INTO relation (profile_a, profile_b, created_at, updated_at, type_id, lane, weights) VALUES (%(a)s, %(b)s, %(at)s, %(at)s, %(type)s, %(lane)s, %(weights)s)
    ON CONFLICT (lane, profile_a, type_id, profile_b) DO UPDATE SET updated_at = excluded.updated_at, weights = {weights}
RETURNING weights
"""
_OVERWRITE = _SET.format(weights="excluded.weights")
_PAGE = """
SELECT x.* FROM (
  (SELECT 'from' AS direction, r.profile_b AS other, t.database_b AS database, r.weights, r.created_at, r.updated_at, t.id, t.name
     FROM relation r JOIN relation_type t ON t.id = r.type_id WHERE r.lane = %(lane)s AND r.profile_a = %(id)s AND (%(type)s::int IS NULL OR r.type_id = %(type)s)
      AND (t.id, 0, r.profile_b) > (%(after_type)s, %(after_way)s, %(after)s) ORDER BY t.id, r.profile_b LIMIT %(limit)s)
  UNION ALL
  (SELECT 'to', r.profile_a, t.database_a, r.weights, r.created_at, r.updated_at, t.id, t.name
     FROM relation r JOIN relation_type t ON t.id = r.type_id WHERE r.profile_b = %(id)s AND (%(type)s::int IS NULL OR r.type_id = %(type)s)
      AND (t.id, 1, r.profile_a) > (%(after_type)s, %(after_way)s, %(after)s) ORDER BY t.id, r.profile_a LIMIT %(limit)s)) x
 ORDER BY x.id, x.direction, x.other LIMIT %(limit)s
"""


def relate(
    connection: Connection,
    clock: Clock,
    kind: RelationType,
    profile_a: int,
    profile_b: int,
    weights: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Join two profiles, or give the relation they have other weights; gives the weights that hold.

    Raises:
        NotFound: `unknown_profile`. SojournError: `same_profile`, `unknown_property`, `incorrect_weight`.
    """
    values = _read_weights(kind, weights or {})
    with connection.transaction():
        _stand(connection, kind)
        _check_ends(connection, kind, profile_a, profile_b)
        return _set(connection, clock, kind, profile_a, profile_b, _OVERWRITE, values)


def modify(
    connection: Connection, clock: Clock, kind: RelationType, profile_a: int, profile_b: int, weights: Mapping[str, Any]
) -> dict[str, Any]:
    """Add to the numbers of a relation, or take away with negative ones; booleans are replaced. A relation that is not there is made.

    Raises:
        NotFound: `unknown_profile`. SojournError: `same_profile`, `unknown_property`, `incorrect_weight`.
    """
    given = _read_weights(kind, weights)
    with connection.transaction():
        _stand(connection, kind)
        _check_ends(connection, kind, profile_a, profile_b)
        row = connection.execute(
            "SELECT weights FROM relation WHERE lane = %s AND profile_a = %s AND type_id = %s AND profile_b = %s FOR UPDATE",
            (lane_of(profile_a), profile_a, kind.id, profile_b),
        ).fetchone()
        old: dict[str, Any] = row[0] if row else {}
        numbers = {one.name for one in kind.properties if one.type == "number"}
        summed = old | {
            name: (old.get(name) or 0) + value if name in numbers else value for name, value in given.items()
        }
        for name in numbers & summed.keys():
            if abs(summed[name]) > _LARGEST:
                raise SojournError("incorrect_weight", "The sum is larger than a weight can be.", f"weights.{name}")
        return _set(connection, clock, kind, profile_a, profile_b, _OVERWRITE, summed)


def _stand(connection: Connection, kind: RelationType) -> None:
    """Until the end of the transaction nobody at either end is merged into somebody else."""
    connection.execute("".join(standing(number) for number in sorted({kind.database_a, kind.database_b})))


def unrelate(connection: Connection, kind: RelationType, profile_a: int, profile_b: int) -> bool:
    """End a relation; tells whether there was one."""
    gone = connection.execute(
        "DELETE FROM relation WHERE lane = %s AND profile_a = %s AND type_id = %s AND profile_b = %s",
        (lane_of(profile_a), profile_a, kind.id, profile_b),
    ).rowcount
    if gone:
        touch_profiles(connection, [profile_a, profile_b], "relation")
    return gone > 0


def _set(
    connection: Connection, clock: Clock, kind: RelationType, profile_a: int, profile_b: int, statement: str, weights: Mapping[str, Any]
) -> dict[str, Any]:  # fmt: skip
    row = connection.execute(
        statement,
        {"a": profile_a, "b": profile_b, "at": clock.now(), "type": kind.id, "lane": lane_of(profile_a), "weights": Jsonb(dict(weights))},
    ).fetchone()  # fmt: skip
    touch_profiles(connection, [profile_a, profile_b], "relation")
    assert row
    held: dict[str, Any] = row[0]
    return held


def _check_ends(connection: Connection, kind: RelationType, profile_a: int, profile_b: int) -> None:
    if profile_a == profile_b:
        raise SojournError("same_profile", "A profile is not related to itself.", "profile_b")
    for place, number, wanted in (("profile_a", profile_a, kind.database_a), ("profile_b", profile_b, kind.database_b)):
        row = connection.execute(
            f"SELECT 1 FROM {quoted(table_name(wanted))} WHERE lane = %s AND id = %s", (lane_of(number), number)
        ).fetchone()
        if row is None:
            raise NotFound("unknown_profile", "There is no such profile in the database of this end.", place)


def _read_weights(kind: RelationType, given: Mapping[str, Any]) -> dict[str, Any]:
    known = {one.name: one.type for one in kind.properties}
    read: dict[str, Any] = {}
    for name, value in given.items():
        place = f"weights.{name}"
        if name not in known:
            raise SojournError("unknown_property", f"Relations of “{kind.name}” have no property “{name}”.", place)
        fits = (
            isinstance(value, bool)
            if known[name] == "boolean"
            else isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST
        )
        if not fits:
            raise SojournError("incorrect_weight", f"“{name}” is a {known[name]}.", place)
        read[name] = value
    return read


def list_relations(
    connection: Connection,
    profile_id: int,
    *,
    type_id: int | None = None,
    after: tuple[int, int, int] = (0, 0, 0),
    limit: int = 100,
) -> list[Relation]:
    """The relations of a profile at either end, by type, then those it is object of, then those it began; after the mark of a relation.

    The mark is (type, 0 for `from` and 1 for `to`, the other profile).
    """
    values = {
        "id": profile_id, "lane": lane_of(profile_id), "type": type_id, "after_type": after[0], "after_way": after[1], "after": after[2],
        "limit": max(0, min(limit, 1_000)),
    }  # fmt: skip
    rows = connection.execute(_PAGE, values).fetchall()
    names = _names(connection, {(row[2], row[1]) for row in rows})
    return [
        Relation(row[6], row[7], row[0], row[1], row[2], row[3], row[4], row[5], names.get(row[1], "")) for row in rows
    ]


def _names(connection: Connection, whom: set[tuple[int, int]]) -> dict[int, str]:
    found: dict[int, str] = {}
    for number in {database_id for database_id, _ in whom}:
        ids = [profile for database_id, profile in whom if database_id == number]
        rows = connection.execute(
            f"SELECT p.id, coalesce(nullif(concat_ws(' ', p.fname, p.lname), ''), p.email, p.phones[1], '') FROM unnest(%s::bigint[]) x"
            f" JOIN {quoted(table_name(number))} p ON p.lane = (x & 63)::smallint AND p.id = x",
            (ids,),
        )
        found |= dict(rows.fetchall())
    return found


def forget_relations(connection: Connection, clock: Clock, database_id: int, profile_id: int, cause: int) -> None:
    """A profile that is deleted loses its relations at both ends."""
    _take(connection, profile_id)


def _take(connection: Connection, profile_id: int) -> list[dict[str, Any]]:
    rows = connection.execute(
        "DELETE FROM relation r WHERE (r.lane = %(lane)s AND r.profile_a = %(id)s) OR r.profile_b = %(id)s RETURNING to_jsonb(r), r.profile_a, r.profile_b",
        {"lane": lane_of(profile_id), "id": profile_id},
    ).fetchall()
    others = {end for _, a, b in rows for end in (a, b)} - {profile_id}
    if others:
        touch_profiles(connection, sorted(others), "relation")
    return [row[0] for row in rows]


_PUT = "INSERT INTO relation SELECT (jsonb_populate_record(NULL::relation, %s)).* ON CONFLICT DO NOTHING"


class RelationsFollow:
    """Relations go with a merged profile to its survivor, whose own ones win, and come back with it."""

    name = "relations"

    def leave(self, connection: Connection, clock: Clock, database_id: int, merged_id: int, cause: int) -> None:
        """Nothing has to end."""

    def move(self, connection: Connection, clock: Clock, merged_id: int, survivor_id: int, cause: int) -> Any:
        images = _take(connection, merged_id)
        moved = [
            image | {end: survivor_id for end in ("profile_a", "profile_b") if image[end] == merged_id}
            for image in images
        ]
        come = [one for one in moved if one["profile_a"] != one["profile_b"] and _put(connection, one)]
        if images:
            touch_profiles(connection, [survivor_id], "relation")
        return {"had": images, "come": [[one["type_id"], one["profile_a"], one["profile_b"]] for one in come]}

    def undo(
        self, connection: Connection, clock: Clock, merged_id: int, survivor_id: int, saved: Any, cause: int
    ) -> None:
        for type_id, a, b in saved["come"]:
            connection.execute(
                "DELETE FROM relation WHERE lane = %s AND profile_a = %s AND type_id = %s AND profile_b = %s",
                (lane_of(a), a, type_id, b),
            )
        for image in saved["had"]:
            end = "profile_b" if image["profile_a"] == merged_id else "profile_a"
            other = current_profile(connection, image[end])
            if _exists(connection, other):
                _put(connection, image | {end: other})
                touch_profiles(connection, [other], "relation")


def _put(connection: Connection, image: Mapping[str, Any]) -> bool:
    """Relate two profiles as an image tells; whether they were not before."""
    return connection.execute(_PUT, (Jsonb({**image, "lane": lane_of(image["profile_a"])}),)).rowcount > 0


def _exists(connection: Connection, profile_id: int) -> bool:
    try:
        database_of(connection, profile_id)
    except NotFound:
        return False
    return True
