"""Profiles as both APIs show them: rows of one database, values in the words of the API. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg

from sojourn.kernel import lane_of, parse_public_id
from sojourn.kernel.errors import NotFound, SojournError, Unavailable
from sojourn.kernel.statement import quoted
from sojourn.profiles import Database, Field
from sojourn.profiles.contacts import parse_phone
from sojourn.profiles.fields import SEXES
from sojourn.profiles.matching import candidates, check_matching, keys_of
from sojourn.profiles.records import Options
from sojourn.profiles.statuses import IDENTITY_FIELD, STATUS_WORDS
from sojourn.profiles.values import PLAIN
from sojourn.segments.counting import unanswerable
from sojourn.web.installation import Connection

_SEARCH_SECONDS = 5


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A profile: its filled fields by name, values as JSON knows them."""

    id: int
    created_at: datetime
    updated_at: datetime
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """How a person is called in lists."""

    name: str | None
    email: str | None
    phone: str | None


def shown(field: Field, value: Any) -> Any:
    """A value as the API tells it: words for numbers, moments in UTC."""
    if field.type == "sex":
        return SEXES[value] if 0 <= value < len(SEXES) else None
    if field.type == "status":
        return STATUS_WORDS[value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _select(database: Database, alias: str = "p") -> str:
    columns = ", ".join(f"{alias}.{quoted(field.column)}" for field in database.fields.values())
    return f"{alias}.id, {alias}.created_at, {alias}.updated_at, {columns}"


def _rows(database: Database, found: Iterable[Sequence[Any]]) -> list[ProfileRow]:
    fields = tuple(database.fields.values())
    return [
        ProfileRow(
            row[0],
            row[1],
            row[2],
            {
                field.name: shown(field, value)
                for field, value in zip(fields, row[3:], strict=True)
                if value is not None
            },
        )
        for row in found
    ]


def get_row(connection: Connection, database: Database, profile_id: int) -> ProfileRow:
    """One profile.

    Raises:
        NotFound: `unknown_profile`.
    """
    statement = f"SELECT {_select(database)} FROM {quoted(database.table)} p WHERE p.lane = %s AND p.id = %s"
    found = _rows(database, connection.execute(statement, (lane_of(profile_id), profile_id)))
    if not found:
        raise NotFound("unknown_profile", "There is no such profile.", "profile_id")
    return found[0]


def names_of(connection: Connection, database: Database, profile_ids: Sequence[int]) -> dict[int, Names]:
    """Name, e-mail and first phone of profiles, by id."""
    statement = f"""SELECT p.id, nullif(concat_ws(' ', p.fname, p.lname), ''), p.email, p.phones[1] FROM unnest(%s::bigint[]) x
      JOIN {quoted(database.table)} p ON p.lane = (x & 63)::smallint AND p.id = x"""
    return {row[0]: Names(*row[1:]) for row in connection.execute(statement, (list(profile_ids),))}


# The newest of each lane by its key, then the newest of those: no sort of everybody, whatever the size.
_PAGE = """
SELECT {columns} FROM generate_series(0, 63) l, LATERAL (
  SELECT * FROM {table} q WHERE q.lane = l::smallint AND q.id < %(before)s AND ({condition}) ORDER BY q.id DESC LIMIT %(limit)s) p
 ORDER BY p.id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition over the row `q` of a profile, and the values it binds."""

    condition: str
    values: dict[str, Any]


EVERYBODY = Filter("true", {})


_PART = "q.email ILIKE %(part)s OR concat_ws(' ', q.fname, q.lname) ILIKE %(part)s OR array_to_string(q.phones, ' ') ILIKE %(part)s"


def list_rows(
    connection: Connection, database: Database, *, search: str = "", filter: Filter = EVERYBODY, before: int | None = None, limit: int = 50
) -> list[ProfileRow]:  # fmt: skip
    """Profiles, newest first, before the id `before`.

    `search`: a profile id, an e-mail address, a phone, `<field>:<value>` of a field that profiles are found by, or a part of name, address or phone.

    Raises:
        Unavailable: `search_too_broad` when too many would have to be looked through.
        SojournError: `rules_unanswerable`.
    """
    text = search.strip().replace("\x00", "")
    values: dict[str, Any] = {"before": before or 2**63 - 1, "limit": limit, **filter.values}
    if not text and filter is EVERYBODY:
        return _rows(database, connection.execute(_page(database, "true"), values))
    exact = _exactly(connection, database, text) if text else []
    if exact:
        statement = f"""SELECT {_select(database)} FROM (SELECT q.* FROM unnest(%(wanted)s::bigint[]) x
          JOIN {quoted(database.table)} q ON q.lane = (x & 63)::smallint AND q.id = x WHERE q.id < %(before)s AND ({filter.condition})) p
         ORDER BY p.id DESC LIMIT %(limit)s"""
        return _rows(database, connection.execute(statement, {**values, "wanted": exact}))
    condition = filter.condition
    if text:
        values["part"] = "%" + text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        condition = f"({_PART}) AND ({condition})"
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL statement_timeout = '{_SEARCH_SECONDS}s'")
            return _rows(database, connection.execute(_page(database, condition), values))
    except psycopg.errors.QueryCanceled:
        raise Unavailable(
            "search_too_broad",
            "Too many profiles to look through: give a whole e-mail address or phone, or narrow the filter.",
            "search",
        ) from None
    except psycopg.Error as error:
        if error.sqlstate == "SJ001":
            raise unanswerable(error) from None
        raise


def _page(database: Database, condition: str) -> str:
    return _PAGE.format(columns=_select(database), table=quoted(database.table), condition=condition)


_EXACTLY = f"""
SELECT DISTINCT profile_id FROM identity WHERE database_id = %(database)s AND kind = 1 AND value = ANY(%(values)s)
UNION SELECT DISTINCT profile_id FROM identity WHERE database_id = %(database)s AND kind IN (2, 3, 4) AND kind <> 1 AND value = ANY(%(values)s)
UNION SELECT DISTINCT profile_id FROM identity WHERE database_id = %(database)s AND kind = {IDENTITY_FIELD} AND kind <> 1 AND value = ANY(%(of_field)s)
LIMIT 1000
"""


def _exactly(connection: Connection, database: Database, text: str) -> list[int]:
    """Profiles whose id, e-mail address or phone is exactly this, contacts of subscriptions included."""
    try:
        return [parse_public_id(text)]
    except SojournError:
        pass
    values = {text.lower(), text, parse_phone(text) or text}
    name, colon, value = text.partition(":")
    field = database.fields.get(name.strip()) if colon else None
    of_field = [f"{field.id}:{value.strip()}"] if field and field.matching else []
    rows = connection.execute(_EXACTLY, {"database": database.id, "values": list(values), "of_field": of_field})
    return [row[0] for row in rows]


def find_profile(connection: Connection, database: Database, options: Options, keys: Mapping[str, Any]) -> int:
    """The profile that these keys match; of several the oldest.

    Raises:
        SojournError: the keys are missing or wrong. NotFound: `unknown_profile`.
    """
    check_matching(database, options.matching, options.field_name)
    key = keys_of(database, options.matching, options.field_name, keys, {}, PLAIN)
    if not isinstance(key, tuple):
        raise SojournError(key.code, key.message, key.place)
    for way in candidates(database, options.matching, options.field_name, options.resource_id):
        # `s` is the row of keys that the ways speak of
        row = connection.execute(
            f"SELECT min(f.id) FROM (SELECT %s::text AS key1, %s::text AS key2) s, LATERAL ({way}) f(id)",
            (key.first, key.second),
        ).fetchone()
        if row and row[0] is not None:
            return int(row[0])
    raise NotFound("unknown_profile", "No profile matches.", options.matching)
