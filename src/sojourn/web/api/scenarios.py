"""`/scenarios`: drafts, publishing, running."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel

from sojourn.kernel import parse_public_id
from sojourn.kernel.errors import NotFound
from sojourn.kernel.wakeups import ENGINE
from sojourn.profiles import database_of
from sojourn.scenarios import (
    Scenario,
    ScenarioDocument,
    activate,
    check_document,
    create_scenario,
    describe_document,
    get_scenario,
    list_scenarios,
    overview,
    publish,
    save_draft,
    stop,
)
from sojourn.scenarios.editing import needed_doors, preview_edit
from sojourn.scenarios.migrating import check_moves, migrate
from sojourn.scenarios.node_type import Category, Language, Tone
from sojourn.triggers import enter
from sojourn.web.api.call import Call, Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, Search, page_of, size
from sojourn.web.installation import Connection

router = APIRouter(tags=["scenarios"])
LanguageQuery = Annotated[Language | None, Query(description="Language of texts; the user's own if not given.")]


class ProblemShape(BaseModel):
    """What keeps a scenario from being published; `place` names node and setting."""

    code: str
    message: str
    place: str | None = None


class PortShape(BaseModel):
    """An output of a node."""

    id: str
    title: str
    tone: Tone
    optional: bool
    linkable: bool


class NodeDescription(BaseModel):
    """What the canvas draws of a node beyond its document."""

    type_title: str
    icon: str
    category: Category
    ports: list[PortShape]
    summary: list[str]
    problems: list[ProblemShape]


class ScenarioRow(BaseModel):
    """A scenario in the list."""

    id: int
    name: str
    database_id: int
    database_name: str
    active: bool
    revision: int
    changed: bool
    published_number: int | None
    published_at: datetime | None
    updated_at: datetime
    entered: int
    inside: int


class ScenarioShape(BaseModel):
    """A scenario with its draft, the description of its nodes, and what is wrong with it."""

    id: int
    name: str
    database_id: int
    database_name: str
    active: bool
    revision: int
    changed: bool
    published_number: int | None
    published_at: datetime | None
    created_at: datetime
    updated_at: datetime
    document: ScenarioDocument
    described: dict[int, NodeDescription]
    problems: list[ProblemShape]


class DraftSave(BaseModel):
    """A draft, and the revision it was made from."""

    revision: int
    document: dict[str, Any]


class PublishOrder(BaseModel):
    """`accept_sandbox`: it is known that messages would go to the built-in mailbox.

    `take_along`: people inside of older versions go on by the new one. `moves`: where those of removed steps go, by the step's number: another
    step, `exit`, or `stay`; who is not told of finishes on his own version.
    """

    accept_sandbox: bool = False
    take_along: bool = False
    moves: dict[int, int | Literal["exit", "stay"]] = {}


class StateOrder(BaseModel):
    """`clear`: whoever is inside is taken out."""

    clear: bool = False


class ProfileEntry(BaseModel):
    """A profile to send in; `context` is what templates and filters see as `api`."""

    profile_id: str
    context: dict[str, Any] | None = None


class EntryShape(BaseModel):
    """How many stand at the door now; whether they get in is decided by the scenario's re-entry."""

    captured: int


def _shape(call: Call, connection: Connection, scenario: Scenario, language: Language | None) -> ScenarioShape:
    found = scenario
    return ScenarioShape(
        id=found.id, name=found.name, database_id=found.database_id, database_name=found.database_name, active=found.active, revision=found.revision,
        changed=found.changed, published_number=found.published_number, published_at=found.published_at, created_at=found.created_at,
        updated_at=found.updated_at, document=found.document,
        described={
            node: NodeDescription.model_validate(text)
            for node, text in describe_document(connection, found.document, call.language(language)).items()
        },
        problems=[ProblemShape.model_validate(problem.as_dict()) for problem in check_document(connection, found.document)],
    )  # fmt: skip


@router.get("/scenarios", name="list_scenarios")
def list_all(call: Reading, search: Search = "", after: After = None, limit: Limit = 50) -> Page[ScenarioRow]:
    """Scenarios, oldest first."""
    with call.connection() as connection:
        found = list_scenarios(connection, search=search.strip() or None, after=after or 0, limit=size(limit) + 1)

        def row(scenario: Scenario) -> ScenarioRow:
            figures = overview(connection, scenario.id)
            return ScenarioRow(
                id=scenario.id, name=scenario.name, database_id=scenario.database_id, database_name=scenario.database_name, active=scenario.active,
                revision=scenario.revision, changed=scenario.changed, published_number=scenario.published_number, published_at=scenario.published_at,
                updated_at=scenario.updated_at, entered=figures.entered, inside=figures.inside,
            )  # fmt: skip

        return page_of(found, limit, row, lambda scenario: scenario.id)


@router.post("/scenarios", status_code=201, name="create_scenario")
def create(
    call: Changing, document: Annotated[dict[str, Any], Body()], language: LanguageQuery = None
) -> ScenarioShape:
    """A new scenario from a document; name and database suffice."""
    with call.connection() as connection:
        with connection.transaction():
            made = create_scenario(connection, call.clock, document)
            call.note(connection, "create", "scenario", made.id, {"name": made.name})
        return _shape(call, connection, made, language)


@router.get("/scenarios/{scenario_id}", name="get_scenario")
def get_one(scenario_id: int, call: Reading, language: LanguageQuery = None) -> ScenarioShape:
    """A scenario with its draft."""
    with call.connection() as connection:
        return _shape(call, connection, get_scenario(connection, scenario_id), language)


@router.put("/scenarios/{scenario_id}", name="save_scenario")
def save(scenario_id: int, given: DraftSave, call: Changing, language: LanguageQuery = None) -> ScenarioShape:
    """Save the draft; 409 `stale_revision` if somebody else has saved meanwhile."""
    with call.connection() as connection:
        saved = save_draft(connection, call.clock, scenario_id, given.revision, given.document)
        return _shape(call, connection, saved, language)


@router.post("/scenarios/{scenario_id}/publish", name="publish_scenario")
def publish_draft(
    scenario_id: int, call: Changing, given: PublishOrder | None = None, language: LanguageQuery = None
) -> ScenarioShape:
    """Make the draft the version that new entrants take; 400 `not_ready` with all problems, 409 `sandbox` if that has to be accepted."""
    order = given or PublishOrder()
    with call.connection() as connection:
        doors: list[int] = []
        if order.take_along:
            preview = preview_edit(connection, call.clock, scenario_id, call.language(language))
            check_moves(preview.waiting, order.moves, get_scenario(connection, scenario_id).document)
            doors = needed_doors(preview.waiting, order.moves)
        with connection.transaction():
            done = publish(
                connection,
                call.clock,
                scenario_id,
                settings=call.settings,
                user_id=call.caller.user_id,
                accept_sandbox=order.accept_sandbox,
                doors=doors,
            )
            call.note(connection, "publish", "scenario", scenario_id, {"version": done.published_number})
        if order.take_along and done.published_version_id is not None:
            version, user = done.published_version_id, call.caller.user_id
            moved = migrate(connection, call.clock, scenario_id, version, order.moves, user_id=user)
            told = {"migration": moved.id, "moved": moved.moved, "taken_out": moved.taken_out}
            call.note(connection, "take_along", "scenario", scenario_id, told)
        call.ring(connection, ENGINE)
        return _shape(call, connection, done, language)


@router.post("/scenarios/{scenario_id}/activate", name="activate_scenario")
def start(
    scenario_id: int, call: Changing, given: StateOrder | None = None, language: LanguageQuery = None
) -> ScenarioShape:
    """Let profiles in and on from now on."""
    order = given or StateOrder()
    with call.connection() as connection:
        done = activate(connection, call.clock, scenario_id, clear=order.clear)
        call.note(connection, "activate", "scenario", scenario_id, {"clear": order.clear})
        call.ring(connection, ENGINE)
        return _shape(call, connection, done, language)


@router.post("/scenarios/{scenario_id}/stop", name="stop_scenario")
def halt(
    scenario_id: int, call: Changing, given: StateOrder | None = None, language: LanguageQuery = None
) -> ScenarioShape:
    """Let nobody in or on; who is inside keeps his place unless `clear` takes everybody out."""
    order = given or StateOrder()
    with call.connection() as connection:
        done = stop(connection, call.clock, scenario_id, clear=order.clear)
        call.note(connection, "stop", "scenario", scenario_id, {"clear": order.clear})
        call.ring(connection, ENGINE)
        return _shape(call, connection, done, language)


@router.post("/scenarios/{scenario_id}/profiles", status_code=202, name="enter_scenario")
def send_in(scenario_id: int, given: ProfileEntry, call: Changing) -> EntryShape:
    """Send a profile in by hand, through the default start."""
    profile_id = parse_public_id(given.profile_id)
    with call.connection() as connection:
        scenario = get_scenario(connection, scenario_id)
        if database_of(connection, profile_id) != scenario.database_id:
            raise NotFound(
                "unknown_profile",
                f"The database of this scenario, “{scenario.database_name}”, has no such profile.",
                "profile_id",
            )
        captured = enter(connection, call.clock, scenario_id, [profile_id], context=given.context)
        call.ring(connection, ENGINE)
    return EntryShape(captured=captured)
