"""The fields of profiles: the standard ones, and the custom ones that users add, each a typed column of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from sojourn.kernel import Clock
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles.statuses import IDENTITY_FIELD
from sojourn.profiles.table import PatientChange, add_column, make_view, table_name


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the profiles of a database.

    `type` is one of `CUSTOM_TYPES`, or of the types that only standard fields have: `email`, `phones`, `sex`, `status`.
    `matching` says that its values are kept in `identity`, so that profiles can be found by it.
    """

    name: str
    title: str
    type: str
    column: str
    sql_type: str
    builtin: bool = False
    options: tuple[str, ...] = ()
    required: bool = False
    matching: bool = False
    id: int = 0
    hidden: bool = False
    description: str = ""


CUSTOM_TYPES: dict[str, str] = {
    "integer": "bigint",
    "float": "double precision",
    "line": "text",
    "date": "timestamptz",
    "boolean": "boolean",
    "enum": "text",
    "ip": "text",
    "tags": "text[]",
    "object": "jsonb",
    "objects": "jsonb",
}
"""Type of a custom field → SQL type of its column."""

MATCHING_TYPES = frozenset({"line", "integer", "enum", "ip", "tags"})
"""Types of custom fields by which profiles can be found."""

_STANDARD = (
    ("email", "Email", "email", "text"), ("phones", "Phones", "phones", "text[]"), ("_fname", "Name", "line", "text"), ("_lname", "Last name", "line", "text"),
    ("_bdate", "Date of birth", "date", "date"), ("_sex", "Gender", "sex", "smallint"), ("_regdate", "Date of registration", "date", "timestamptz"),
    ("_regip", "IP of registration", "ip", "text"), ("_regcity", "City of registration", "line", "text"),
    ("_regcountry", "Country of registration", "line", "text"), ("_regurl", "Link of registration", "line", "text"), ("_ip", "IP address", "ip", "text"),
    ("_city", "City", "line", "text"), ("_country", "Country", "line", "text"), ("_region", "Region", "line", "text"),
    ("_postal_code", "Postal code", "line", "text"), ("_tz", "Time zone", "line", "text"), ("_vendor", "Supplier", "line", "text"),
    ("_status", "Global status", "status", "smallint"), ("_is_test", "Test profile", "boolean", "boolean"),
    ("_no_tracking", "No tracking", "boolean", "boolean"),
)  # fmt: skip
SEXES = ("male", "female")
STANDARD_FIELDS: tuple[Field, ...] = tuple(
    Field(name, title, kind, name.lstrip("_"), sql_type, True, SEXES if kind == "sex" else ())
    for name, title, kind, sql_type in _STANDARD
)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TAKEN = frozenset(
    {
        "id",
        "lane",
        "email",
        "phone",
        "phones",
        "created_at",
        "updated_at",
        "subscriptions",
        "first_name",
        "last_name",
        "profile_id",
    }
)
_MOST_FIELDS = 1_000
LONGEST_KEY = 500
"""Characters of a value that can still be looked for."""

FIELD_COLUMNS = "id, name, title, type, options, required, matching, hidden, description, column_name"
_FIELDS = f"SELECT {FIELD_COLUMNS} FROM profile_field WHERE database_id = %s ORDER BY id"


def custom_field(row: tuple[Any, ...]) -> Field:
    """The field behind a row of `profile_field`."""
    field_id, name, title, kind, options, required, matching, hidden, description, column = row
    return Field(
        name, title, kind, column or f"f{field_id}", CUSTOM_TYPES[kind], False, tuple(options or ()), required, matching, field_id, hidden, description
    )  # fmt: skip


def custom_fields(connection: psycopg.Connection[Any], database_id: int) -> list[Field]:
    """The custom fields of a database, oldest first."""
    return [custom_field(row) for row in connection.execute(_FIELDS, (database_id,))]


def remake_view(connection: psycopg.Connection[Any], database_id: int, custom: Iterable[Field]) -> None:
    """Let the view of a database show all its fields."""
    make_view(connection, database_id, [(field.column, field.name) for field in (*STANDARD_FIELDS, *custom)])


def add_field(
    connection: psycopg.Connection[Any], clock: Clock, database_id: int, name: str, title: str, type: str, *,
    options: Sequence[str] | None = None, required: bool = False, matching: bool = False,
) -> Field:  # fmt: skip
    """Add a custom field. It gives way to running work and tries again, so it may take some seconds.

    Raises:
        SojournError: `bad_field_name`, `bad_field_type`, `bad_options`, `field_not_for_matching`, `too_many_fields`.
        Conflict: `field_exists`. NotFound: `unknown_database`. Unavailable: `database_busy`.
    """
    check_field(name, title, type, options, matching)
    patient = PatientChange(connection)
    for _ in patient.attempts():
        try:
            with connection.transaction():
                patient.begin()
                return _add(connection, database_id, name, title, type, options, required, matching)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            continue
        except psycopg.errors.UniqueViolation:
            raise Conflict("field_exists", f"There is a field “{name}” already.", "name") from None
    raise AssertionError("unreachable")


def check_field(name: str, title: str, kind: str, options: Sequence[str] | None, matching: bool) -> None:
    if not _NAME.fullmatch(name):
        raise SojournError(
            "bad_field_name",
            "A field name begins with a small latin letter, followed by small letters, digits and “_”, 63 at most.",
            "name",
        )
    if name in _TAKEN:
        raise SojournError("bad_field_name", f"The name “{name}” has a meaning of its own.", "name")
    if not title.strip() or "\x00" in title or len(title) > 200:
        raise SojournError("bad_title", "A title of 1 to 200 characters is needed.", "title")
    if kind not in CUSTOM_TYPES:
        raise SojournError("bad_field_type", f"A field has one of the types {', '.join(CUSTOM_TYPES)}.", "type")
    if (kind == "enum") != bool(options):
        raise SojournError("bad_options", "Options are needed for a field of type enum, and for no other.", "options")
    if options and (
        len(options) > 1_000
        or len(set(options)) != len(options)
        or any(not o.strip() or len(o) > 500 or "\x00" in o for o in options)
    ):
        raise SojournError(
            "bad_options", "Options are at most 1,000 different texts of 1 to 500 characters.", "options"
        )
    if matching and kind not in MATCHING_TYPES:
        raise SojournError(
            "field_not_for_matching",
            f"Profiles can be found by fields of the types {', '.join(sorted(MATCHING_TYPES))}.",
            "matching",
        )


def _add(
    connection: psycopg.Connection[Any],
    database_id: int,
    name: str,
    title: str,
    kind: str,
    options: Sequence[str] | None,
    required: bool,
    matching: bool,
) -> Field:
    if not connection.execute("SELECT 1 FROM profile_database WHERE id = %s FOR UPDATE", (database_id,)).fetchone():
        raise NotFound("unknown_database", f"There is no profile database {database_id}.", "db_id")
    known = custom_fields(connection, database_id)
    if len(known) >= _MOST_FIELDS:
        raise SojournError("too_many_fields", f"A database has {_MOST_FIELDS} custom fields at most.", "name")
    row = connection.execute(
        "INSERT INTO profile_field (database_id, name, title, type, options, required, matching) VALUES (%s, %s, %s, %s, %s, %s, %s)"
        f" RETURNING {FIELD_COLUMNS}",
        (database_id, name, title.strip(), kind, list(options) if options else None, required, matching),
    ).fetchone()
    assert row
    field = custom_field(row)
    add_column(connection, database_id, field.column, field.sql_type)
    remake_view(connection, database_id, [*known, field])
    return field


def identity_values(field: Field, expression: str) -> str:
    """SQL: a subquery of the texts `v` under which a value of `field` stands in `identity`, without prefix. Overlong values are not kept."""
    array = expression if field.sql_type == "text[]" else f"ARRAY[({expression})::text]"
    return f"(SELECT v FROM unnest({array}) v WHERE length(v) <= {LONGEST_KEY})"


def use_for_matching(connection: psycopg.Connection[Any], clock: Clock, database_id: int, name: str) -> None:
    """Let profiles be found by a custom field: its values are entered into `identity`, those of existing profiles too.

    Raises:
        NotFound: `unknown_field`. SojournError: `field_not_for_matching`. Unavailable: `database_busy`.
    """
    field = next((f for f in custom_fields(connection, database_id) if f.name == name), None)
    if field is None:
        raise NotFound("unknown_field", f"The database has no custom field “{name}”.", "name")
    check_field(name, field.title, field.type, field.options, True)
    values = identity_values(field, f"p.{quoted(field.column)}")
    fill = f"""
INSERT INTO identity (profile_id, database_id, lane, kind, value)
SELECT p.id, %s, p.lane, {IDENTITY_FIELD}, %s || v FROM {quoted(table_name(database_id))} p, LATERAL {values} v
"""
    patient = PatientChange(connection)
    for _ in patient.attempts():
        try:
            with connection.transaction():
                patient.begin()
                # Writers wait, so that none changes a value between the filling and the moment the flag is seen.
                connection.execute(f"LOCK TABLE {quoted(table_name(database_id))} IN SHARE ROW EXCLUSIVE MODE")
                if connection.execute(
                    "UPDATE profile_field SET matching = true WHERE id = %s AND NOT matching", (field.id,)
                ).rowcount:
                    connection.execute(fill, (database_id, f"{field.id}:"))
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            continue
