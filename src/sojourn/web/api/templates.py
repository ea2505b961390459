"""`/templates`: letters and text messages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from sojourn.profiles.resources import channel_number
from sojourn.profiles.statuses import CHANNEL_WORDS
from sojourn.templates import Template, TemplateContent, TemplateSummary, get, list_templates, save_template
from sojourn.web.api.call import Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, Search, page_of, size

router = APIRouter(tags=["templates"])
Text = Annotated[str, Field(max_length=2_000_000)]


class TemplateRow(BaseModel):
    """A template without its texts."""

    id: int
    name: str
    channel: str
    confirmation: bool
    version: int
    created_at: datetime
    updated_at: datetime
    subject: str | None


class ContentShape(BaseModel):
    """What an author gives: e-mail has a subject and HTML or MJML, SMS a text; all are Liquid."""

    subject: Text | None = None
    html: Text | None = None
    mjml: Text | None = None
    text: Text | None = None
    from_name: Text | None = None
    from_email: Text | None = None
    reply_to: Text | None = None


class TemplateShape(BaseModel):
    """A template with the content of its current version."""

    id: int
    name: str
    channel: str
    confirmation: bool
    version: int
    created_at: datetime
    content: ContentShape


class TemplateSave(BaseModel):
    """A template to make, or a new version of the one with this name; `channel` is a word such as `email`."""

    name: Annotated[str, Field(max_length=200)]
    channel: str
    content: ContentShape
    confirmation: bool = False


def _row(found: TemplateSummary) -> TemplateRow:
    return TemplateRow(
        id=found.id, name=found.name, channel=CHANNEL_WORDS[found.channel], confirmation=found.confirmation, version=found.current_version,
        created_at=found.created_at, updated_at=found.updated_at, subject=found.subject,
    )  # fmt: skip


def _shape(found: Template) -> TemplateShape:
    return TemplateShape(
        id=found.id, name=found.name, channel=CHANNEL_WORDS[found.channel], confirmation=found.confirmation, version=found.version,
        created_at=found.created_at, content=ContentShape.model_validate(found.content, from_attributes=True),
    )  # fmt: skip


@router.get("/templates", name="list_templates")
def list_all(
    call: Reading, channel: str | None = None, search: Search = "", after: After = None, limit: Limit = 100
) -> Page[TemplateRow]:
    """Templates, of one channel if asked."""
    number = channel_number(channel) if channel else None
    with call.connection() as connection:
        # One page is 200 at most down there too: the item behind a full page is asked for by itself.
        found = list_templates(connection, channel=number, search=search, after=after or 0, limit=size(limit))
        if len(found) == size(limit):
            found += list_templates(connection, channel=number, search=search, after=found[-1].id, limit=1)
    return page_of(found, limit, _row, lambda template: template.id)


@router.get("/templates/{template_id}", name="get_template")
def get_one(template_id: int, call: Reading) -> TemplateShape:
    """A template with its texts."""
    with call.connection() as connection:
        return _shape(get(connection, template_id))


@router.post("/templates", status_code=201, name="save_template")
def save(given: TemplateSave, call: Changing) -> TemplateShape:
    """Make a template, or a new version of the one with this name; 400 `template_invalid` tells line and column of each problem."""
    content = TemplateContent(**given.content.model_dump())
    with call.connection() as connection, connection.transaction():
        template_id, version = save_template(
            connection, call.clock, given.name, channel_number(given.channel), content, confirmation=given.confirmation
        )
        call.note(connection, "save", "template", template_id, {"name": given.name, "version": version})
        return _shape(get(connection, template_id))
