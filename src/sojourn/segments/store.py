"""Segments: static ones hold a list, dynamic ones rules, updatable ones rules and the list that follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sojourn.events.touching import listen
from sojourn.kernel import Clock
from sojourn.kernel.errors import Conflict, NotFound, Problem, SojournError
from sojourn.profiles import database
from sojourn.segments.definitions import StoredSegments
from sojourn.segments.rule import Lookup, Rule
from sojourn.segments.tree import Tree, check, parse_tree, resolve

Connection = psycopg.Connection[Any]
Kind = Literal["static", "dynamic", "updatable"]
PAGE = 200
_COLUMNS = """id, name, description, database_id, kind, rules, resolved, sample, most, revision, schedule, next_at, calculated_at, calculation_ms, size, size_exact,
  error, tags, group_ids, created_at, updated_at"""


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


class Schedule(BaseModel):
    """When an updatable segment is calculated anew besides its incremental changes: every so many minutes, or daily at a time of the account's zone."""

    model_config = ConfigDict(extra="forbid")

    every_minutes: int | None = Field(None, ge=5, le=10_080)
    daily_at: str | None = Field(None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$")

    @model_validator(mode="after")
    def _one(self) -> Schedule:
        if (self.every_minutes is None) == (self.daily_at is None):
            raise ValueError("Give the minutes or the time of day")
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
    resolved = _checked(connection, base.id, kind, draft, lookup, None)
    with connection.transaction():
        try:
            row = connection.execute(
                "INSERT INTO segment (created_at, updated_at, name, description, database_id, kind, rules, resolved, sample, most, schedule, next_at, tags)"
                " VALUES (%(at)s, %(at)s, %(name)s, %(description)s, %(database)s, %(kind)s, %(rules)s, %(resolved)s, %(sample)s, %(most)s, %(schedule)s, %(next)s, %(tags)s)"
                " RETURNING id",
                _values(clock, kind, draft, resolved) | {"database": base.id, "kind": kind},
            ).fetchone()
        except psycopg.errors.UniqueViolation:
            raise Conflict("segment_exists", f"There is a segment “{draft.name}” already.", "name") from None
        assert row
        refresh_listeners(connection)
    return get_segment(connection, row[0])


def change_segment(
    connection: Connection, clock: Clock, segment_id: int, revision: int, draft: SegmentDraft, lookup: Lookup
) -> Segment:
    """Change a segment; who refers to it asks the new rules from the next time on.

    Raises:
        SojournError: `bad_segment`. NotFound: `unknown_segment`. Conflict: `changed_meanwhile`, `segment_exists`.
    """
    current = get_segment(connection, segment_id)
    resolved = _checked(connection, current.database_id, current.kind, draft, lookup, segment_id)
    with connection.transaction():
        try:
            done = connection.execute(
                "UPDATE segment SET updated_at = %(at)s, name = %(name)s, description = %(description)s, rules = %(rules)s, resolved = %(resolved)s, sample = %(sample)s,"
                " most = %(most)s, schedule = %(schedule)s, next_at = %(next)s, tags = %(tags)s, revision = revision + 1, error = NULL"
                " WHERE id = %(id)s AND revision = %(revision)s AND archived_at IS NULL",
                _values(clock, current.kind, draft, resolved) | {"id": segment_id, "revision": revision},
            ).rowcount
        except psycopg.errors.UniqueViolation:
            raise Conflict("segment_exists", f"There is a segment “{draft.name}” already.", "name") from None
        if not done:
            raise Conflict(
                "changed_meanwhile", "Somebody else has changed the segment meanwhile; load it again.", "revision"
            )
        refresh_listeners(connection)
    return get_segment(connection, segment_id)


def _values(clock: Clock, kind: Kind, draft: SegmentDraft, resolved: Tree | None) -> dict[str, Any]:
    return {
        "at": clock.now(), "name": draft.name.strip(), "description": draft.description, "rules": Jsonb(draft.rules) if draft.rules else None,
        "resolved": Jsonb(resolved) if resolved else None, "sample": Jsonb(draft.sample.model_dump()) if draft.sample else None, "most": draft.most,
        "schedule": Jsonb(draft.schedule.model_dump(exclude_none=True)) if draft.schedule else None, "tags": draft.tags,
        "next": clock.now() if kind == "updatable" else None,
    }  # fmt: skip


def _checked(
    connection: Connection, database_id: int, kind: Kind, draft: SegmentDraft, lookup: Lookup, segment_id: int | None
) -> Tree | None:
    """The rules with ids in place of names, after everything about the draft was checked."""
    problems = []
    if not draft.name.strip() or "\x00" in draft.name:
        problems.append(Problem("bad_name", "A name of 1 to 200 characters is needed.", "name"))
    if kind == "static" and (draft.rules or draft.sample or draft.most or draft.schedule):
        problems.append(Problem("static_rules", "A static segment is filled by hand and has no rules.", "rules"))
    if kind != "updatable" and draft.schedule:
        problems.append(Problem("no_schedule", "Only updatable segments are calculated by a schedule.", "schedule"))
    resolved: Tree | None = None
    if draft.rules and not problems:
        problems += check(draft.rules, database(connection, database_id), lookup)
        if not problems:
            resolved = resolve(draft.rules, lookup)
            problems += _whole_problems(connection, resolved, segment_id)
    if problems:
        raise SojournError("bad_segment", problems[0].message, problems[0].place, problems=problems)
    return resolved


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


def referred(
    segments: StoredSegments, tree: Tree | None, path: tuple[int, ...] = ()
) -> Iterator[tuple[int, Tree | None]]:
    """All segments that a tree refers to, through others too.

    Raises:
        SojournError: `segment_circle`. NotFound: `unknown_segment`.
    """
    if not tree:
        return
    for rule in parse_tree(tree).rules():
        for reference in rule.segments:
            number = int(reference)
            if number in path:
                raise SojournError("segment_circle", "The segments refer to each other in a circle.", "rules")
            definition = segments.segment(number)
            yield number, definition.tree
            yield from referred(segments, definition.tree, (*path, number))


def all_rules(segments: StoredSegments, tree: Tree | None) -> Iterator[Rule]:
    """The rules of a tree and of the dynamic segments that it unfolds."""
    if not tree:
        return
    for rule in parse_tree(tree).rules():
        yield rule
        for reference in rule.segments:
            definition = segments.segment(int(reference))
            if definition.kind == "dynamic":
                yield from all_rules(segments, definition.tree)


def refresh_listeners(connection: Connection) -> None:
    """Let the work list hold what the updatable segments need, in the transaction that changed them."""
    connection.execute("SELECT pg_advisory_xact_lock(7310011)")
    kinds: set[str] = set()
    segments = StoredSegments(connection)
    for (resolved,) in connection.execute(
        "SELECT resolved FROM segment WHERE kind = 'updatable' AND archived_at IS NULL"
    ).fetchall():
        kinds.add("profile")  # whoever is new may fit
        for rule in all_rules(segments, resolved):
            kinds |= rule.touched_by()
    listen(connection, kinds)


def archive_segment(connection: Connection, clock: Clock, segment_id: int) -> None:
    """Remove a segment that nobody refers to; its members leave without an event, its history stays.

    Raises:
        NotFound: `unknown_segment`. Conflict: `segment_in_use` with who uses it.
    """
    segment = get_segment(connection, segment_id)
    if used := usage(connection, segment_id):
        raise Conflict(
            "segment_in_use", f"The segment is used by {', '.join(one.text for one in used[:5])}.", "segment",
            problems=[Problem("used_by", one.text, f"{one.kind}.{one.id}") for one in used],
        )  # fmt: skip
    with connection.transaction():
        connection.execute(
            "UPDATE segment SET archived_at = %s, name = left(name, 170) || ' (' || id || ')', next_at = NULL WHERE id = %s",
            (clock.now(), segment.id),
        )
        connection.execute("DELETE FROM segment_member WHERE segment_id = %s", (segment_id,))
        refresh_listeners(connection)


@dataclass(frozen=True, slots=True)
class Usage:
    """Who refers to a segment: `kind` is a word such as `scenario`."""

    kind: str
    id: int
    name: str

    @property
    def text(self) -> str:
        return f"{self.kind} “{self.name}”"


_usages: list[Callable[[Connection, int], list[Usage]]] = []


def register_usage(find: Callable[[Connection, int], list[Usage]]) -> None:
    """Let an upper room tell where it refers to a segment."""
    if find not in _usages:
        _usages.append(find)


def usage(connection: Connection, segment_id: int) -> list[Usage]:
    """Everything that refers to a segment."""
    found = []
    for other in connection.execute(
        "SELECT id, name, resolved FROM segment WHERE archived_at IS NULL AND resolved IS NOT NULL AND id <> %s",
        (segment_id,),
    ):
        if any(int(reference) == segment_id for rule in parse_tree(other[2]).rules() for reference in rule.segments):
            found.append(Usage("segment", other[0], other[1]))
    return found + [one for find in _usages for one in find(connection, segment_id)]


def next_calculation(connection: Connection, segment: Segment, now: datetime) -> datetime | None:
    """When an updatable segment is to be calculated anew: by its schedule, else as its rules change with time."""
    zone = ZoneInfo(_account_zone(connection))
    if segment.schedule:
        schedule = Schedule.model_validate(segment.schedule)
        if schedule.every_minutes is not None:
            return now + timedelta(minutes=schedule.every_minutes)
        assert schedule.daily_at
        return next_daily(now, time.fromisoformat(schedule.daily_at), zone)
    needs = {rule.time_need for rule in all_rules(StoredSegments(connection), segment.resolved)}
    if "moment" in needs:
        return now + timedelta(hours=1)
    return next_daily(now, time(0, 0), zone) if "day" in needs else None


def next_daily(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The next moment at which a clock in the zone shows `at`; in the gap of a change of clocks the first moment after it."""
    day = now.astimezone(zone).date()
    while True:
        local = datetime.combine(day, at, tzinfo=zone)
        moment = datetime.fromtimestamp(local.timestamp(), tz=now.tzinfo)
        if moment > now:
            return moment
        day += timedelta(days=1)


def _account_zone(connection: Connection) -> str:
    row = connection.execute("SELECT time_zone FROM account WHERE id = 1").fetchone()
    return str(row[0]) if row else "UTC"


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
