"""`/scenarios/{id}/edit-preview`, `/migrations`, `/passages`: edits with people inside, and single passages."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from sojourn.kernel.errors import NotFound
from sojourn.kernel.ids import parse_public_id
from sojourn.kernel.wakeups import ENGINE
from sojourn.scenarios import get_scenario
from sojourn.scenarios.clearing import move_on, remove_passage
from sojourn.scenarios.editing import preview_edit
from sojourn.scenarios.migrating import Migration, get_migration, list_migrations, undo_migration
from sojourn.web.api.call import Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, page_of, size
from sojourn.web.api.scenarios import LanguageQuery, ProblemShape

router = APIRouter(tags=["scenarios"])


class ChangeShape(BaseModel):
    """One difference between the published version and the draft, in words."""

    kind: Literal["added", "removed", "settings", "link", "scenario"]
    node_id: int | None
    text: str


class WaitingShape(BaseModel):
    """People who rest at a step of a version. `fate`: the step is in the draft as well (`moves`), or it is not (`gone`)."""

    version: int
    node_id: int
    title: str
    people: int
    due_in_hour: int
    due_in_day: int
    fate: Literal["moves", "gone"]


class TargetShape(BaseModel):
    """A step of the draft to which people can be sent."""

    id: int
    title: str


class EditPreviewShape(BaseModel):
    """What publishing the draft would mean for everybody inside."""

    changes: list[ChangeShape]
    waiting: list[WaitingShape]
    targets: list[TargetShape]
    problems: list[ProblemShape]


class MigrationShape(BaseModel):
    """People who were taken along to a version."""

    id: int
    version: int
    at: datetime
    moved: int
    taken_out: int
    undone_at: datetime | None


class PassageOrder(BaseModel):
    """Whose passage it is."""

    profile_id: str


@router.get("/scenarios/{scenario_id}/edit-preview")
def get_edit_preview(scenario_id: int, call: Reading, language: LanguageQuery = None) -> EditPreviewShape:
    """What the draft changes, who waits where, and what would become of them; nothing is done."""
    with call.connection() as connection:
        found = preview_edit(connection, call.clock, scenario_id, call.language(language))
    return EditPreviewShape(
        changes=[ChangeShape(kind=one.kind, node_id=one.node_id, text=one.text) for one in found.changes],
        waiting=[
            WaitingShape(
                version=one.version, node_id=one.node_id, title=one.title, people=one.people, due_in_hour=one.due_in_hour, due_in_day=one.due_in_day, fate=one.fate
            )
            for one in found.waiting
        ],
        targets=[TargetShape(id=number, title=title) for number, title in found.targets],
        problems=[ProblemShape.model_validate(problem.as_dict()) for problem in found.problems],
    )  # fmt: skip


def _shape(found: Migration) -> MigrationShape:
    return MigrationShape(
        id=found.id, version=found.version, at=found.at, moved=found.moved, taken_out=found.taken_out, undone_at=found.undone_at
    )  # fmt: skip


@router.get("/scenarios/{scenario_id}/migrations")
def list_all(scenario_id: int, call: Reading, after: After = None, limit: Limit = 20) -> Page[MigrationShape]:
    """Batches of people who were taken along to a new version, newest first."""
    with call.connection() as connection:
        get_scenario(connection, scenario_id)
        found = list_migrations(connection, scenario_id, before=after, limit=size(limit) + 1)
    return page_of(found, limit, _shape, lambda one: one.id)


@router.post("/scenarios/{scenario_id}/migrations/{migration_id}/undo")
def undo(scenario_id: int, migration_id: int, call: Changing) -> MigrationShape:
    """Put everybody of a batch back to where he stood; 409 `gone_on` if somebody has made a step since."""
    with call.connection() as connection:
        if get_migration(connection, migration_id).scenario_id != scenario_id:
            raise NotFound("unknown_migration", f"This scenario has no migration {migration_id}.", "id")
        done = undo_migration(connection, call.clock, migration_id)
        call.note(connection, "undo_migration", "scenario", scenario_id, {"migration": migration_id})
        call.ring(connection, ENGINE)
    return _shape(done)


@router.post("/scenarios/{scenario_id}/passages/{passage_id}/move-on", status_code=204)
def let_on(scenario_id: int, passage_id: int, given: PassageOrder, call: Changing) -> None:
    """Let somebody go on at once from where he rests."""
    profile_id = parse_public_id(given.profile_id)
    with call.connection() as connection:
        if not move_on(connection, call.clock, scenario_id, profile_id, passage_id):
            raise NotFound("unknown_passage", "This profile is not inside any more.", "passage_id")
        call.note(connection, "move_on", "scenario", scenario_id, {"profile": given.profile_id, "passage": passage_id})
        call.ring(connection, ENGINE)


@router.post("/scenarios/{scenario_id}/passages/{passage_id}/remove", status_code=204)
def take_out(scenario_id: int, passage_id: int, given: PassageOrder, call: Changing) -> None:
    """Take somebody out; what is planned for him is cancelled."""
    profile_id = parse_public_id(given.profile_id)
    with call.connection() as connection:
        if not remove_passage(connection, call.clock, scenario_id, profile_id, passage_id):
            raise NotFound("unknown_passage", "This profile is not inside any more.", "passage_id")
        call.note(connection, "take_out", "scenario", scenario_id, {"profile": given.profile_id, "passage": passage_id})
