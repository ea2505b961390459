"""Changes of a whole database: its texts and its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from sojourn.kernel.errors import Conflict, Problem, SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles.databases import Database, database

Connection = psycopg.Connection[Any]
_REFERRING = {
    "scenario": "SELECT id, name FROM scenario WHERE database_id = %s",
    "segment": "SELECT id, name FROM segment WHERE database_id = %s AND archived_at IS NULL",
    "resource": "SELECT id, name FROM resource WHERE %s = ANY(database_ids)",
    "scheduled import": "SELECT id, name FROM import_plan WHERE database_id = %s",
    "relation": "SELECT id, name FROM relation_type WHERE database_a = %(d)s OR database_b = %(d)s",
}


def change_database(
    connection: Connection, database_id: int, *, name: str, description: str, manager_title: str, manager_language: str,
    manager_fields: Sequence[str] | None = None,
) -> Database:  # fmt: skip
    """Change the texts of a database, and which fields recipients may see and change on their page.

    Raises:
        NotFound: `unknown_database`. SojournError: `bad_name`, `bad_language`, `unknown_field`. Conflict: `database_exists`.
    """
    known = database(connection, database_id)
    if not 1 <= len(name.strip()) <= 200 or "\x00" in name:
        raise SojournError("bad_name", "A name of 1 to 200 characters is needed.", "name")
    if manager_language not in ("en", "ru"):
        raise SojournError("bad_language", "The language is one of en, ru.", "manager_language")
    for field in manager_fields or ():
        known.field(field)
    try:
        connection.execute(
            "UPDATE profile_database SET name = %s, description = %s, manager_title = %s, manager_language = %s, manager_fields = coalesce(%s, manager_fields) WHERE id = %s",
            (
                name.strip(), description, manager_title.strip() or name.strip(), manager_language,
                None if manager_fields is None else list(dict.fromkeys(manager_fields)), known.id,
            ),
        )  # fmt: skip
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
