"""What public links need to know about the message they stand in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from sojourn.kernel.errors import NotFound
from sojourn.kernel.tokens import MessageRef
from sojourn.profiles.aliases import current_subscription


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message of the ledger, with the version of the template that it was made from."""

    lane: int
    passage_id: int
    hop: int
    profile_id: int
    subscription_id: int | None
    scenario_id: int | None
    resource_id: int
    resource_name: str
    template_id: int
    template_version: int
    channel: int
    sent_at: datetime
    consent: str


_MESSAGE = """
SELECT m.lane, m.passage_id, m.hop, m.profile_id, m.subscription_id, m.scenario_id, m.resource_id, r.name AS resource_name, m.template_id,
       coalesce(m.template_version, t.current_version) AS template_version, m.channel, coalesce(m.handed_at, m.created_at) AS sent_at, r.consent
  FROM message m JOIN resource r ON r.id = m.resource_id JOIN template t ON t.id = m.template_id
 WHERE m.lane = %s AND m.passage_id = %s AND m.hop = %s
"""
_LINK = """
SELECT v.links -> (%s::int - 1)
  FROM message m JOIN template t ON t.id = m.template_id
  JOIN template_version v ON v.template_id = m.template_id AND v.version = coalesce(m.template_version, t.current_version)
 WHERE m.lane = %s AND m.passage_id = %s AND m.hop = %s
"""


def sent_message(connection: psycopg.Connection[Any], ref: MessageRef) -> SentMessage | None:
    """The message a token speaks of, or None if the ledger has forgotten it."""
    with connection.cursor(row_factory=class_row(SentMessage)) as cursor:
        return cursor.execute(_MESSAGE, (ref.lane, ref.passage_id, ref.hop)).fetchone()


def subscription_of(connection: psycopg.Connection[Any], message: SentMessage) -> tuple[int, int]:
    """Profile and subscription that the message went to, as they are now: people are merged after letters have left.

    Raises:
        NotFound: `unknown_link`: it went to none, or that is gone.
    """
    if message.subscription_id is None:
        raise NotFound("unknown_link", "This link leads nowhere.")
    place = current_subscription(connection, message.lane, message.subscription_id)
    if place is None:
        raise NotFound("unknown_link", "This link leads nowhere.")
    return place


def link_of(connection: psycopg.Connection[Any], ref: MessageRef, number: int) -> dict[str, Any] | None:
    """The link of that number (from 1) in the version that the message was made from."""
    row = connection.execute(_LINK, (number, ref.lane, ref.passage_id, ref.hop)).fetchone()
    return row[0] if row else None
