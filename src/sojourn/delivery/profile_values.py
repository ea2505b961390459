"""Loads what templates ask for of profiles: only the columns that are used, for many profiles at once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import sql

from sojourn.kernel import public_id
from sojourn.profiles import Database, list_databases

_FRESH_SECONDS = 5.0
_ALIASES = {"_fname": "first_name", "_lname": "last_name"}


class ProfileValues:
    """Remembers the databases for some seconds. Ids of profiles are unique over all databases, so a profile is looked for until it is found."""

    def __init__(self) -> None:
        self._databases: list[Database] = []
        self._read = float("-inf")
        self.homes: dict[int, int] = {}
        """Profile → database, of the last profiles that were loaded."""

    def load(
        self, connection: psycopg.Connection[Any], profile_ids: Iterable[int], fields: frozenset[str] | None
    ) -> dict[int, dict[str, Any]]:
        """Field values by name, with `id`, `first_name` and `last_name`, of the profiles that exist. `fields` None: all fields."""
        found: dict[int, dict[str, Any]] = {}
        self.homes.clear()
        missing = list(dict.fromkeys(profile_ids))
        for position, database in enumerate(self._known(connection)):
            if not missing:
                break
            values = self._from(connection, database, missing, fields)
            if values and position:  # the next profiles are most likely here too
                self._databases.insert(0, self._databases.pop(position))
            found |= values
            self.homes.update(dict.fromkeys(values, database.id))
            missing = [number for number in missing if number not in found]
        return found

    def _known(self, connection: psycopg.Connection[Any]) -> Sequence[Database]:
        if time.monotonic() - self._read > _FRESH_SECONDS:
            order = {database.id: position for position, database in enumerate(self._databases)}
            fresh: list[Database] = []
            while page := list_databases(connection, after=fresh[-1].id if fresh else 0, limit=1000):
                fresh += page
            self._databases = sorted(fresh, key=lambda database: order.get(database.id, len(order)))
            self._read = time.monotonic()
        return tuple(self._databases)

    @staticmethod
    def _from(
        connection: psycopg.Connection[Any], database: Database, ids: list[int], fields: frozenset[str] | None
    ) -> dict[int, dict[str, Any]]:
        chosen = [field for name, field in database.fields.items() if fields is None or name in fields]
        columns = [sql.SQL("p.id"), *(sql.SQL("p.{}").format(sql.Identifier(field.column)) for field in chosen)]
        statement = sql.SQL(
            "SELECT {} FROM unnest(%s::bigint[]) x(id) JOIN {} p ON p.lane = (x.id & 63)::smallint AND p.id = x.id"
        ).format(sql.SQL(", ").join(columns), sql.Identifier(database.table))
        names = [field.name for field in chosen]
        aliases = [(name, _ALIASES[name]) for name in names if name in _ALIASES]
        found = {}
        for number, *row in connection.execute(statement, (ids,)):
            values = dict(zip(names, row, strict=True))
            values["id"] = public_id(number)
            for name, alias in aliases:
                values[alias] = values[name]
            found[number] = values
        return found
