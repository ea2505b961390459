"""`/sandbox/messages`: the built-in mailbox."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from sojourn.delivery.sandbox import SandboxSummary, get_message, list_messages
from sojourn.kernel import public_id
from sojourn.profiles.statuses import CHANNEL_WORDS
from sojourn.web.api.call import Reading
from sojourn.web.api.pages import After, Limit, Page, Search, page_of, size

router = APIRouter(tags=["sandbox"])


class SandboxRow(BaseModel):
    """A kept message in the list."""

    id: int
    at: datetime
    channel: str
    recipient: str
    sender: str | None
    subject: str | None
    preview: str | None
    confirmation: bool
    profile_id: str
    scenario_id: int | None


class SandboxLetter(BaseModel):
    """A kept message. `html` comes from an author: show it in a sandboxed frame only."""

    id: int
    at: datetime
    channel: str
    recipient: str
    sender: str | None
    subject: str | None
    text: str | None
    html: str | None
    headers: dict[str, str] | None
    confirmation: bool
    profile_id: str
    scenario_id: int | None
    scenario_name: str | None
    node_id: int | None


def _row(found: SandboxSummary) -> SandboxRow:
    return SandboxRow(
        id=found.id, at=found.at, channel=CHANNEL_WORDS[found.channel], recipient=found.recipient, sender=found.sender, subject=found.subject,
        preview=found.preview or None, confirmation=found.confirmation, profile_id=public_id(found.profile_id), scenario_id=found.scenario_id,
    )  # fmt: skip


@router.get("/sandbox/messages")
def list_sandbox_messages(
    call: Reading, search: Search = "", before: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None, after: After = None, limit: Limit = 50
) -> Page[SandboxRow]:  # fmt: skip
    """Kept messages, newest first; `before` (or `after`, which means the same) is `next` of the page before."""
    with call.connection() as connection:
        edge = before if before is not None else after
        found = list_messages(connection, search=search, after=edge, limit=size(limit))
        if len(found) == size(limit):
            found += list_messages(connection, search=search, after=found[-1].id, limit=1)
    return page_of(found, limit, _row, lambda message: message.id)


@router.get("/sandbox/messages/{message_id}")
def get_sandbox_message(message_id: int, call: Reading) -> SandboxLetter:
    """A kept message."""
    with call.connection() as connection:
        found = get_message(connection, message_id)
        named: Any = connection.execute("SELECT name FROM scenario WHERE id = %s", (found.scenario_id,)).fetchone()
    return SandboxLetter(
        id=found.id, at=found.at, channel=CHANNEL_WORDS[found.channel], recipient=found.recipient, sender=found.sender, subject=found.subject,
        text=found.body_text, html=found.body_html.decode("utf-8", "replace") if found.body_html else None, headers=found.headers,
        confirmation=found.confirmation, profile_id=public_id(found.profile_id), scenario_id=found.scenario_id, scenario_name=named[0] if named else None,
        node_id=found.node_id,
    )  # fmt: skip
