"""The sandbox mailbox: where messages go as long as no mail server or gateway is set, along the same path as real ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from sojourn.channels.transport import Outcome, Outgoing, Verdict
from sojourn.delivery.codes import Channel
from sojourn.kernel.errors import NotFound

_STORE = """
INSERT INTO sandbox_message (at, passage_id, profile_id, scenario_id, node_id, hop, lane, channel, recipient, sender, subject, body_text, body_html, headers, confirmation)
SELECT b.at, m.passage_id, m.profile_id, m.scenario_id, m.node_id, m.hop, m.lane, m.channel, b.recipient, b.sender, b.subject, b.body_text, b.body_html, b.headers, b.confirmation
  FROM unnest(%(moments)s::timestamptz[], %(lanes)s::smallint[], %(passages)s::bigint[], %(hops)s::int[], %(recipients)s::text[], %(senders)s::text[], %(subjects)s::text[],
    %(texts)s::text[], %(htmls)s::bytea[], %(headers)s::jsonb[], %(confirmations)s::boolean[])
    AS b(at, lane, passage_id, hop, recipient, sender, subject, body_text, body_html, headers, confirmation)
  JOIN message m ON m.lane = b.lane AND m.passage_id = b.passage_id AND m.hop = b.hop
ON CONFLICT (lane, passage_id, hop) DO NOTHING
"""


class SandboxTransport:
    """Takes every message; it is kept when its result is recorded, in the same transaction, so nothing can be in doubt."""

    def hand_over(self, messages: Iterator[Outgoing]) -> Iterator[Outcome | None]:
        """See `Transport`."""
        for message in messages:
            yield Outcome(message, Verdict.ACCEPTED, "kept in the sandbox mailbox")

    def pause(self) -> float:
        """Never."""
        return 0.0

    def abandon(self) -> Iterator[Outcome]:
        """Nothing is ever waited for."""
        return iter(())

    def close(self) -> None:
        """Nothing is open."""


def store(connection: psycopg.Connection[Any], messages: Sequence[tuple[Outgoing, datetime]]) -> None:
    """Keep messages, inside the transaction that records their results."""
    if not messages:
        return
    boxed = [message for message, _ in messages]
    connection.execute(
        _STORE,
        {
            "moments": [at for _, at in messages],
            "lanes": [m.key.lane for m in boxed],
            "passages": [m.key.passage_id for m in boxed],
            "hops": [m.key.hop for m in boxed],
            "recipients": [m.recipient for m in boxed],
            "senders": [m.sender or None for m in boxed],
            "subjects": [m.subject.replace("\0", "") or None for m in boxed],
            "texts": [m.text.decode("utf-8", "replace").replace("\0", "") for m in boxed],
            "htmls": [m.html or None for m in boxed],
            "headers": [Jsonb(_headers(m.content)) if m.html else None for m in boxed],
            "confirmations": [m.confirmation for m in boxed],
        },
    )


def _headers(letter: bytes) -> dict[str, str]:
    """The headers of a letter of our own builder, unfolded."""
    head = letter.partition(b"\r\n\r\n")[0].decode("ascii", "replace").replace("\r\n ", " ")
    return dict(line.split(": ", 1) for line in head.split("\r\n"))


@dataclass(frozen=True, slots=True)
class SandboxSummary:
    """A kept message in a list."""

    id: int
    at: datetime
    channel: int
    recipient: str
    sender: str | None
    subject: str | None
    preview: str
    confirmation: bool
    scenario_id: int | None
    node_id: int | None
    profile_id: int


@dataclass(frozen=True, slots=True)
class SandboxMessage:
    """A kept message with everything it had."""

    id: int
    at: datetime
    channel: int
    recipient: str
    sender: str | None
    subject: str | None
    body_text: str | None
    body_html: bytes | None
    headers: dict[str, str] | None
    confirmation: bool
    scenario_id: int | None
    node_id: int | None
    profile_id: int
    lane: int
    passage_id: int
    hop: int


_LIST = """
SELECT id, at, channel, recipient, sender, subject, left(coalesce(body_text, ''), 200) AS preview, confirmation, scenario_id, node_id, profile_id FROM sandbox_message
 WHERE (%(after)s::bigint IS NULL OR id < %(after)s) AND (%(channel)s::smallint IS NULL OR channel = %(channel)s)
   AND (%(pattern)s::text IS NULL OR recipient ILIKE %(pattern)s OR subject ILIKE %(pattern)s) ORDER BY id DESC LIMIT %(limit)s
"""
_GET = """
SELECT id, at, channel, recipient, sender, subject, body_text, body_html, headers, confirmation, scenario_id, node_id, profile_id, lane, passage_id, hop
  FROM sandbox_message WHERE id = %s
"""


def list_messages(
    connection: psycopg.Connection[Any], *, search: str = "", channel: Channel | None = None, after: int | None = None, limit: int = 50
) -> list[SandboxSummary]:  # fmt: skip
    """Kept messages, newest first, at most `limit` (1 to 200), those before the id `after`. `search`: a part of recipient or subject."""
    text = search.strip().replace("\0", "").replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    values = {
        "after": after,
        "channel": None if channel is None else int(channel),
        "pattern": f"%{text}%" if text else None,
        "limit": min(max(limit, 1), 200),
    }
    with connection.cursor(row_factory=class_row(SandboxSummary)) as cursor:
        return cursor.execute(_LIST, values).fetchall()


def get_message(connection: psycopg.Connection[Any], message_id: int) -> SandboxMessage:
    """One kept message.

    Raises:
        NotFound: `unknown_message`.
    """
    with connection.cursor(row_factory=class_row(SandboxMessage)) as cursor:
        found = cursor.execute(_GET, (message_id,)).fetchone() if abs(message_id) < 1 << 63 else None
    if found is None:
        raise NotFound("unknown_message", "The sandbox mailbox holds no such message.", "id")
    return found
