"""The table of one profile database and its view with the users' field names: what stands in the DDL, in one place."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from sojourn.kernel.errors import Unavailable

_TABLE = """
CREATE TABLE {} (
  id bigint NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, bdate date, regdate timestamptz, lane smallint NOT NULL,
  status smallint, sex smallint, is_test boolean, no_tracking boolean, email text, phones text[], fname text, lname text, city text, country text, region text,
  postal_code text, tz text, vendor text, regip text, regcity text, regcountry text, regurl text, ip text,
  PRIMARY KEY (lane, id)) WITH (fillfactor = 85)
"""
_PATIENCE = 8


def table_name(database_id: int) -> str:
    """The table that holds the profiles of a database."""
    return f"profile_{database_id}"


def create_table(connection: psycopg.Connection[Any], database_id: int) -> None:
    """Make the empty table of a new database."""
    table = sql.Identifier(table_name(database_id))
    connection.execute(sql.SQL(_TABLE).format(table))
    # What a sample says of lanes must not mislead the planner: see the end of 0001_foundation.sql.
    connection.execute(sql.SQL("ALTER TABLE {} ALTER lane SET (n_distinct = 64)").format(table))


def add_column(connection: psycopg.Connection[Any], database_id: int, column: str, sql_type: str) -> None:
    """Add an empty column; inside the caller's transaction."""
    connection.execute(
        sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(
            sql.Identifier(table_name(database_id)), sql.Identifier(column), sql.SQL(sql_type)
        )
    )


def make_view(connection: psycopg.Connection[Any], database_id: int, columns: Iterable[tuple[str, str]]) -> None:
    """Make or extend the view `profiles_<id>`; `columns` are (column, name), new ones at the end."""
    parts = [sql.SQL("id, created_at, updated_at")]
    parts += [sql.SQL("{} AS {}").format(sql.Identifier(column), sql.Identifier(name)) for column, name in columns]  # type: ignore[misc]
    # A column that was renamed or went away cannot be replaced in place.
    connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(sql.Identifier(f"profiles_{database_id}")))
    connection.execute(
        sql.SQL("CREATE VIEW {} AS SELECT {} FROM {}").format(
            sql.Identifier(f"profiles_{database_id}"),
            sql.SQL(", ").join(parts),
            sql.Identifier(table_name(database_id)),
        )
    )


class PatientChange:
    """Attempts at a change of a table that gives way to running work: each waits two seconds for the lock at most.

    Raises:
        Unavailable: the table was busy for all attempts.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def attempts(self) -> Iterable[int]:
        for number in range(_PATIENCE):
            if number:
                time.sleep(0.2 * number)
            yield number
        raise Unavailable("database_busy", "The database of profiles is busy at the moment; try again in a minute.")

    def begin(self) -> None:
        """Say, inside the transaction of the attempt, how long a lock is waited for."""
        self._connection.execute("SET LOCAL lock_timeout = '2s'")
