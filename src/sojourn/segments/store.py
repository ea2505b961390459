"""Segments: static ones hold a list, dynamic ones rules, updatable ones rules and the list that follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from itertools import count
from typing import Any, Literal
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sojourn.kernel import Clock
from sojourn.kernel.errors import Conflict, NotFound, Problem, SojournError
from sojourn.kernel.times_of_day import next_daily
from sojourn.profiles import Database, database
from sojourn.segments.definitions import StoredSegments
from sojourn.segments.dependencies import all_rules, referred, refresh_listeners, unfolding
from sojourn.segments.locks import lock_definitions
from sojourn.segments.rule import Lookup
from sojourn.segments.schedule import HOURLY, Schedule
from sojourn.segments.tree import Tree, check, parse_tree, resolve
from sojourn.segments.usage import usage

Connection = psycopg.Connection[Any]
Kind = Literal["static", "dynamic", "updatable"]
PAGE = 200
_COLUMNS = """id, name, description, database_id, kind, rules, resolved, sample, most, revision, schedule, next_at, calculated_at, calculation_ms, size, size_exact,
  error, failed_at, tags, group_ids, created_at, updated_at"""


class Sample(BaseModel):
    """A share of the whole database, to which the rules are applied."""

    model_config = ConfigDict(extra="forbid")

    start: float = Field(0, ge=0, le=100)
    end: float = Field(100, ge=0, le=100)
    group: str = Field("", max_length=100)

    @model_validator(mode="after")
    def _in_order(self) -> Sample:
        if self.start >= self.end:
            raise ValueError("The share begins before it ends")
        return self


class SegmentDraft(BaseModel):
    """A segment as a user writes it. `database` and `kind` are fixed when it is made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=2_000)
    rules: dict[str, Any] | None = None
    sample: Sample | None = None
    most: int | None = Field(None, ge=1)
    schedule: Schedule | None = None
    tags: list[str] = Field([], max_length=50)


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment. `size` is that of `calculated_at`; `error` says why the last calculation failed, the members are those of the one before."""

    id: int
    name: str
    description: str
    database_id: int
    kind: Kind
    rules: Tree | None
    resolved: Tree | None
    sample: dict[str, Any] | None
    most: int | None
    revision: int
    schedule: dict[str, Any] | None
    next_at: datetime | None
    calculated_at: datetime | None
    calculation_ms: int | None
    size: int | None
    size_exact: bool | None
    error: str | None
    failed_at: datetime | None
    tags: list[str]
    group_ids: list[int]
    created_at: datetime
    updated_at: datetime


def get_segment(connection: Connection, segment_id: int) -> Segment:
    """A segment.

    Raises:
        NotFound: `unknown_segment`.
    """
    with connection.cursor(row_factory=class_row(Segment)) as cursor:
        found = cursor.execute(
            f"SELECT {_COLUMNS} FROM segment WHERE id = %s AND archived_at IS NULL",
            (segment_id if 0 < segment_id < 1 << 31 else 0,),
        ).fetchone()
    if found is None:
        raise NotFound("unknown_segment", f"There is no segment {segment_id}.", "segment")
    return found


def list_segments(
    connection: Connection, *, search: str = "", database_id: int | None = None, kind: str | None = None, after: int = 0, limit: int = 50
) -> list[Segment]:  # fmt: skip
    """Segments by number, after `after`; `search` is a part of the name."""
    pattern = "%" + search.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    values = {
        "after": after,
        "database": database_id,
        "kind": kind,
        "pattern": pattern,
        "limit": max(1, min(limit, PAGE + 1)),
    }
    with connection.cursor(row_factory=class_row(Segment)) as cursor:
        return cursor.execute(
            f"""SELECT {_COLUMNS} FROM segment WHERE archived_at IS NULL AND id > %(after)s AND name ILIKE %(pattern)s
                  AND (%(database)s::int IS NULL OR database_id = %(database)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s) ORDER BY id LIMIT %(limit)s""",
            values,
        ).fetchall()


def create_segment(
    connection: Connection, clock: Clock, database_id: int, kind: Kind, draft: SegmentDraft, lookup: Lookup
) -> Segment:
    """Make a segment. An updatable one is empty until it has been calculated, which its `next_at` asks for at once.

    Raises:
        SojournError: `bad_segment` with its problems. NotFound: `unknown_database`. Conflict: `segment_exists`.
    """
    base = database(connection, database_id)
    with connection.transaction():
        lock_definitions(connection)
        resolved = _checked(connection, base, kind, draft, lookup, None)
        values = _values(clock, kind, draft, resolved) | {"database": base.id, "kind": kind}
        row = _named(connection, _CREATE, values, draft.name).fetchone()
        assert row
        refresh_listeners(connection)
        return get_segment(connection, row[0])


_CREATE = """
INSERT INTO segment (created_at, updated_at, name, description, database_id, kind, rules, resolved, sample, most, schedule, next_at, tags, size, size_exact, calculated_at)
VALUES (%(at)s, %(at)s, %(name)s, %(description)s, %(database)s, %(kind)s, %(rules)s, %(resolved)s, %(sample)s, %(most)s, %(schedule)s, %(next)s, %(tags)s,
  CASE WHEN %(kind)s = 'static' THEN 0 END, CASE WHEN %(kind)s = 'static' THEN true END, CASE WHEN %(kind)s = 'static' THEN %(at)s::timestamptz END)
RETURNING id
"""
_CHANGE = """
UPDATE segment SET updated_at = %(at)s, name = %(name)s, description = %(description)s, rules = %(rules)s, resolved = %(resolved)s, sample = %(sample)s, most = %(most)s,
  schedule = %(schedule)s, next_at = CASE WHEN kind <> 'updatable' OR %(same)s THEN next_at ELSE %(next)s END, tags = %(tags)s, revision = revision + 1
 WHERE id = %(id)s AND revision = %(revision)s AND archived_at IS NULL
"""


def change_segment(
    connection: Connection, clock: Clock, segment_id: int, revision: int, draft: SegmentDraft, lookup: Lookup
) -> Segment:
    """Change a segment; who refers to it asks the new rules from the next time on. Updatable segments that change with it are due at once.

    Raises:
        SojournError: `bad_segment`. NotFound: `unknown_segment`. Conflict: `changed_meanwhile`, `segment_exists`.
    """
    with connection.transaction():
        lock_definitions(connection)
        current = get_segment(connection, segment_id)
        resolved = _checked(
            connection, database(connection, current.database_id), current.kind, draft, lookup, segment_id
        )
        values = _values(clock, current.kind, draft, resolved)
        sample = draft.sample.model_dump() if draft.sample else None
        schedule = draft.schedule.model_dump(exclude_defaults=True) if draft.schedule else None
        same_people = (resolved, sample, draft.most) == (current.resolved, current.sample, current.most)
        same = same_people and schedule == current.schedule
        values |= {"id": segment_id, "revision": revision, "same": same}
        if not _named(connection, _CHANGE, values, draft.name).rowcount:
            raise Conflict(
                "changed_meanwhile", "Somebody else has changed the segment meanwhile; load it again.", "revision"
            )
        if current.kind == "dynamic" and not same_people:
            connection.execute(
                "UPDATE segment SET next_at = %s WHERE id = ANY(%s)", (clock.now(), unfolding(connection, segment_id))
            )
        refresh_listeners(connection)
        return get_segment(connection, segment_id)


def clone_segment(connection: Connection, clock: Clock, segment_id: int, name: str | None, lookup: Lookup) -> Segment:
    """Make another segment like this one; of a static one the list is copied too.

    Raises:
        NotFound: `unknown_segment`. Conflict: `segment_exists`. SojournError: `bad_segment`.
    """
    known = get_segment(connection, segment_id)
    draft = SegmentDraft(
        name=name or _free_name(connection, known.name), description=known.description, rules=known.rules, most=known.most, tags=known.tags,
        sample=Sample.model_validate(known.sample) if known.sample else None, schedule=Schedule.model_validate(known.schedule) if known.schedule else None,
    )  # fmt: skip
    return create_segment(connection, clock, known.database_id, known.kind, draft, lookup)


def _free_name(connection: Connection, name: str) -> str:
    taken = {row[0] for row in connection.execute("SELECT name FROM segment WHERE account_id = 1")}
    return next(found for number in count(2) if (found := f"{name[:190]} ({number})") not in taken)


def _named(connection: Connection, statement: str, values: dict[str, Any], name: str) -> psycopg.Cursor[Any]:
    try:
        with connection.transaction():
            return connection.execute(statement, values)
    except psycopg.errors.UniqueViolation:
        raise Conflict("segment_exists", f"There is a segment “{name}” already.", "name") from None


def _values(clock: Clock, kind: Kind, draft: SegmentDraft, resolved: Tree | None) -> dict[str, Any]:
    return {
        "at": clock.now(), "name": draft.name.strip(), "description": draft.description, "rules": Jsonb(draft.rules) if draft.rules else None,
        "resolved": Jsonb(resolved) if resolved else None, "sample": Jsonb(draft.sample.model_dump()) if draft.sample else None, "most": draft.most,
        "schedule": Jsonb(draft.schedule.model_dump(exclude_defaults=True)) if draft.schedule else None, "tags": draft.tags,
        "next": clock.now() if kind == "updatable" else None,
    }  # fmt: skip


def _checked(
    connection: Connection, base: Database, kind: Kind, draft: SegmentDraft, lookup: Lookup, segment_id: int | None
) -> Tree | None:
    """The rules with ids in place of names, after everything about the draft was checked."""
    problems = []
    if not draft.name.strip():
        problems.append(Problem("bad_name", "A name of 1 to 200 characters is needed.", "name"))
    if any("\x00" in text for text in (draft.name, draft.description, *draft.tags)):
        problems.append(Problem("bad_text", "A text holds a sign that cannot be kept (NUL).", "name"))
    if kind == "static" and (draft.rules or draft.sample or draft.most or draft.schedule):
        problems.append(Problem("static_rules", "A static segment is filled by hand and has no rules.", "rules"))
    if kind != "updatable" and draft.schedule:
        problems.append(Problem("no_schedule", "Only updatable segments are calculated by a schedule.", "schedule"))
    if kind == "dynamic" and draft.most and segment_id is not None and _asked_for_one(connection, segment_id):
        problems.append(
            Problem("limited_in_use", "Others ask this segment for single profiles, so it cannot get a limit.", "most")
        )
    resolved: Tree | None = None
    if draft.rules and not problems:
        problems += check(draft.rules, base, lookup)
        if not problems:
            resolved = resolve(draft.rules, lookup)
            problems += _whole_problems(connection, resolved, segment_id)
    if problems:
        raise SojournError("bad_segment", problems[0].message, problems[0].place, problems=problems)
    return resolved


def _asked_for_one(connection: Connection, segment_id: int) -> bool:
    return any(one.kind in ("segment", "scenario") for one in usage(connection, segment_id))


def _whole_problems(connection: Connection, resolved: Tree, segment_id: int | None) -> list[Problem]:
    problems = [
        Problem("needs_passage", f"“{rule.title['en']}” asks about a passage, which only a scenario has.", "rules")
        for rule in parse_tree(resolved).rules()
        if rule.needs_passage
    ]
    try:
        reached = {number for number, _ in referred(StoredSegments(connection), resolved)}
    except SojournError as error:
        return [*problems, Problem(error.code, error.message, "rules")]
    if segment_id is not None and segment_id in reached:
        problems.append(Problem("segment_circle", "The segment would refer to itself.", "rules"))
    return problems


def archive_segment(connection: Connection, clock: Clock, segment_id: int) -> None:
    """Remove a segment that nobody refers to; its members go in the background, without an event, and its history stays.

    Raises:
        NotFound: `unknown_segment`. Conflict: `segment_in_use` with who uses it.
    """
    with connection.transaction():
        lock_definitions(connection)
        segment = get_segment(connection, segment_id)
        if used := usage(connection, segment_id):
            raise Conflict(
                "segment_in_use", f"The segment is used by {', '.join(one.text for one in used[:5])}.", "segment",
                problems=[Problem("used_by", one.text, f"{one.kind}.{one.id}") for one in used],
            )  # fmt: skip
        connection.execute(
            "UPDATE segment SET archived_at = %s, name = left(name, 170) || ' (' || id || ')', next_at = NULL WHERE id = %s",
            (clock.now(), segment.id),
        )
        refresh_listeners(connection)


def next_calculation(connection: Connection, segment: Segment, now: datetime) -> datetime | None:
    """When an updatable segment is to be calculated anew: by its schedule, else as its answers change by time alone.

    A limit cannot be followed person by person, so such a segment is calculated every hour.
    """
    zone = ZoneInfo(_account_zone(connection))
    if segment.schedule:
        return Schedule.model_validate(segment.schedule).next_after(now, zone)
    rules = list(all_rules(StoredSegments(connection), segment.resolved))
    needs = {rule.time_need for rule in rules}
    if "moment" in needs or segment.most is not None:
        return now + HOURLY
    forgetting = any(rule.touched_by() & {"event", "passage", "member"} for rule in rules) and _forgets(connection)
    return next_daily(now, time(0, 0), zone) if "day" in needs or forgetting else None


def _account_zone(connection: Connection) -> str:
    row = connection.execute("SELECT time_zone FROM account WHERE id = 1").fetchone()
    return str(row[0]) if row else "UTC"


def _forgets(connection: Connection) -> bool:
    """Whether what happened is kept for a period only: then answers change when it goes."""
    return connection.execute("SELECT 1 FROM retention_period LIMIT 1").fetchone() is not None


def parse_draft(given: dict[str, Any]) -> SegmentDraft:
    """A draft from plain data.

    Raises:
        SojournError: `bad_segment` with its problems.
    """
    try:
        return SegmentDraft.model_validate(given)
    except ValidationError as error:
        problems = [Problem("bad_value", f"{one['msg']}.", ".".join(map(str, one["loc"]))) for one in error.errors()]
        raise SojournError("bad_segment", problems[0].message, problems[0].place, problems=problems) from None
