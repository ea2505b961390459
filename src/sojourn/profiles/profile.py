"""Profiles to be read one by one or page by page, found by any contact, and deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import psycopg

from sojourn.events import touch_profiles
from sojourn.kernel import Clock, lane_of, parse_public_id
from sojourn.kernel.errors import NotFound, SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles.aliases import forget_merged
from sojourn.profiles.contacts import parse_email, parse_phone
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import SEXES, Field
from sojourn.profiles.statuses import CHANGE_DELETED, STATUS_WORDS

_WORDS = {"sex": SEXES, "status": STATUS_WORDS}


def get_profile(connection: psycopg.Connection[Any], database: Database, profile_id: int) -> dict[str, Any]:
    """The fields of a profile that are set, by name, with `id`, `created_at` and `updated_at`. Gender and status are words.

    Raises:
        NotFound: `unknown_profile`.
    """
    found = _read(
        connection, database, "p.lane = %(lane)s AND p.id = %(id)s", {"lane": lane_of(profile_id), "id": profile_id}
    )
    if not found:
        raise NotFound("unknown_profile", "There is no such profile.", "profile_id")
    return found[0]


def list_profiles(
    connection: psycopg.Connection[Any],
    database: Database,
    *,
    search: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Profiles in the order of their numbers, after the number `after`, 1,000 at most.

    `search`: an e-mail or phone (of the profile or of a subscription), a profile id, or `<field name>:<value>` of a field kept for matching.
    """
    limit = max(0, min(limit, 1_000))
    if search is None or not search.strip():
        return _page(connection, database, after, limit)
    ids = _search(connection, database, search.strip(), after, limit)
    if not ids:
        return []
    lanes = sorted({lane_of(number) for number in ids})
    return _read(
        connection,
        database,
        "p.lane = ANY(%(lanes)s::smallint[]) AND p.id = ANY(%(ids)s::bigint[])",
        {"lanes": lanes, "ids": ids},
    )


# The key begins with the lane, so the first rows of each lane are merged: 64 short probes and no sort of everybody.
_PAGE = """
SELECT x.id FROM generate_series(0, 63) l(lane), LATERAL (
  SELECT p.id FROM {table} p WHERE p.lane = l.lane::smallint AND p.id > %(after)s ORDER BY p.lane, p.id LIMIT %(limit)s) x ORDER BY x.id LIMIT %(limit)s
"""


def _page(connection: psycopg.Connection[Any], database: Database, after: int, limit: int) -> list[dict[str, Any]]:
    ids = [
        row[0]
        for row in connection.execute(_PAGE.format(table=quoted(database.table)), {"after": after, "limit": limit})
    ]
    lanes = sorted({lane_of(number) for number in ids})
    return (
        _read(
            connection,
            database,
            "p.lane = ANY(%(lanes)s::smallint[]) AND p.id = ANY(%(ids)s::bigint[])",
            {"lanes": lanes, "ids": ids},
        )
        if ids
        else []
    )


def _read(
    connection: psycopg.Connection[Any], database: Database, condition: str, values: dict[str, Any]
) -> list[dict[str, Any]]:
    fields = list(database.fields.values())
    columns = "".join(f", p.{quoted(field.column)}" for field in fields)
    statement = f"SELECT p.id, p.created_at, p.updated_at{columns} FROM {quoted(database.table)} p WHERE {condition} ORDER BY p.id"
    return [_shaped(row, fields) for row in connection.execute(statement, values)]


def _shaped(row: tuple[Any, ...], fields: Iterable[Field]) -> dict[str, Any]:
    shaped: dict[str, Any] = {"id": row[0], "created_at": row[1], "updated_at": row[2]}
    for field, value in zip(fields, row[3:], strict=True):
        if value is not None:
            shaped[field.name] = _WORDS[field.type][value] if field.type in _WORDS else value
    return shaped


_FOUND = """
SELECT DISTINCT profile_id FROM (
  (SELECT profile_id FROM identity WHERE database_id = %(database)s AND kind = 1 AND value = ANY(%(values)s::text[]) AND profile_id > %(after)s)
  UNION ALL
  (SELECT profile_id FROM unnest(%(values)s::text[]) v, generate_series(2, 7) k, LATERAL (
     SELECT i.profile_id FROM identity i WHERE i.database_id = %(database)s AND i.kind = k AND i.kind <> 1 AND i.value = v AND i.profile_id > %(after)s
      ORDER BY i.profile_id LIMIT %(limit)s) x)) y
 ORDER BY 1 LIMIT %(limit)s
"""


def _search(connection: psycopg.Connection[Any], database: Database, text: str, after: int, limit: int) -> list[int]:
    if "\x00" in text or len(text) > 500:
        return []
    wanted = {text, parse_email(text) or text, parse_phone(text) or text}
    name, colon, value = text.partition(":")
    field = database.fields.get(name) if colon else None
    if field and field.matching:
        wanted.add(f"{field.id}:{value.strip()}")
    rows = connection.execute(
        _FOUND, {"database": database.id, "values": sorted(wanted), "after": after, "limit": limit}
    )
    ids = {row[0] for row in rows}
    try:
        number = parse_public_id(text)
    except SojournError:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    return sorted(ids | ({number} if number > after else set()))[:limit]


Follow = Callable[[psycopg.Connection[Any], Clock, int, int, int], None]
_on_deletion: list[Follow] = []


def register_deletion(follow: Follow) -> None:
    """Let an upper room end what it has of a profile that is deleted: `(connection, clock, database, profile, cause)`, in the same transaction."""
    if follow not in _on_deletion:
        _on_deletion.append(follow)


def delete_profile(
    connection: psycopg.Connection[Any],
    clock: Clock,
    database: Database,
    profile_id: int,
    *,
    cause: int,
    cause_id: int | None = None,
) -> None:
    """Delete a profile with its subscriptions, identities and recorded changes; that it was deleted stays recorded.

    What other rooms keep about it (passages, messages, events) is theirs to end.

    Raises:
        NotFound: `unknown_profile`.
    """
    key = {"lane": lane_of(profile_id), "id": profile_id, "database": database.id}
    with connection.transaction():
        for follow in (
            _on_deletion
        ):  # first, since passages are ended under the lock of their lane, which comes before locks of rows
            follow(connection, clock, database.id, profile_id, cause)
        deleted = connection.execute(
            f"DELETE FROM {quoted(database.table)} WHERE lane = %(lane)s AND id = %(id)s RETURNING email", key
        ).fetchone()
        if deleted is None:
            raise NotFound("unknown_profile", "There is no such profile.", "profile_id")
        connection.execute("DELETE FROM subscription WHERE lane = %(lane)s AND profile_id = %(id)s", key)
        connection.execute("DELETE FROM identity WHERE profile_id = %(id)s AND kind <> 1", key)
        connection.execute(
            "DELETE FROM identity WHERE database_id = %(database)s AND kind = 1 AND value = %(email)s AND profile_id = %(id)s",
            key | {"email": deleted[0]},
        )
        connection.execute("DELETE FROM change WHERE lane = %(lane)s AND profile_id = %(id)s", key)
        forget_merged(connection, profile_id)
        _record_deletion(connection, clock.now(), database, profile_id, cause, cause_id)
        touch_profiles(connection, [profile_id], "profile")


def _record_deletion(
    connection: psycopg.Connection[Any],
    at: datetime,
    database: Database,
    profile_id: int,
    cause: int,
    cause_id: int | None,
) -> None:
    connection.execute(
        "INSERT INTO change (profile_id, at, database_id, lane, kind, cause, cause_id) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (profile_id, at, database.id, lane_of(profile_id), CHANGE_DELETED, cause, cause_id),
    )
