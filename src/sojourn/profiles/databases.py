"""Profile databases: each has its own fields, its own table `profile_<id>` and a view with the users' names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import psycopg

from sojourn.kernel import Clock
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.profiles.fields import FIELD_COLUMNS, STANDARD_FIELDS, Field, custom_field, remake_view
from sojourn.profiles.table import create_table, table_name

_LANGUAGES = ("en", "ru")
_INSERT = """
INSERT INTO profile_database (created_at, name, description, manager_title, manager_language, group_ids)
VALUES (%s, %s, %s, %s, %s, %s) RETURNING id
"""

__all__ = ["Database", "Field", "create_database", "database", "database_of", "list_databases"]


@dataclass(frozen=True)
class Database:
    """A profile database with its fields by name, standard ones first."""

    id: int
    name: str
    table: str
    fields: Mapping[str, Field]
    description: str = ""
    manager_title: str = ""
    manager_language: str = "en"
    group_ids: tuple[int, ...] = ()
    created_at: datetime | None = None
    manager_fields: tuple[str, ...] = ()
    """What recipients may see and change of themselves."""

    def field(self, name: str) -> Field:
        """The field of that name.

        Raises:
            SojournError: `unknown_field`.
        """
        try:
            return self.fields[name]
        except KeyError:
            raise SojournError("unknown_field", f"The database “{self.name}” has no field “{name}”.", name) from None


def create_database(
    connection: psycopg.Connection[Any], clock: Clock, name: str, *, description: str = "", manager_title: str = "", manager_language: str = "en",
    group_ids: Sequence[int] = (),
) -> Database:  # fmt: skip
    """Make a database with its table and view.

    Raises:
        SojournError: `bad_name`, `bad_language`. Conflict: `database_exists`.
    """
    name = name.strip()
    if not 1 <= len(name) <= 200 or "\x00" in name:
        raise SojournError("bad_name", "A name of 1 to 200 characters is needed.", "name")
    if manager_language not in _LANGUAGES:
        raise SojournError("bad_language", "The language is one of en, ru.", "manager_language")
    try:
        with connection.transaction():
            row = connection.execute(
                _INSERT, (clock.now(), name, description, manager_title or name, manager_language, list(group_ids))
            ).fetchone()
            assert row
            create_table(connection, row[0])
            remake_view(connection, row[0], ())
    except psycopg.errors.UniqueViolation:
        raise Conflict("database_exists", f"There is a profile database “{name}” already.", "name") from None
    return database(connection, row[0])


def _fields(custom: Sequence[tuple[Any, ...]]) -> Mapping[str, Field]:
    return MappingProxyType({field.name: field for field in (*STANDARD_FIELDS, *map(custom_field, custom))})


def _database(row: tuple[Any, ...], custom: Sequence[tuple[Any, ...]]) -> Database:
    return Database(
        row[0],
        row[1],
        table_name(row[0]),
        _fields(custom),
        row[2],
        row[3],
        row[4],
        tuple(row[5]),
        row[6],
        tuple(row[7]),
    )


_DATABASES = "SELECT id, name, description, manager_title, manager_language, group_ids, created_at, manager_fields FROM profile_database"
_FIELDS = f"SELECT database_id, {FIELD_COLUMNS} FROM profile_field WHERE database_id = ANY(%s) ORDER BY id"


def _load(connection: psycopg.Connection[Any], condition: str, *values: Any) -> list[Database]:
    rows = connection.execute(f"{_DATABASES} WHERE {condition}", values).fetchall()
    custom: dict[int, list[tuple[Any, ...]]] = {row[0]: [] for row in rows}
    for field in connection.execute(_FIELDS, (list(custom),)):
        custom[field[0]].append(field[1:])
    return [_database(row, custom[row[0]]) for row in rows]


def database(connection: psycopg.Connection[Any], id_or_name: int | str) -> Database:
    """One database, by number or by name.

    Raises:
        NotFound: `unknown_database`.
    """
    fits = -(2**31) <= id_or_name < 2**31 if isinstance(id_or_name, int) else "\x00" not in id_or_name
    found = _load(connection, "id = %s" if isinstance(id_or_name, int) else "name = %s", id_or_name) if fits else []
    if not found:
        raise NotFound("unknown_database", f"There is no profile database “{id_or_name}”.", "db_id")
    return found[0]


def list_databases(connection: psycopg.Connection[Any], *, after: int = 0, limit: int = 100) -> list[Database]:
    """Databases in the order of their numbers, after the number `after`, 1,000 at most."""
    return _load(connection, "id > %s ORDER BY id LIMIT %s", after, max(0, min(limit, 1_000)))


def database_of(connection: psycopg.Connection[Any], profile_id: int) -> int:
    """The number of the database a profile belongs to.

    Raises:
        NotFound: `unknown_profile`.
    """
    # Whoever has a subscription or a phone stands in `identity`; all others are looked for database by database.
    row = connection.execute(
        "SELECT database_id FROM identity WHERE profile_id = %s AND kind <> 1 LIMIT 1", (profile_id,)
    ).fetchone()
    if row:
        return int(row[0])
    for (number,) in connection.execute("SELECT id FROM profile_database ORDER BY id").fetchall():
        if connection.execute(
            f'SELECT 1 FROM "{table_name(number)}" WHERE lane = %s AND id = %s', (profile_id & 63, profile_id)
        ).fetchone():
            return int(number)
    raise NotFound("unknown_profile", "There is no such profile.", "profile_id")


def databases_of(connection: psycopg.Connection[Any], profile_ids: Sequence[int]) -> dict[int, int]:
    """The numbers of the databases of several profiles, by profile; those that are gone are missing."""
    found: dict[int, int] = {}
    for (number,) in connection.execute("SELECT id FROM profile_database ORDER BY id").fetchall():
        rows = connection.execute(
            f'SELECT p.id FROM unnest(%s::bigint[]) x JOIN "{table_name(number)}" p ON p.lane = (x & 63)::smallint AND p.id = x',
            ([one for one in profile_ids if one not in found],),
        )
        found |= {row[0]: int(number) for row in rows}
    return found
