"""Changes of a whole database: its texts, its end, and figures over its people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg import sql

from sojourn.kernel import Clock
from sojourn.kernel.errors import Conflict, Problem, SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles.databases import Database, database
from sojourn.profiles.statuses import CHANNEL_WORDS, STATUS_WORDS

Connection = psycopg.Connection[Any]
_REFERRING = {
    "scenario": "SELECT id, name FROM scenario WHERE database_id = %s",
    "segment": "SELECT id, name FROM segment WHERE database_id = %s AND archived_at IS NULL",
    "resource": "SELECT id, name FROM resource WHERE %s = ANY(database_ids)",
    "scheduled import": "SELECT id, name FROM import_plan WHERE database_id = %s",
    "relation": "SELECT id, name FROM relation_type WHERE database_a = %(d)s OR database_b = %(d)s",
}


def change_database(
    connection: Connection, database_id: int, *, name: str, description: str, manager_title: str, manager_language: str
) -> Database:
    """Change the texts of a database.

    Raises:
        NotFound: `unknown_database`. SojournError: `bad_name`, `bad_language`. Conflict: `database_exists`.
    """
    known = database(connection, database_id)
    if not 1 <= len(name.strip()) <= 200 or "\x00" in name:
        raise SojournError("bad_name", "A name of 1 to 200 characters is needed.", "name")
    if manager_language not in ("en", "ru"):
        raise SojournError("bad_language", "The language is one of en, ru.", "manager_language")
    try:
        connection.execute(
            "UPDATE profile_database SET name = %s, description = %s, manager_title = %s, manager_language = %s WHERE id = %s",
            (name.strip(), description, manager_title.strip() or name.strip(), manager_language, known.id),
        )
    except psycopg.errors.UniqueViolation:
        raise Conflict("database_exists", f"There is a profile database “{name}” already.", "name") from None
    return database(connection, database_id)


def delete_database(connection: Connection, database_id: int) -> None:
    """Remove a database without people that nothing refers to.

    Raises:
        NotFound: `unknown_database`. Conflict: `database_in_use`, `database_not_empty`.
    """
    known = database(connection, database_id)
    problems = []
    for word, statement in _REFERRING.items():
        values: Any = {"d": known.id} if "%(d)s" in statement else (known.id,)
        problems += [
            Problem("used_by", f"{word} “{row[1]}”", f"{word}.{row[0]}")
            for row in connection.execute(statement, values)
        ]
    if problems:
        shown = ", ".join(problem.message for problem in problems[:5])
        raise Conflict("database_in_use", f"The database is used by {shown}.", "database", problems=problems)
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '5s'")
        connection.execute(f"LOCK TABLE {quoted(known.table)} IN ACCESS EXCLUSIVE MODE")
        if connection.execute(f"SELECT 1 FROM {quoted(known.table)} LIMIT 1").fetchone():
            raise Conflict("database_not_empty", "The database still has profiles; wipe it first.", "database")
        connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(sql.Identifier(f"profiles_{known.id}")))
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(known.table)))
        connection.execute("DELETE FROM profile_database WHERE id = %s", (known.id,))


@dataclass(frozen=True, slots=True)
class DatabaseStatistics:
    """Figures over the people of a database at this moment."""

    profiles: int
    by_status: dict[str, int]
    subscriptions: list[tuple[int, str, str, str, int]]
    """Resource (id, name), channel, status, number."""
    growth: list[tuple[date, int]]
    """New profiles by day (UTC), of the last 30 days."""


_SUBSCRIPTIONS = """
SELECT s.resource_id, r.name, s.channel, s.status, count(*) FROM subscription s JOIN resource r ON r.id = s.resource_id JOIN {table} p ON p.lane = s.lane AND p.id = s.profile_id
 WHERE s.deleted_at IS NULL GROUP BY 1, 2, 3, 4 ORDER BY 2, 3, 4
"""


def database_statistics(connection: Connection, clock: Clock, database_id: int) -> DatabaseStatistics:
    """Count the people of a database. A second for a million.

    Raises:
        NotFound: `unknown_database`.
    """
    known = database(connection, database_id)
    table = quoted(known.table)
    statuses = connection.execute(f"SELECT coalesce(status, 0), count(*) FROM {table} GROUP BY 1 ORDER BY 1").fetchall()
    since = clock.now() - timedelta(days=30)
    growth = connection.execute(
        f"SELECT (created_at AT TIME ZONE 'UTC')::date, count(*) FROM {table} WHERE created_at >= %s GROUP BY 1 ORDER BY 1",
        (since,),
    ).fetchall()
    subscriptions = connection.execute(_SUBSCRIPTIONS.format(table=table)).fetchall()
    return DatabaseStatistics(
        sum(row[1] for row in statuses), {STATUS_WORDS[row[0]]: row[1] for row in statuses},
        [(row[0], row[1], CHANNEL_WORDS[row[2]], STATUS_WORDS[row[3]], row[4]) for row in subscriptions], growth,
    )  # fmt: skip


def approximate_size(connection: Connection, known: Database) -> int:
    """How many profiles a database has about, from the planner's statistics; counted while it is small."""
    row = connection.execute(
        "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", (known.table,)
    ).fetchone()
    if row and row[0] > 10_000:
        return int(row[0])
    counted = connection.execute(f"SELECT count(*) FROM {quoted(known.table)}").fetchone()
    return int(counted[0]) if counted else 0
