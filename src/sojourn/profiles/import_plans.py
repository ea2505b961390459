"""Scheduled imports: what is read from which connection, how it becomes profiles, and when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import psycopg
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sojourn.connections import FileKind, RowKind, kind_named, link
from sojourn.kernel import Clock
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.profiles.cursor import Cursor, read_cursor
from sojourn.profiles.databases import database
from sojourn.profiles.import_arguments import ImportOptions, ReadingArguments
from sojourn.profiles.plan_schedule import PlanSchedule

MOST_FAILURES = 5
"""So many failed runs in a row stop a plan."""
_CURSOR = re.compile(r"(?<![:\w]):cursor\b")
_COLUMNS = """p.id, p.name, p.database_id, p.connection_id, p.source, p.options, p.schedule, p.time_zone, p.cursor_column, p.cursor_value, p.active, p.next_at,
  p.revision, p.created_at, p.updated_at"""


class PlanSource(BaseModel):
    """What is read: the result of a query, a table, or files whose names fit a mask, new and changed ones only. `reading`: how files are read."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["query", "table", "files"]
    query: Annotated[str, Field(max_length=100_000)] = ""
    table: Annotated[str, Field(max_length=200)] = ""
    mask: Annotated[str, Field(max_length=200)] = "*"
    after: Literal["none", "delete", "move"] = "none"
    folder: Annotated[str, Field(max_length=500)] = ""
    reading: ReadingArguments = ReadingArguments()

    @model_validator(mode="after")
    def _whole(self) -> PlanSource:
        if self.kind in ("query", "table") and not getattr(self, self.kind).strip():
            raise ValueError(f"The {self.kind} is missing")
        if self.after == "move" and not self.folder.strip("/ "):
            raise ValueError("Say into which folder files are moved")
        return self


class PlanDraft(BaseModel):
    """A scheduled import as it is to be. `cursor_column`: only rows with a larger value there than the largest read before; `cursor_start`: the first such value."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=200)]
    database_id: int
    connection_id: int
    source: PlanSource
    options: ImportOptions = ImportOptions()
    schedule: PlanSchedule
    time_zone: Annotated[str, Field(max_length=100)] = "UTC"
    cursor_column: Annotated[str, Field(max_length=200)] | None = None
    cursor_start: Annotated[str, Field(max_length=200)] | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """A scheduled import. `cursor`: the largest value read so far; `marks`: the files that were read, and their state."""

    id: int
    name: str
    database_id: int
    connection_id: int
    source: PlanSource
    options: ImportOptions
    schedule: PlanSchedule
    time_zone: str
    cursor_column: str | None
    cursor: Cursor | None
    marks: dict[str, str]
    active: bool
    next_at: datetime | None
    revision: int
    created_at: datetime
    updated_at: datetime


def _plan(row: tuple[Any, ...]) -> Plan:
    kept = row[9] or {}
    return Plan(
        row[0], row[1], row[2], row[3], PlanSource.model_validate(row[4]), ImportOptions.model_validate(row[5]), PlanSchedule.model_validate(row[6]),
        row[7], row[8], Cursor.of(kept.get("cursor")), kept.get("files", {}), *row[10:],
    )  # fmt: skip


def plan(connection: psycopg.Connection[Any], plan_id: int) -> Plan:
    """One plan.

    Raises:
        NotFound: `unknown_plan`.
    """
    row = None
    if 0 < plan_id < 1 << 31:
        row = connection.execute(f"SELECT {_COLUMNS} FROM import_plan p WHERE p.id = %s", (plan_id,)).fetchone()
    if row is None:
        raise NotFound("unknown_plan", "There is no such scheduled import.", "plan_id")
    return _plan(row)


def list_plans(connection: psycopg.Connection[Any], *, after: int = 0, limit: int = 100) -> list[Plan]:
    """Plans in the order of their numbers, after the number `after`, 1,000 at most."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM import_plan p WHERE p.id > %s ORDER BY p.id LIMIT %s",
        (after, max(0, min(limit, 1_000))),
    )
    return [_plan(row) for row in rows]


def create_plan(connection: psycopg.Connection[Any], clock: Clock, draft: PlanDraft) -> Plan:
    """Make a plan.

    Raises:
        SojournError: `bad_name`, `wrong_source`, `cursor_missing`, `unknown_time_zone`. NotFound: `unknown_database`, `unknown_connection`.
        Conflict: `plan_exists`.
    """
    zone = check_plan(connection, draft)
    cursor = read_cursor(draft.cursor_start) if draft.cursor_column else None
    following = draft.schedule.next_after(clock.now(), zone)
    try:
        row = connection.execute(
            "INSERT INTO import_plan AS p (created_at, updated_at, name, database_id, connection_id, source, options, schedule, time_zone, cursor_column,"
            " cursor_value, active, next_at) VALUES (%(at)s, %(at)s, %(name)s, %(database)s, %(connection)s, %(source)s, %(options)s, %(schedule)s, %(zone)s,"
            f" %(column)s, %(cursor)s, %(active)s, %(next)s) RETURNING {_COLUMNS}",
            {**_values(draft), "at": clock.now(), "cursor": _kept(cursor, {}), "next": following},
        ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise Conflict("plan_exists", f"There is a scheduled import “{draft.name.strip()}” already.", "name") from None
    assert row
    return _plan(row)


def change_plan(
    connection: psycopg.Connection[Any],
    clock: Clock,
    plan_id: int,
    draft: PlanDraft,
    *,
    revision: int | None = None,
    restart: bool = False,
) -> Plan:
    """Change a plan. What was read stays read, unless it `restart`s: then it begins at `cursor_start` and with all files again.

    Raises:
        As `create_plan`; NotFound: `unknown_plan`; Conflict: `changed_meanwhile`.
    """
    known = plan(connection, plan_id)
    if revision is not None and revision != known.revision:
        raise Conflict("changed_meanwhile", "Somebody else has changed it meanwhile.", "revision")
    zone = check_plan(connection, draft)
    other = restart or draft.cursor_column != known.cursor_column or draft.connection_id != known.connection_id
    cursor = (read_cursor(draft.cursor_start) if draft.cursor_column else None) if other else known.cursor
    following = known.next_at
    if draft.schedule != known.schedule or draft.time_zone != known.time_zone or not known.active:
        following = draft.schedule.next_after(clock.now(), zone)
    try:
        row = connection.execute(
            "UPDATE import_plan p SET updated_at = %(at)s, name = %(name)s, database_id = %(database)s, connection_id = %(connection)s, source = %(source)s,"
            " options = %(options)s, schedule = %(schedule)s, time_zone = %(zone)s, cursor_column = %(column)s, cursor_value = %(cursor)s, active = %(active)s,"
            f" next_at = %(next)s, revision = revision + 1 WHERE id = %(id)s RETURNING {_COLUMNS}",
            {
                **_values(draft),
                "id": plan_id,
                "at": clock.now(),
                "cursor": _kept(cursor, {} if other else known.marks),
                "next": following,
            },
        ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise Conflict("plan_exists", f"There is a scheduled import “{draft.name.strip()}” already.", "name") from None
    assert row
    return _plan(row)


def delete_plan(connection: psycopg.Connection[Any], plan_id: int) -> None:
    """Delete a plan with the history of its runs; what it imported stays.

    Raises:
        NotFound: `unknown_plan`.
    """
    plan(connection, plan_id)
    connection.execute("DELETE FROM import_plan WHERE id = %s", (plan_id,))


def note_read(connection: psycopg.Connection[Any], plan_id: int, cursor: Cursor | None, marks: dict[str, str]) -> None:
    """Keep up to where a plan has read."""
    connection.execute("UPDATE import_plan SET cursor_value = %s WHERE id = %s", (_kept(cursor, marks), plan_id))


def check_plan(connection: psycopg.Connection[Any], draft: PlanDraft) -> ZoneInfo:
    """Refuse a plan that cannot work; gives its zone.

    Raises:
        As `create_plan`.
    """
    if not draft.name.strip() or "\x00" in draft.name:
        raise SojournError("bad_name", "A name of 1 to 200 characters is needed.", "name")
    database(connection, draft.database_id)
    kind = kind_named(link(connection, draft.connection_id).kind)
    source = draft.source
    if isinstance(kind, RowKind) == (source.kind == "files") or (source.kind == "files") != isinstance(kind, FileKind):
        raise SojournError("wrong_source", f"A connection of the kind {kind.code} has no {source.kind}.", "source.kind")
    if source.kind == "query":
        named = bool(_CURSOR.search(source.query))
        if draft.cursor_column and not named:
            raise SojournError(
                "cursor_missing", "A query that goes on where it ended compares with :cursor.", "source.query"
            )
        if named and not (draft.cursor_column and draft.cursor_start):
            raise SojournError(
                "cursor_missing",
                "A query with :cursor needs the column it grows by, and a first value.",
                "cursor_column",
            )
    try:
        return ZoneInfo(draft.time_zone)
    except (KeyError, ValueError, OSError):
        raise SojournError("unknown_time_zone", f"There is no time zone “{draft.time_zone}”.", "time_zone") from None


def _values(draft: PlanDraft) -> dict[str, Any]:
    return {
        "name": draft.name.strip(), "database": draft.database_id, "connection": draft.connection_id, "source": Jsonb(draft.source.model_dump(mode="json")),
        "options": Jsonb(draft.options.model_dump(mode="json")), "schedule": Jsonb(draft.schedule.model_dump(mode="json", exclude_none=True)),
        "zone": draft.time_zone, "column": draft.cursor_column or None, "active": draft.active,
    }  # fmt: skip


def _kept(cursor: Cursor | None, marks: dict[str, str]) -> Jsonb | None:
    kept = ({"cursor": cursor.as_json()} if cursor else {}) | ({"files": marks} if marks else {})
    return Jsonb(kept) if kept else None
