"""`/segments`: segments, who is in them, and how many fit while somebody edits rules."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from sojourn.kernel import parse_public_id, public_id
from sojourn.kernel.errors import SojournError, Unavailable
from sojourn.kernel.tasks import get_task
from sojourn.kernel.wakeups import ENGINE
from sojourn.profiles import Database, database
from sojourn.profiles.statuses import CAUSE_MANUAL, CHANNEL_WORDS
from sojourn.scenarios import Catalogue
from sojourn.scenarios.node_type import Language
from sojourn.segments import check, describe, resolve
from sojourn.segments.counting import count, reach, sample_people
from sojourn.segments.evaluation import Question
from sojourn.segments.hints import hints
from sojourn.segments.membership import add_members, remove_members
from sojourn.segments.store import (
    Sample,
    Segment,
    SegmentDraft,
    archive_segment,
    change_segment,
    create_segment,
    get_segment,
    list_segments,
    usage,
)
from sojourn.segments.tasks import start_calculation
from sojourn.web.api.call import Call, Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, Search, page_of, size
from sojourn.web.api.tasks import TaskShape, task_shape
from sojourn.web.installation import Connection
from sojourn.web.profile_rows import names_of

router = APIRouter(tags=["segments"])
_COUNTS_AT_ONCE = threading.BoundedSemaphore(3)
_MOST_MEMBERS = 10_000


class SegmentShape(BaseModel):
    """A segment; `size` is that of `calculated_at` (static: now); `summary` is its rules in words."""

    id: int
    name: str
    description: str
    database_id: int
    kind: Literal["static", "dynamic", "updatable"]
    rules: dict[str, Any] | None
    sample: dict[str, Any] | None
    most: int | None
    schedule: dict[str, Any] | None
    revision: int
    next_at: datetime | None
    calculated_at: datetime | None
    calculation_ms: int | None
    size: int | None
    error: str | None
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    summary: str | None


class NewSegment(SegmentDraft):
    """A segment to make."""

    database_id: int
    kind: Literal["static", "dynamic", "updatable"]


class ChangedSegment(SegmentDraft):
    """A segment as it is to be; `revision` is the one that was edited."""

    revision: int


class QuestionShape(BaseModel):
    """Who is meant, before it is saved."""

    model_config = ConfigDict(extra="forbid")

    database_id: int
    rules: dict[str, Any] | None = None
    sample: Sample | None = None
    most: int | None = Field(None, ge=1)


class FoundShape(BaseModel):
    """Somebody who fits."""

    id: str
    name: str | None
    email: str | None
    phone: str | None


class CountShape(BaseModel):
    """How many fit now. Not `exact`: an estimate, and in 95 of 100 cases the truth lies from `low` to `high`."""

    number: int
    exact: bool
    low: int
    high: int
    total: int
    milliseconds: int
    hints: list[str]


class PreviewShape(BaseModel):
    """Some who fit, and how many can be written to, by channel; null where finding out takes too long."""

    people: list[FoundShape] | None
    reach: dict[str, int] | None


class MemberShape(FoundShape):
    """Somebody in a segment."""

    entered_at: datetime


class MembersOrder(BaseModel):
    """Profiles to add or to take out."""

    profiles: Annotated[list[str], Field(max_length=_MOST_MEMBERS)]


class ChangedMembers(BaseModel):
    """How many it concerned."""

    changed: int


class UsageShape(BaseModel):
    """Something that refers to a segment."""

    kind: str
    id: int
    name: str


class DayShape(BaseModel):
    """Entries and exits of a day of the account."""

    day: str
    entered: int
    left: int


def _shape(connection: Connection, segment: Segment, language: Language, sizes: dict[int, int]) -> SegmentShape:
    summary = None
    if segment.rules:
        try:
            summary = describe(
                segment.rules, language, database(connection, segment.database_id), Catalogue(connection)
            )
        except SojournError:
            summary = None
    values = {name: getattr(segment, name) for name in SegmentShape.model_fields if name not in ("summary", "size")}
    return SegmentShape(**values, summary=summary, size=sizes.get(segment.id, segment.size))


_SIZES = """
SELECT s.id, (SELECT sum(n) FROM generate_series(0, 63) l, LATERAL (SELECT count(*) AS n FROM segment_member m WHERE m.lane = l::smallint AND m.segment_id = s.id) x)
  FROM segment s WHERE s.kind = 'static' AND s.id = ANY(%s)
"""


def _sizes(connection: Connection, segments: list[Segment]) -> dict[int, int]:
    """Members of static segments, which nobody calculates."""
    rows = connection.execute(_SIZES, ([segment.id for segment in segments],))
    return {row[0]: int(row[1] or 0) for row in rows}


def _one(connection: Connection, call: Call, segment: Segment, language: Language | None = None) -> SegmentShape:
    return _shape(connection, segment, call.language(language), _sizes(connection, [segment]))


@router.get("/segments", name="list_segments")
def list_all(
    call: Reading, search: Search = "", database_id: Annotated[int | None, Query(alias="database")] = None,
    kind: Annotated[Literal["static", "dynamic", "updatable"] | None, Query()] = None, language: Annotated[Language | None, Query()] = None,
    after: After = None, limit: Limit = 50,
) -> Page[SegmentShape]:  # fmt: skip
    """Segments by number."""
    with call.connection() as connection:
        found = list_segments(
            connection, search=search, database_id=database_id, kind=kind, after=after or 0, limit=size(limit) + 1
        )
        sizes = _sizes(connection, found)
        return page_of(
            found,
            limit,
            lambda segment: _shape(connection, segment, call.language(language), sizes),
            lambda segment: segment.id,
        )


@router.post("/segments", status_code=201, name="create_segment")
def create(given: NewSegment, call: Changing) -> SegmentShape:
    """Make a segment; an updatable one is calculated at once, in the background."""
    draft = SegmentDraft.model_validate(given.model_dump(exclude={"database_id", "kind"}))
    with call.connection() as connection, connection.transaction():
        made = create_segment(connection, call.clock, given.database_id, given.kind, draft, Catalogue(connection))
        if made.kind == "updatable":
            start_calculation(connection, call.clock, made.id)
        call.note(connection, "create", "segment", made.id)
        return _one(connection, call, made)


@router.post("/segments/count")
def count_question(
    given: QuestionShape, call: Reading, language: Annotated[Language | None, Query()] = None
) -> CountShape:
    """How many fit: exact where that is quick, else an estimate that says so."""
    with _one_of_few(), call.connection() as connection:
        base, question, catalogue = _question(connection, given)
        found = count(connection, call.clock, base, question, catalogue)
        told = hints(given.rules, call.language(language)) if given.rules else []
    return CountShape(
        number=found.number, exact=found.exact, low=found.low, high=found.high, total=found.total, milliseconds=found.milliseconds, hints=told
    )  # fmt: skip


@router.post("/segments/preview")
def preview_question(given: QuestionShape, call: Reading) -> PreviewShape:
    """Some who fit, and how many can be written to."""
    with _one_of_few(), call.connection() as connection:
        base, question, catalogue = _question(connection, given)
        ids = sample_people(connection, call.clock, base, question, catalogue)
        reached = reach(connection, call.clock, base, question, catalogue)
        people = _people(connection, base, ids) if ids is not None else None
    words = {CHANNEL_WORDS[channel]: number for channel, number in reached.items()} if reached is not None else None
    return PreviewShape(people=people, reach=words)


class _one_of_few:
    """Counting is heavy: a few at a time, the others are told to come again."""

    def __enter__(self) -> None:
        if not _COUNTS_AT_ONCE.acquire(timeout=5):
            raise Unavailable("counts_busy", "Too many counts are running; try again in a moment.")

    def __exit__(self, *error: object) -> None:
        _COUNTS_AT_ONCE.release()


def _question(connection: Connection, given: QuestionShape) -> tuple[Database, Question, Catalogue]:
    base, catalogue = database(connection, given.database_id), Catalogue(connection)
    rules = None
    if given.rules:
        if problems := check(given.rules, base, catalogue):
            raise SojournError("bad_rules", problems[0].message, problems[0].place, problems=problems)
        rules = resolve(given.rules, catalogue)
    return base, Question(rules, given.sample.model_dump() if given.sample else None, given.most), catalogue


def _people(connection: Connection, base: Database, ids: list[int]) -> list[FoundShape]:
    names = names_of(connection, base, ids)
    return [
        FoundShape(id=public_id(number), name=names[number].name, email=names[number].email, phone=names[number].phone)
        for number in ids if number in names
    ]  # fmt: skip


@router.get("/segments/{segment_id}", name="get_segment")
def get_one(segment_id: int, call: Reading, language: Annotated[Language | None, Query()] = None) -> SegmentShape:
    """A segment."""
    with call.connection() as connection:
        return _one(connection, call, get_segment(connection, segment_id), language)


@router.put("/segments/{segment_id}", name="change_segment")
def change(segment_id: int, given: ChangedSegment, call: Changing) -> SegmentShape:
    """Change a segment; 409 if somebody else did so meanwhile. An updatable one is calculated anew."""
    draft = SegmentDraft.model_validate(given.model_dump(exclude={"revision"}))
    with call.connection() as connection, connection.transaction():
        changed = change_segment(connection, call.clock, segment_id, given.revision, draft, Catalogue(connection))
        if changed.kind == "updatable":
            start_calculation(connection, call.clock, segment_id)
        call.note(connection, "change", "segment", segment_id)
        return _one(connection, call, changed)


@router.delete("/segments/{segment_id}", status_code=204)
def delete_segment(segment_id: int, call: Changing) -> None:
    """Remove a segment that nothing refers to."""
    with call.connection() as connection:
        archive_segment(connection, call.clock, segment_id)
        call.note(connection, "delete", "segment", segment_id)


@router.post("/segments/{segment_id}/calculate", status_code=202)
def calculate_segment(segment_id: int, call: Changing) -> TaskShape:
    """Calculate an updatable segment now, in the background."""
    with call.connection() as connection:
        if get_segment(connection, segment_id).kind != "updatable":
            raise SojournError("segment_not_updatable", "Only updatable segments are calculated.", "segment")
        return task_shape(get_task(connection, start_calculation(connection, call.clock, segment_id)))


@router.get("/segments/{segment_id}/usage")
def list_usage(segment_id: int, call: Reading) -> list[UsageShape]:
    """What refers to a segment."""
    with call.connection() as connection:
        get_segment(connection, segment_id)
        return [UsageShape(kind=one.kind, id=one.id, name=one.name) for one in usage(connection, segment_id)]


_MEMBERS = """
SELECT x.profile_id, x.entered_at FROM generate_series(0, 63) l, LATERAL (
  SELECT m.profile_id, m.entered_at FROM segment_member m WHERE m.lane = l::smallint AND m.segment_id = %(segment)s AND m.profile_id > %(after)s
   ORDER BY m.profile_id LIMIT %(limit)s) x ORDER BY 1 LIMIT %(limit)s
"""


@router.get("/segments/{segment_id}/members")
def list_members(segment_id: int, call: Reading, after: After = None, limit: Limit = 50) -> Page[MemberShape]:
    """Who is in a static or updatable segment."""
    with call.connection() as connection:
        segment = get_segment(connection, segment_id)
        rows = connection.execute(
            _MEMBERS, {"segment": segment_id, "after": after or 0, "limit": size(limit) + 1}
        ).fetchall()
        names = names_of(connection, database(connection, segment.database_id), [row[0] for row in rows])

    def shape(row: tuple[int, datetime]) -> MemberShape:
        known = names.get(row[0])
        return MemberShape(
            id=public_id(row[0]), name=known.name if known else None, email=known.email if known else None, phone=known.phone if known else None,
            entered_at=row[1],
        )  # fmt: skip

    return page_of(rows, limit, shape, lambda row: row[0])


@router.post("/segments/{segment_id}/members")
def add_to_segment(segment_id: int, given: MembersOrder, call: Changing) -> ChangedMembers:
    """Add profiles to a static segment."""
    with call.connection() as connection:
        ids = [parse_public_id(text) for text in given.profiles]
        changed = add_members(connection, call.clock, segment_id, ids, cause=CAUSE_MANUAL, cause_id=call.caller.user_id)
        call.note(connection, "add_members", "segment", segment_id, {"profiles": changed})
        call.ring(connection, ENGINE)
    return ChangedMembers(changed=changed)


@router.post("/segments/{segment_id}/members/remove")
def remove_from_segment(segment_id: int, given: MembersOrder, call: Changing) -> ChangedMembers:
    """Take profiles out of a static segment."""
    with call.connection() as connection:
        ids = [parse_public_id(text) for text in given.profiles]
        changed = remove_members(
            connection, call.clock, segment_id, ids, cause=CAUSE_MANUAL, cause_id=call.caller.user_id
        )
        call.note(connection, "remove_members", "segment", segment_id, {"profiles": changed})
        call.ring(connection, ENGINE)
    return ChangedMembers(changed=changed)


_DAYS = """
SELECT to_char(h.at AT TIME ZONE (SELECT time_zone FROM account WHERE id = 1), 'YYYY-MM-DD'), count(*) FILTER (WHERE h.entered), count(*) FILTER (WHERE NOT h.entered)
  FROM segment_history h WHERE h.segment_id = %s AND h.at >= %s GROUP BY 1 ORDER BY 1
"""


@router.get("/segments/{segment_id}/days")
def list_days(segment_id: int, call: Reading, days: Annotated[int, Query(ge=1, le=366)] = 30) -> list[DayShape]:
    """Entries and exits by day."""
    with call.connection() as connection:
        get_segment(connection, segment_id)
        rows = connection.execute(_DAYS, (segment_id, call.clock.now() - timedelta(days=days))).fetchall()
    return [DayShape(day=day, entered=entered, left=left) for day, entered, left in rows]
