"""`/resources`: what people subscribe to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from sojourn.profiles import Resource, create_resource, list_resources
from sojourn.profiles.statuses import CHANNEL_WORDS
from sojourn.web.api.call import Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, page_of, size

router = APIRouter(tags=["profiles"])


class ResourceShape(BaseModel):
    """A resource; without `database_ids` it is open to all databases."""

    id: int
    name: str
    description: str
    channels: list[str]
    database_ids: list[int]
    url: str | None
    from_name: str | None
    from_email: str | None
    reply_to: str | None


class NewResource(BaseModel):
    """A resource to make; channels are words such as `email`."""

    name: Annotated[str, Field(max_length=200)]
    description: Annotated[str, Field(max_length=10_000)] = ""
    channels: Annotated[list[str], Field(max_length=20)] = ["email"]
    database_ids: Annotated[list[int], Field(max_length=1_000)] = []
    url: Annotated[str, Field(max_length=2_000)] | None = None
    from_name: Annotated[str, Field(max_length=200)] | None = None
    from_email: Annotated[str, Field(max_length=254)] | None = None
    reply_to: Annotated[str, Field(max_length=254)] | None = None


def _shape(found: Resource) -> ResourceShape:
    return ResourceShape(
        id=found.id, name=found.name, description=found.description, channels=[CHANNEL_WORDS[channel] for channel in found.channels],
        database_ids=list(found.database_ids), url=found.url, from_name=found.from_name, from_email=found.from_email, reply_to=found.reply_to,
    )  # fmt: skip


@router.get("/resources", name="list_resources")
def list_all(
    call: Reading, database_id: int | None = None, after: After = None, limit: Limit = 100
) -> Page[ResourceShape]:
    """Resources, of one database if asked."""
    with call.connection() as connection:
        found = list_resources(connection, after=after or 0, limit=size(limit) + 1, database_id=database_id)
    return page_of(found, limit, _shape, lambda resource: resource.id)


@router.post("/resources", status_code=201, name="create_resource")
def create(given: NewResource, call: Changing) -> ResourceShape:
    """Make a resource."""
    with call.connection() as connection, connection.transaction():
        made = create_resource(
            connection, call.clock, given.name, channels=given.channels, database_ids=given.database_ids, description=given.description, url=given.url,
            from_name=given.from_name, from_email=given.from_email, reply_to=given.reply_to,
        )  # fmt: skip
        call.note(connection, "create", "resource", made.id, {"name": made.name})
    return _shape(made)
