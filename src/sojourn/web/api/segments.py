"""`/segments`: segments and who is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from sojourn.kernel import parse_public_id, public_id
from sojourn.kernel.errors import Conflict, SojournError
from sojourn.kernel.tasks import get_task
from sojourn.kernel.wakeups import ENGINE
from sojourn.profiles import database
from sojourn.profiles.statuses import CAUSE_MANUAL
from sojourn.scenarios import Catalogue
from sojourn.scenarios.node_type import Language
from sojourn.segments import describe
from sojourn.segments.filling import question_of_segment
from sojourn.segments.members import list_days, list_members
from sojourn.segments.membership import add_members, note_size, remove_members, static_segment
from sojourn.segments.store import (
    Sample,
    Segment,
    SegmentDraft,
    archive_segment,
    change_segment,
    clone_segment,
    create_segment,
    get_segment,
    list_segments,
)
from sojourn.segments.tasks import FillArguments, running_calculation, start_calculation, start_filling
from sojourn.segments.usage import Usage, usage, usages
from sojourn.web.api.call import Call, Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, Search, page_of, size
from sojourn.web.api.segment_counts import FoundShape, QuestionShape, question_of
from sojourn.web.api.tasks import TaskShape, task_shape
from sojourn.web.installation import Connection
from sojourn.web.profile_rows import names_of

router = APIRouter(tags=["segments"])
_MOST_MEMBERS = 10_000
KindWord = Literal["static", "dynamic", "updatable"]


class UsageShape(BaseModel):
    """Something that refers to a segment: a scenario, a segment or a scheduled import (`import_plan`)."""

    kind: str
    id: int
    name: str


class CalculationShape(BaseModel):
    """A calculation that waits or runs; progress is counted in lanes, of which there are 64."""

    task_id: int
    done: int
    total: int | None


class SegmentShape(BaseModel):
    """A segment; `size` is that of `calculated_at`, kept up to date in between; `summary` is its rules in words; `error` why it failed at `failed_at`."""

    id: int
    name: str
    description: str
    database_id: int
    kind: KindWord
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
    failed_at: datetime | None
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    summary: str | None
    used_by: list[UsageShape]
    calculation: CalculationShape | None


class NewSegment(SegmentDraft):
    """A segment to make."""

    database_id: int
    kind: KindWord


class ChangedSegment(SegmentDraft):
    """A segment as it is to be; `revision` is the one that was edited."""

    revision: int


class ClonedSegment(BaseModel):
    """The name of the copy; without one it is called after the original."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, min_length=1, max_length=200)


class MemberShape(FoundShape):
    """Somebody in a segment."""

    entered_at: datetime


class MembersOrder(BaseModel):
    """Profiles to add or to take out."""

    model_config = ConfigDict(extra="forbid")

    profiles: Annotated[list[str], Field(max_length=_MOST_MEMBERS)]


class ChangedMembers(BaseModel):
    """How many it concerned."""

    changed: int


class FillOrder(BaseModel):
    """Who enters or leaves a static segment: who belongs to another segment, or who fits rules; give one of them."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["add", "remove"] = "add"
    segment_id: int | None = None
    rules: dict[str, Any] | None = None
    sample: Sample | None = None
    most: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _one(self) -> FillOrder:
        own = self.rules is not None or self.sample is not None or self.most is not None
        if (self.segment_id is not None) == own:
            raise ValueError("Give a segment, or rules, a sample or a limit")
        return self


class DayShape(BaseModel):
    """Entries and exits of a day of the account."""

    day: str
    entered: int
    left: int


def _shapes(
    connection: Connection, segments: Sequence[Segment], language: Language, used: Mapping[int, Sequence[Usage]]
) -> dict[int, SegmentShape]:
    catalogue = Catalogue(connection)
    plain = [name for name in SegmentShape.model_fields if name not in ("summary", "used_by", "calculation")]
    shapes = {}
    for segment in segments:
        summary = None
        if segment.rules:
            try:
                summary = describe(segment.rules, language, database(connection, segment.database_id), catalogue)
            except SojournError:
                summary = None  # what it names is gone
        running = running_calculation(connection, segment.id) if segment.kind == "updatable" else None
        shapes[segment.id] = SegmentShape(
            **{name: getattr(segment, name) for name in plain}, summary=summary, used_by=[_usage(one) for one in used.get(segment.id, ())],
            calculation=CalculationShape(task_id=running.id, done=running.done, total=running.total) if running else None,
        )  # fmt: skip
    return shapes


def _usage(one: Usage) -> UsageShape:
    return UsageShape(kind=one.kind, id=one.id, name=one.name)


def _one(connection: Connection, call: Call, segment: Segment, language: Language | None = None) -> SegmentShape:
    used = usages(connection, [segment.id])
    return _shapes(connection, [segment], call.language(language), used)[segment.id]


@router.get("/segments", name="list_segments")
def list_all(
    call: Reading, search: Search = "", database_id: Annotated[int | None, Query(alias="database")] = None,
    kind: Annotated[KindWord | None, Query()] = None, language: Annotated[Language | None, Query()] = None,
    after: After = None, limit: Limit = 50,
) -> Page[SegmentShape]:  # fmt: skip
    """Segments by number."""
    with call.connection() as connection:
        found = list_segments(
            connection, search=search, database_id=database_id, kind=kind, after=after or 0, limit=size(limit) + 1
        )
        used = usages(connection, [segment.id for segment in found])
        shapes = _shapes(connection, found, call.language(language), used)
    return page_of(found, limit, lambda segment: shapes[segment.id], lambda segment: segment.id)


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


@router.get("/segments/{segment_id}", name="get_segment")
def get_one(segment_id: int, call: Reading, language: Annotated[Language | None, Query()] = None) -> SegmentShape:
    """A segment."""
    with call.connection() as connection:
        return _one(connection, call, get_segment(connection, segment_id), language)


@router.put("/segments/{segment_id}", name="change_segment")
def change(segment_id: int, given: ChangedSegment, call: Changing) -> SegmentShape:
    """Change a segment; 409 if somebody else did so meanwhile. An updatable one is calculated anew if its people change."""
    draft = SegmentDraft.model_validate(given.model_dump(exclude={"revision"}))
    with call.connection() as connection, connection.transaction():
        changed = change_segment(connection, call.clock, segment_id, given.revision, draft, Catalogue(connection))
        if changed.kind == "updatable" and changed.next_at is not None and changed.next_at <= call.clock.now():
            start_calculation(connection, call.clock, segment_id)
        call.note(connection, "change", "segment", segment_id)
        return _one(connection, call, changed)


@router.delete("/segments/{segment_id}", status_code=204)
def delete_segment(segment_id: int, call: Changing) -> None:
    """Remove a segment that nothing refers to."""
    with call.connection() as connection:
        archive_segment(connection, call.clock, segment_id)
        call.note(connection, "delete", "segment", segment_id)


@router.post("/segments/{segment_id}/clone", status_code=201, name="clone_segment")
def clone(segment_id: int, given: ClonedSegment, call: Changing) -> SegmentShape:
    """Make another segment like this one. The list of a static one is copied in the background."""
    with call.connection() as connection, connection.transaction():
        made = clone_segment(connection, call.clock, segment_id, given.name, Catalogue(connection))
        if made.kind == "updatable":
            start_calculation(connection, call.clock, made.id)
        if made.kind == "static":
            start_filling(
                connection, call.clock, FillArguments(segment=made.id, action="add", source=segment_id, user_id=call.caller.user_id)
            )  # fmt: skip
        call.note(connection, "create", "segment", made.id, {"like": segment_id})
        return _one(connection, call, made)


@router.post("/segments/{segment_id}/calculate", status_code=202)
def calculate_segment(segment_id: int, call: Changing) -> TaskShape:
    """Calculate an updatable segment now, in the background."""
    with call.connection() as connection:
        if get_segment(connection, segment_id).kind != "updatable":
            raise Conflict("segment_not_updatable", "Only updatable segments are calculated.", "segment")
        call.note(connection, "calculate", "segment", segment_id)
        return task_shape(get_task(connection, start_calculation(connection, call.clock, segment_id)))


@router.get("/segments/{segment_id}/usage")
def list_usage(segment_id: int, call: Reading) -> list[UsageShape]:
    """What refers to a segment."""
    with call.connection() as connection:
        get_segment(connection, segment_id)
        return [_usage(one) for one in usage(connection, segment_id)]


@router.get("/segments/{segment_id}/members", name="list_members")
def list_in(
    segment_id: int, call: Reading, search: Search = "", after: After = None, limit: Limit = 50
) -> Page[MemberShape]:
    """Who is in a static or updatable segment."""
    with call.connection() as connection:
        base = database(connection, get_segment(connection, segment_id).database_id)
        found = list_members(connection, base, segment_id, search=search, after=after or 0, limit=size(limit) + 1)
        names = names_of(connection, base, [member.profile_id for member in found])
    shapes = {}
    for member in found:
        known = names.get(member.profile_id)
        shapes[member.profile_id] = MemberShape(
            id=public_id(member.profile_id), name=known.name if known else None, email=known.email if known else None,
            phone=known.phone if known else None, entered_at=member.entered_at,
        )  # fmt: skip
    return page_of(found, limit, lambda member: shapes[member.profile_id], lambda member: member.profile_id)


@router.post("/segments/{segment_id}/members")
def add_to_segment(segment_id: int, given: MembersOrder, call: Changing) -> ChangedMembers:
    """Add profiles to a static segment."""
    return _by_hand(segment_id, given, call, "add")


@router.post("/segments/{segment_id}/members/remove")
def remove_from_segment(segment_id: int, given: MembersOrder, call: Changing) -> ChangedMembers:
    """Take profiles out of a static segment."""
    return _by_hand(segment_id, given, call, "remove")


def _by_hand(segment_id: int, given: MembersOrder, call: Call, action: Literal["add", "remove"]) -> ChangedMembers:
    ids = [parse_public_id(text) for text in given.profiles]
    work = add_members if action == "add" else remove_members
    with call.connection() as connection:
        changed = work(connection, call.clock, segment_id, ids, cause=CAUSE_MANUAL, cause_id=call.caller.user_id)
        note_size(connection, call.clock, segment_id)
        call.note(connection, f"{action}_members", "segment", segment_id, {"profiles": changed})
        call.ring(connection, ENGINE)
    return ChangedMembers(changed=changed)


@router.post("/segments/{segment_id}/fill", status_code=202)
def fill_segment(segment_id: int, given: FillOrder, call: Changing) -> TaskShape:
    """Let everybody of another segment, or everybody who fits, enter or leave a static segment, in the background."""
    with call.connection() as connection:
        segment = static_segment(connection, segment_id)
        order = FillArguments(segment=segment_id, action=given.action, user_id=call.caller.user_id)
        if given.segment_id is not None:
            question_of_segment(connection, given.segment_id, segment.database_id)
            order = order.model_copy(update={"source": given.segment_id})
        else:
            asked = QuestionShape(
                database_id=segment.database_id, rules=given.rules, sample=given.sample, most=given.most
            )
            question = question_of(connection, asked)[1]
            update = {"rules": question.rules, "sample": question.sample, "most": question.most}
            order = order.model_copy(update=update)
        call.note(connection, f"{given.action}_members", "segment", segment_id, {"from": given.segment_id})
        return task_shape(get_task(connection, start_filling(connection, call.clock, order)))


@router.get("/segments/{segment_id}/days", name="list_days")
def list_by_day(segment_id: int, call: Reading, days: Annotated[int, Query(ge=1, le=366)] = 30) -> list[DayShape]:
    """Entries and exits by day, today included; days without any are left out."""
    with call.connection() as connection:
        get_segment(connection, segment_id)
        found = list_days(connection, segment_id, call.clock.now(), days)
    return [DayShape(day=one.day, entered=one.entered, left=one.left) for one in found]
