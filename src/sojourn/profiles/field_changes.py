"""Changes of a field that is in use: its texts, its name, its options, and its end. What refers to it by name is asked first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from sojourn.kernel.errors import Conflict, NotFound, Problem
from sojourn.kernel.statement import quoted
from sojourn.profiles.fields import Field, check_field, custom_fields, remake_view
from sojourn.profiles.statuses import IDENTITY_FIELD
from sojourn.profiles.table import PatientChange, table_name

Connection = psycopg.Connection[Any]
_IDENTITIES = 20_000


@dataclass(frozen=True, slots=True)
class FieldUse:
    """Something that refers to a field by name: `kind` is a word such as `scenario`."""

    kind: str
    id: int
    name: str


FindUses = Callable[[Connection, int, str], list[FieldUse]]
_finders: list[FindUses] = []


def register_field_use(find: FindUses) -> None:
    """Let an upper room tell where it refers to a field: `(connection, database, field name)`."""
    if find not in _finders:
        _finders.append(find)


def uses_of_field(connection: Connection, database_id: int, name: str) -> list[FieldUse]:
    """Everything that refers to a field by its name."""
    return [use for find in _finders for use in find(connection, database_id, name)]


def own_field(connection: Connection, database_id: int, name: str) -> Field:
    """A custom field.

    Raises:
        NotFound: `unknown_field`.
    """
    found = next((field for field in custom_fields(connection, database_id) if field.name == name), None)
    if found is None:
        raise NotFound("unknown_field", f"The database has no custom field “{name}”.", "name")
    return found


def change_field(
    connection: Connection, database_id: int, name: str, *, new_name: str | None = None, title: str | None = None, description: str | None = None,
    required: bool | None = None, hidden: bool | None = None, options: Sequence[str] | None = None,
) -> Field:  # fmt: skip
    """Change what is given; the column stays where it is. An option goes only when no profile has it.

    Raises:
        NotFound: `unknown_field`. SojournError: as `add_field`. Conflict: `field_exists`, `field_in_use` (when it is renamed), `option_in_use`.
    """
    known = own_field(connection, database_id, name)
    wanted = new_name if new_name is not None else name
    chosen = list(options) if options is not None else list(known.options) or None
    check_field(wanted, title if title is not None else known.title, known.type, chosen, known.matching)
    if wanted != name:
        _refuse_in_use(uses_of_field(connection, database_id, name), name)
    if options is not None:
        _refuse_taken_options(connection, database_id, known, set(known.options) - set(options))

    def change() -> None:
        connection.execute(
            "UPDATE profile_field SET name = %s, title = %s, description = %s, required = %s, hidden = %s, options = %s WHERE id = %s",
            (
                wanted, (title if title is not None else known.title).strip(), known.description if description is None else description[:2_000],
                known.required if required is None else required, known.hidden if hidden is None else hidden, chosen, known.id,
            ),
        )  # fmt: skip
        if wanted != name:
            check_no_writing_task(connection, database_id)
            connection.execute(
                "UPDATE profile_database SET manager_fields = array_replace(manager_fields, %s, %s) WHERE id = %s",
                (name, wanted, database_id),
            )
            remake_view(connection, database_id, custom_fields(connection, database_id))

    try:
        patiently(connection, change)
    except psycopg.errors.UniqueViolation:
        raise Conflict("field_exists", f"There is a field “{wanted}” already.", "name") from None
    return own_field(connection, database_id, wanted)


def patiently(connection: Connection, change: Callable[[], None]) -> None:
    """Do `change` in a transaction that gives way to running work and tries again.

    Raises:
        Unavailable: `database_busy`. What `change` raises.
    """
    patient = PatientChange(connection)
    for _ in patient.attempts():
        try:
            with connection.transaction():
                patient.begin()
                change()
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            continue


def check_no_writing_task(connection: Connection, database_id: int) -> None:
    """Refuse while a background task writes profiles: it knows the fields of the moment when it began.

    Raises:
        Conflict: `task_running`.
    """
    found = connection.execute(
        "SELECT title FROM background_task WHERE state = 'running' AND kind IN ('profile_import', 'bulk_update')"
        " AND coalesce(arguments ->> 'database_id', arguments -> 'audience' ->> 'database_id') = %s LIMIT 1",
        (str(database_id),),
    ).fetchone()
    if found:
        raise Conflict(
            "task_running", f"The task “{found[0]}” is writing into this database; wait for its end.", "name"
        )


def _refuse_in_use(uses: Sequence[FieldUse], name: str) -> None:
    if uses:
        shown = ", ".join(f"{use.kind} “{use.name}”" for use in uses[:5])
        problems = [Problem("used_by", f"{use.kind} “{use.name}”", f"{use.kind}.{use.id}") for use in uses]
        raise Conflict("field_in_use", f"The field “{name}” is used by {shown}.", "name", problems=problems)


def _refuse_taken_options(connection: Connection, database_id: int, known: Field, gone: set[str]) -> None:
    if not gone:
        return
    rows = connection.execute(
        f"SELECT {quoted(known.column)}, count(*) FROM {quoted(table_name(database_id))} WHERE {quoted(known.column)} = ANY(%s) GROUP BY 1",
        (sorted(gone),),
    ).fetchall()
    if rows:
        shown = ", ".join(f"“{option}”: {number}" for option, number in rows[:5])
        raise Conflict("option_in_use", f"Profiles have options that would go ({shown}).", "options")


def delete_field(connection: Connection, database_id: int, name: str) -> None:
    """Remove a field with its values. Readers wait for a moment at most; it gives way to running work and tries again.

    Raises:
        NotFound: `unknown_field`. Conflict: `field_in_use`, `task_running`. Unavailable: `database_busy`.
    """
    known = own_field(connection, database_id, name)
    _refuse_in_use(uses_of_field(connection, database_id, name), name)

    def change() -> None:
        check_no_writing_task(connection, database_id)
        connection.execute("DELETE FROM profile_field WHERE id = %s", (known.id,))
        connection.execute(
            "UPDATE profile_database SET manager_fields = array_remove(manager_fields, %s) WHERE id = %s",
            (name, database_id),
        )
        remake_view(connection, database_id, custom_fields(connection, database_id))
        drop_column(connection, database_id, known.column)

    patiently(connection, change)
    forget_identities(connection, database_id, known.id)


def drop_column(connection: Connection, database_id: int, column: str) -> None:
    """Drop a column, inside the caller's transaction."""
    connection.execute(
        sql.SQL("ALTER TABLE {} DROP COLUMN IF EXISTS {}").format(
            sql.Identifier(table_name(database_id)), sql.Identifier(column)
        )
    )


def forget_identities(connection: Connection, database_id: int, field_id: int) -> None:
    """Take the values of a field out of `identity`, some at a time."""
    statement = f"""DELETE FROM identity WHERE ctid IN (SELECT ctid FROM identity WHERE database_id = %s AND kind = {IDENTITY_FIELD} AND kind <> 1
      AND value >= %s AND value < %s LIMIT {_IDENTITIES})"""
    while connection.execute(statement, (database_id, f"{field_id}:", f"{field_id};")).rowcount:
        pass


def stop_matching(connection: Connection, database_id: int, name: str) -> None:
    """Let profiles be found by a field no longer.

    Raises:
        NotFound: `unknown_field`. Unavailable: `database_busy`.
    """
    known = own_field(connection, database_id, name)

    def change() -> None:
        connection.execute(f"LOCK TABLE {quoted(table_name(database_id))} IN SHARE ROW EXCLUSIVE MODE")
        connection.execute("UPDATE profile_field SET matching = false WHERE id = %s", (known.id,))

    patiently(connection, change)
    forget_identities(connection, database_id, known.id)


def check_not_used(connection: Connection, database_id: int, name: str) -> None:
    """Refuse what would change the meaning of a field that something refers to.

    Raises:
        Conflict: `field_in_use`.
    """
    _refuse_in_use(uses_of_field(connection, database_id, name), name)


__all__ = [
    "FieldUse", "change_field", "check_no_writing_task", "check_not_used", "delete_field", "patiently", "register_field_use",
    "stop_matching", "uses_of_field",
]  # fmt: skip
