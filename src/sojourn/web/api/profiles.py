"""`/profiles`: people, their subscriptions, where they are and were in scenarios, and what was written to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from sojourn.kernel import parse_public_id, public_id
from sojourn.kernel.errors import Conflict, SojournError
from sojourn.kernel.statement import Bindings
from sojourn.kernel.wakeups import ENGINE
from sojourn.profiles import (
    Database,
    Options,
    Record,
    Subscription,
    SubscriptionInput,
    database,
    database_of,
    import_records,
    of_profile,
)
from sojourn.profiles.aliases import current_profile
from sojourn.profiles.statuses import CAUSE_MANUAL, CHANNEL_WORDS, STATUS_WORDS
from sojourn.scenarios import Catalogue, Passage, Step, palette, passages_of
from sojourn.scenarios.node_type import Category, Language, Tone
from sojourn.segments import RuleContext, check, predicate, resolve
from sojourn.segments.definitions import StoredSegments
from sojourn.web.api.call import Call, Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, Search, page_of, size
from sojourn.web.api.sent_messages import SentMessage, messages_of
from sojourn.web.installation import Connection
from sojourn.web.profile_rows import EVERYBODY, Filter, ProfileRow, get_row, list_rows

router = APIRouter(tags=["profiles"])
Before = Annotated[int | None, Query(ge=0, le=2**63 - 1, description="`next` of the page before.")]


class ProfileShape(BaseModel):
    """A profile in the list: its filled fields by name."""

    id: str
    database: int
    status: str | None
    created_at: datetime
    updated_at: datetime
    fields: dict[str, Any]


class SubscriptionShape(BaseModel):
    """A contact of a profile in a channel of a resource; `effective` is the status that senders obey."""

    id: int
    resource_id: int
    resource_name: str
    channel: str
    contact: str
    status: str
    effective: str
    preferred: bool
    priority: int
    created_at: datetime
    confirmed_at: datetime | None
    suspended_until: datetime | None
    cats: list[str] | None
    custom: dict[str, Any] | None
    deleted_at: datetime | None
    opted_in_at: datetime | None
    opt_in_ip: str | None
    opt_in_url: str | None
    confirm_ip: str | None
    consent: str | None


class FullProfile(ProfileShape):
    """A profile with its subscriptions and the titles of its fields."""

    database_name: str
    titles: dict[str, str]
    subscriptions: list[SubscriptionShape]


class SubscriptionOrder(BaseModel):
    """A subscription to give: channel and status are words."""

    resource_id: int
    channel: str = "email"
    contact: str
    status: str | None = None


class NewProfile(BaseModel):
    """A profile to make by hand."""

    database: int
    fields: dict[str, Any]
    subscriptions: Annotated[list[SubscriptionOrder], Field(max_length=100)] = []
    skip_triggers: bool = False


class StepShape(BaseModel):
    """A visit of a node, and the output by which it was left."""

    hop: int
    node_id: int
    title: str
    type: str
    output: str
    at: datetime
    detail: str | None = None
    type_title: str | None = None
    icon: str | None = None
    category: Category | None = None
    output_title: str | None = None
    output_tone: Tone | None = None


class PassageShape(BaseModel):
    """One entry into a scenario; `reason` is null while it lasts, then `node_id` is where the profile rests."""

    passage_id: int
    scenario_id: int
    scenario_name: str
    version_number: int
    entered_at: datetime
    ended_at: datetime | None
    reason: str | None
    failure: str | None
    node_id: int
    node_title: str
    due_at: datetime | None
    steps: list[StepShape]


class MessageShape(BaseModel):
    """A message planned for a profile, and what became of it."""

    passage_id: int
    hop: int
    channel: str
    template_name: str | None
    scenario_name: str | None
    contact: str | None
    state: str
    reason: str | None
    created_at: datetime
    handed_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    clicked_at: datetime | None


def _shape(base: Database, row: ProfileRow) -> ProfileShape:
    return ProfileShape(
        id=public_id(row.id),
        database=base.id,
        status=row.fields.get("_status"),
        created_at=row.created_at,
        updated_at=row.updated_at,
        fields=row.fields,
    )


def subscription_shape(found: Subscription) -> SubscriptionShape:
    """A subscription as the API tells it."""
    return SubscriptionShape(
        id=found.id, resource_id=found.resource_id, resource_name=found.resource_name, channel=CHANNEL_WORDS[found.channel], contact=found.contact,
        status=STATUS_WORDS[found.status], effective=STATUS_WORDS[found.effective], preferred=found.preferred, priority=found.priority,
        created_at=found.created_at, confirmed_at=found.confirmed_at, suspended_until=found.suspended_until, cats=found.cats, custom=found.custom,
        deleted_at=found.deleted_at, opted_in_at=found.opted_in_at, opt_in_ip=found.opt_in_ip, opt_in_url=found.opt_in_url, confirm_ip=found.confirm_ip,
        consent=found.consent,
    )  # fmt: skip


def full_profile(connection: Connection, profile_id: int) -> FullProfile:
    """A profile as the API tells it."""
    base = database(connection, database_of(connection, profile_id))
    row = get_row(connection, base, profile_id)
    return FullProfile(
        **_shape(base, row).model_dump(),
        database_name=base.name,
        titles={name: base.fields[name].title for name in row.fields},
        subscriptions=[subscription_shape(found) for found in of_profile(connection, profile_id)],
    )


@router.get("/profiles", name="list_profiles")
def list_all(
    call: Reading, database_id: Annotated[int, Query(alias="database")], search: Search = "", segment: int | None = None,
    rules: Annotated[str, Query(max_length=100_000, description="A tree of rules as JSON.")] = "", after: After = None, limit: Limit = 50,
) -> Page[ProfileShape]:  # fmt: skip
    """Profiles of a database, newest first; searched by id, address, phone, `field:value`, or a part of name, address or phone; narrowed by rules."""
    with call.connection() as connection:
        base = database(connection, database_id)
        narrowed = _filter(connection, call, base, rules, segment)
        found = list_rows(connection, base, search=search, filter=narrowed, before=after, limit=size(limit) + 1)
    return page_of(found, limit, lambda row: _shape(base, row), lambda row: row.id)


def _filter(connection: Connection, call: Call, base: Database, rules: str, segment: int | None) -> Filter:
    """Who of a database is shown."""
    if not rules and segment is None:
        return EVERYBODY
    try:
        tree = json.loads(rules) if rules else {"all": []}
    except ValueError as error:
        raise SojournError("bad_rules", f"This is not JSON: {error}.", "rules") from None
    if segment is not None:
        tree = {"all": [{"rule": "segment", "segment": segment}, *([tree] if rules else [])]}
    catalogue = Catalogue(connection)
    problems = check(tree, base, catalogue)
    if problems:
        raise SojournError("bad_rules", problems[0].message, problems[0].place, problems=problems)
    bindings = Bindings()
    moment = bindings.bind(call.clock.now(), "timestamptz")
    context = RuleContext(
        bindings, base, "q.lane", "q.id", None, moment, "q", mode="row", definitions=StoredSegments(connection)
    )
    return Filter(predicate(resolve(tree, catalogue), context).filter, bindings.values)


@router.get("/profiles/{profile_id}", name="get_profile")
def get_one(profile_id: str, call: Reading) -> FullProfile:
    """A profile with its subscriptions; of one that was merged, the survivor."""
    with call.connection() as connection:
        return full_profile(connection, known_profile(connection, profile_id))


@router.post("/profiles", status_code=201, name="create_profile")
def create(given: NewProfile, call: Changing) -> FullProfile:
    """Make a profile by hand; 409 if its e-mail address is another's."""
    subscriptions = [SubscriptionInput(s.resource_id, s.channel, s.contact, s.status) for s in given.subscriptions]
    options = Options(
        mode="create", matching="email_profile" if given.fields.get("email") else "none", cause=CAUSE_MANUAL, cause_id=call.caller.user_id,
        skip_triggers=given.skip_triggers, source="manual",
    )  # fmt: skip
    with call.connection() as connection:
        base = database(connection, given.database)
        outcome = import_records(connection, call.clock, base, [Record({}, given.fields, subscriptions)], options)[0]
        if outcome.problem or outcome.profile_id is None:
            problem = outcome.problem
            assert problem
            kind = Conflict if problem.code == "profile_exists" else SojournError
            raise kind(problem.code, problem.message, problem.place or ("email" if kind is Conflict else None))
        call.ring(connection, ENGINE)
        return full_profile(connection, outcome.profile_id)


@router.get("/profiles/{profile_id}/passages")
def list_profile_passages(
    profile_id: str, call: Reading, before: Before = None, language: Annotated[Language | None, Query()] = None, limit: Limit = 20
) -> Page[PassageShape]:  # fmt: skip
    """The passages of a profile through scenarios, newest first, each with its steps."""
    with call.connection() as connection:
        found = passages_of(connection, known_profile(connection, profile_id), before=before, limit=size(limit) + 1)
    types = {entry["type"]: entry for entry in palette(call.language(language))}
    return page_of(found, limit, lambda passage: _passage(passage, types), lambda passage: passage.passage_id)


def known_profile(connection: Connection, profile_id: str) -> int:
    """The number of a profile that a call names: of one that was merged, the survivor's.

    Raises:
        SojournError: `bad_profile_id`. NotFound: `unknown_profile`.
    """
    number = current_profile(connection, parse_public_id(profile_id))
    database_of(connection, number)
    return number


def _passage(passage: Passage, types: Mapping[str, dict[str, Any]]) -> PassageShape:
    return PassageShape(
        passage_id=passage.passage_id, scenario_id=passage.scenario_id, scenario_name=passage.scenario_name, version_number=passage.version_number,
        entered_at=passage.entered_at, ended_at=passage.ended_at, reason=passage.reason, failure=passage.failure, node_id=passage.node_id,
        node_title=passage.node_title, due_at=passage.due_at, steps=[_step(step, types.get(step.type, {})) for step in passage.steps],
    )  # fmt: skip


def _step(step: Step, kind: Mapping[str, Any]) -> StepShape:
    port: Mapping[str, Any] = next((port for port in kind.get("ports", ()) if port["id"] == step.output), {})
    return StepShape(
        hop=step.hop, node_id=step.node_id, title=step.title, type=step.type, output=step.output, at=step.at, detail=getattr(step, "detail", None),
        type_title=kind.get("title"), icon=kind.get("icon"), category=kind.get("category"), output_title=port.get("title"), output_tone=port.get("tone"),
    )  # fmt: skip


@router.get("/profiles/{profile_id}/messages")
def list_profile_messages(
    profile_id: str, call: Reading, before: Annotated[str, Query(max_length=50)] = "", limit: Limit = 20
) -> Page[MessageShape]:
    """Messages to a profile, newest first."""
    with call.connection() as connection:
        found = messages_of(
            connection, known_profile(connection, profile_id), before=before or None, limit=size(limit) + 1
        )
    return page_of(found, limit, _message, lambda message: message.place)


def _message(message: SentMessage) -> MessageShape:
    return MessageShape.model_validate(message, from_attributes=True)
