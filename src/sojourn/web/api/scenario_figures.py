"""Statistics of a scenario, now and as they change, and who is inside."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from sojourn.kernel import public_id
from sojourn.profiles import database
from sojourn.scenarios import Person, get_scenario, people_at, statistics
from sojourn.scenarios.nodes import node_types
from sojourn.scenarios.statistics import MessageFigures, NodeFigures
from sojourn.web.api.call import Reading
from sojourn.web.api.pages import After, Limit, Page, page_of, size
from sojourn.web.events_stream import Reading as StreamReading
from sojourn.web.events_stream import event_stream
from sojourn.web.installation import Connection
from sojourn.web.profile_rows import Names, names_of

router = APIRouter(tags=["scenarios"])
From = Annotated[
    AwareDatetime | None, Query(alias="from", description="Begin of the period; figures are kept by the hour, UTC.")
]
To = Annotated[AwareDatetime | None, Query(description="End of the period, itself outside.")]


class MessageShape(BaseModel):
    """Messages planned in the period; `waiting` are not handed over yet, `opened` and `clicked` count people."""

    waiting: int
    sent: int
    opened: int
    clicked: int
    not_sent: int
    in_doubt: int


class NodeShape(BaseModel):
    """Visits of a node; `inside` is now, `outputs` counts visits by output."""

    entered: int
    inside: int
    outputs: dict[str, int]
    failed: int
    messages: MessageShape | None


class LinkShape(BaseModel):
    """How often a link was taken."""

    node: int
    port: str
    target: int
    n: int


class TotalsShape(BaseModel):
    """The scenario as a whole."""

    entered: int
    inside: int
    completed: int
    failed: int
    removed: int
    restarted: int
    capped: int
    exited: int


class StatisticsShape(BaseModel):
    """All figures of a period."""

    totals: TotalsShape
    nodes: dict[int, NodeShape]
    links: list[LinkShape]


class PersonShape(BaseModel):
    """Somebody who rests at a node, until `due_at` if that is known."""

    profile_id: str
    passage_id: int
    entered_at: datetime
    due_at: datetime | None
    name: str | None
    email: str | None
    phone: str | None


def _messages(figures: NodeFigures) -> MessageShape:
    told = figures.messages or MessageFigures()
    planned = figures.entered - figures.failed
    waiting = max(0, planned - told.sent - told.not_sent - told.in_doubt)
    return MessageShape(
        waiting=waiting,
        sent=told.sent,
        opened=told.opened,
        clicked=told.clicked,
        not_sent=told.not_sent,
        in_doubt=told.in_doubt,
    )


def _figures(connection: Connection, scenario_id: int, from_: datetime | None, to: datetime | None) -> StatisticsShape:
    nodes = get_scenario(connection, scenario_id).document.nodes
    channels = {
        node.id for node in nodes if node.type in node_types() and node_types()[node.type].category == "channel"
    }
    found = statistics(connection, scenario_id, from_, to)
    return StatisticsShape(
        totals=TotalsShape.model_validate(found.totals, from_attributes=True),
        nodes={
            node: NodeShape(
                entered=figures.entered,
                inside=figures.inside,
                outputs=figures.outputs,
                failed=figures.failed,
                messages=_messages(figures) if figures.messages or node in channels else None,
            )
            for node, figures in found.nodes.items()
        },
        links=[LinkShape.model_validate(link, from_attributes=True) for link in found.links],
    )


@router.get("/scenarios/{scenario_id}/statistics")
def get_statistics(scenario_id: int, call: Reading, from_: From = None, to: To = None) -> StatisticsShape:
    """Figures of a period; of all time if none is given."""
    with call.connection() as connection:
        return _figures(connection, scenario_id, from_, to)


@router.get(
    "/scenarios/{scenario_id}/statistics/stream",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "Events `statistics`, each with all figures."}
    },
)
async def stream_statistics(scenario_id: int, call: Reading, from_: From = None, to: To = None) -> StreamingResponse:
    """The same as server-sent events: at once, and about a second after each change."""

    def read(connection: Connection) -> StreamReading:
        return _figures(connection, scenario_id, from_, to).model_dump_json().encode(), False

    def check() -> None:
        with call.connection() as connection:
            get_scenario(connection, scenario_id)

    await run_in_threadpool(check)
    return event_stream(call.installation, "statistics", read)


@router.get("/scenarios/{scenario_id}/nodes/{node_id}/profiles")
def list_people_at(
    scenario_id: int, node_id: int, call: Reading, after: After = None, limit: Limit = 50
) -> Page[PersonShape]:
    """Who rests at a node now, first come first."""
    with call.connection() as connection:
        scenario = get_scenario(connection, scenario_id)
        found = people_at(connection, scenario_id, node_id, after=after or 0, limit=size(limit) + 1)
        names = names_of(
            connection, database(connection, scenario.database_id), [person.profile_id for person in found]
        )

    def person(one: Person) -> PersonShape:
        known: Any = names.get(one.profile_id, Names(None, None, None))
        return PersonShape(
            profile_id=public_id(one.profile_id), passage_id=one.passage_id, entered_at=one.entered_at, due_at=one.due_at, name=known.name,
            email=known.email, phone=known.phone,
        )  # fmt: skip

    return page_of(found, limit, person, lambda one: one.passage_id)
