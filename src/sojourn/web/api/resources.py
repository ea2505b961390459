"""`/resources`: what people subscribe to, with its categories and the own fields of its subscriptions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from sojourn.kernel.errors import Conflict
from sojourn.kernel.tasks import create_task, get_task, open_task
from sojourn.profiles import Resource, create_resource, database, list_resources, resource
from sojourn.profiles.categories import Category, CategoryDraft, categories_of, set_categories
from sojourn.profiles.resource_fields import SubscriptionField, set_fields
from sojourn.profiles.resources import archive_resource, change_resource, channel_number
from sojourn.profiles.statuses import CHANNEL_WORDS
from sojourn.profiles.suspending import SUSPEND
from sojourn.scenarios.resource_uses import scenarios_with_resource
from sojourn.web.api.call import Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, page_of, size
from sojourn.web.api.tasks import TaskShape, task_shape
from sojourn.web.installation import Connection

router = APIRouter(tags=["profiles"])


class ResourceShape(BaseModel):
    """A resource; without `database_ids` it is open to all databases. An archived one takes no new subscribers."""

    id: int
    name: str
    description: str
    channels: list[str]
    database_ids: list[int]
    url: str | None
    from_name: str | None
    from_email: str | None
    reply_to: str | None
    consent: str
    archived_at: datetime | None


class CategoryShape(BaseModel):
    """A part of what a resource sends; a hidden one is not shown to recipients."""

    model_config = ConfigDict(extra="forbid")

    id: int | None = None
    name: Annotated[str, Field(max_length=100)]
    title: Annotated[str, Field(max_length=500)]
    description: Annotated[str, Field(max_length=2_000)] = ""
    hidden: bool = False


class SubscriptionFieldShape(BaseModel):
    """An own field of the subscriptions of one channel."""

    model_config = ConfigDict(extra="forbid")

    channel: Annotated[str, Field(max_length=50)]
    name: Annotated[str, Field(max_length=100)]
    title: Annotated[str, Field(max_length=500)]
    type: Annotated[str, Field(max_length=50)]
    options: Annotated[list[str], Field(max_length=1_000)] = []
    required: bool = False


class ResourceUseShape(BaseModel):
    """A scenario that sends to the subscribers of a resource, or asks about them."""

    id: int
    name: str
    active: bool


class FullResource(ResourceShape):
    """A resource with everything that belongs to it."""

    categories: list[CategoryShape]
    fields: list[SubscriptionFieldShape]
    scenarios: list[ResourceUseShape]


class NewResource(BaseModel):
    """A resource as it is to be; channels are words such as `email`. `consent`: what people read and agree to where they confirm."""

    name: Annotated[str, Field(max_length=200)]
    description: Annotated[str, Field(max_length=10_000)] = ""
    channels: Annotated[list[str], Field(max_length=20)] = ["email"]
    database_ids: Annotated[list[int], Field(max_length=1_000)] = []
    url: Annotated[str, Field(max_length=2_000)] | None = None
    from_name: Annotated[str, Field(max_length=200)] | None = None
    from_email: Annotated[str, Field(max_length=254)] | None = None
    reply_to: Annotated[str, Field(max_length=254)] | None = None
    consent: Annotated[str, Field(max_length=20_000)] = ""


class CategoriesOrder(BaseModel):
    """All categories of a resource in their order; those with an `id` exist and are kept."""

    categories: Annotated[list[CategoryShape], Field(max_length=1_000)]


class SubscriptionFieldsOrder(BaseModel):
    """All own fields of a resource's subscriptions."""

    fields: Annotated[list[SubscriptionFieldShape], Field(max_length=1_000)]


class ArchiveOrder(BaseModel):
    """Whether a resource is put away."""

    archived: bool


class SuspensionOrder(BaseModel):
    """Whose subscriptions are suspended, or with `resume` come back: those of a database, of one channel or resource if given."""

    model_config = ConfigDict(extra="forbid")

    channel: str | None = None
    resource_id: int | None = None
    resume: bool = False


def _shape(found: Resource) -> ResourceShape:
    return ResourceShape(
        id=found.id, name=found.name, description=found.description, channels=[CHANNEL_WORDS[channel] for channel in found.channels],
        database_ids=list(found.database_ids), url=found.url, from_name=found.from_name, from_email=found.from_email, reply_to=found.reply_to,
        consent=found.consent, archived_at=found.archived_at,
    )  # fmt: skip


def _category(found: Category) -> CategoryShape:
    return CategoryShape(
        id=found.id, name=found.name, title=found.title, description=found.description, hidden=found.hidden
    )


def _field(found: SubscriptionField) -> SubscriptionFieldShape:
    return SubscriptionFieldShape(
        channel=CHANNEL_WORDS[found.channel], name=found.name, title=found.title, type=found.type, options=list(found.options),
        required=found.required,
    )  # fmt: skip


def _full(connection: Connection, found: Resource) -> FullResource:
    uses = scenarios_with_resource(connection, found.id, found.name)
    return FullResource(
        **_shape(found).model_dump(),
        categories=[_category(one) for one in categories_of(connection, found.id)],
        fields=[_field(one) for one in found.fields],
        scenarios=[ResourceUseShape(id=use.id, name=use.name, active=use.active) for use in uses],
    )


@router.get("/resources", name="list_resources")
def list_all(
    call: Reading, database_id: int | None = None, archived: bool = False, after: After = None, limit: Limit = 100
) -> Page[ResourceShape]:
    """Resources, of one database if asked."""
    with call.connection() as connection:
        found = list_resources(
            connection, after=after or 0, limit=size(limit) + 1, database_id=database_id, archived=archived
        )
    return page_of(found, limit, _shape, lambda resource: resource.id)


@router.get("/resources/{resource_id}", name="get_resource")
def get_one(resource_id: int, call: Reading) -> FullResource:
    """A resource with its categories, fields and scenarios."""
    with call.connection() as connection:
        return _full(connection, resource(connection, resource_id))


@router.post("/resources", status_code=201, name="create_resource")
def create(given: NewResource, call: Changing) -> ResourceShape:
    """Make a resource."""
    with call.connection() as connection, connection.transaction():
        made = create_resource(connection, call.clock, **given.model_dump())
        call.note(connection, "create", "resource", made.id, {"name": made.name})
    return _shape(made)


@router.put("/resources/{resource_id}", name="change_resource")
def change(resource_id: int, given: NewResource, call: Changing) -> FullResource:
    """Change a resource."""
    with call.connection() as connection, connection.transaction():
        changed = change_resource(connection, call.clock, resource_id, **given.model_dump())
        call.note(connection, "change", "resource", resource_id, given.model_dump(exclude_none=True))
        return _full(connection, changed)


@router.post("/resources/{resource_id}/archive", name="archive_resource")
def archive(resource_id: int, given: ArchiveOrder, call: Changing) -> ResourceShape:
    """Put a resource away, or take it back. One that active scenarios write to stays."""
    with call.connection() as connection, connection.transaction():
        found = resource(connection, resource_id)
        active = [use.name for use in scenarios_with_resource(connection, found.id, found.name) if use.active]
        if given.archived and active:
            raise Conflict(
                "resource_in_use", f"Active scenarios use “{found.name}”: {', '.join(active[:5])}.", "resource_id"
            )
        changed = archive_resource(connection, call.clock, resource_id, given.archived)
        call.note(connection, "archive" if given.archived else "restore", "resource", resource_id)
    return _shape(changed)


@router.post("/resources/{resource_id}/copy", status_code=201, name="copy_resource")
def copy(resource_id: int, call: Changing) -> ResourceShape:
    """Make another resource like this one, with its categories and fields and without its subscribers."""
    with call.connection() as connection, connection.transaction():
        found = resource(connection, resource_id)
        made = create_resource(connection, call.clock, **_again(found), name=_free_name(connection, found.name))
        set_categories(
            connection, made.id, [_draft(_category(one), known=False) for one in categories_of(connection, found.id)]
        )
        set_fields(connection, made.id, found.fields)
        call.note(connection, "create", "resource", made.id, {"name": made.name, "like": found.id})
    return _shape(made)


def _again(found: Resource) -> dict[str, Any]:
    return {
        "channels": found.channels, "database_ids": found.database_ids, "description": found.description, "url": found.url, "from_name": found.from_name,
        "from_email": found.from_email, "reply_to": found.reply_to, "consent": found.consent, "group_ids": found.group_ids,
    }  # fmt: skip


def _free_name(connection: Connection, name: str) -> str:
    base = name[:190]
    row = connection.execute(
        "SELECT n FROM generate_series(2, 10000) n WHERE NOT EXISTS (SELECT FROM resource WHERE account_id = 1 AND name = %s || ' ' || n) LIMIT 1",
        (base,),
    ).fetchone()
    assert row
    return f"{base} {row[0]}"


@router.put("/resources/{resource_id}/categories", name="set_categories")
def put_categories(resource_id: int, given: CategoriesOrder, call: Changing) -> FullResource:
    """Say which categories a resource has."""
    with call.connection() as connection, connection.transaction():
        set_categories(connection, resource_id, [_draft(one) for one in given.categories])
        call.note(connection, "change_categories", "resource", resource_id, given.model_dump())
        return _full(connection, resource(connection, resource_id))


def _draft(one: CategoryShape, *, known: bool = True) -> CategoryDraft:
    return CategoryDraft(one.name, one.title, one.description, one.hidden, one.id if known else None)


@router.put("/resources/{resource_id}/fields", name="set_subscription_fields")
def put_fields(resource_id: int, given: SubscriptionFieldsOrder, call: Changing) -> FullResource:
    """Say which own fields the subscriptions of a resource have."""
    with call.connection() as connection, connection.transaction():
        wanted = [
            SubscriptionField(channel_number(one.channel), one.name, one.title, one.type, tuple(one.options), one.required)
            for one in given.fields
        ]  # fmt: skip
        set_fields(connection, resource_id, wanted)
        call.note(connection, "change_fields", "resource", resource_id, given.model_dump())
        return _full(connection, resource(connection, resource_id))


@router.post("/databases/{database_id}/suspension", status_code=202, name="suspend_subscriptions")
def suspend(database_id: int, given: SuspensionOrder, call: Changing) -> TaskShape:
    """Suspend everybody in a database, or let them come back, in the background."""
    with call.connection() as connection, connection.transaction():
        base = database(connection, database_id)
        if given.channel is not None:
            channel_number(given.channel)
        if given.resource_id is not None:
            resource(connection, given.resource_id)
        if open_task(connection, SUSPEND, {"database": base.id}):
            raise Conflict("task_running", "Subscriptions of this database are being changed already.", "database")
        arguments = {
            "database": base.id, "channel": given.channel, "resource": given.resource_id, "resume": given.resume, "user": call.caller.user_id,
        }  # fmt: skip
        call.note(connection, "resume" if given.resume else "suspend", "database", base.id, given.model_dump())
        return task_shape(get_task(connection, create_task(connection, call.clock, SUSPEND, base.name, arguments)))
