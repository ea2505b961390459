"""Messages and requests of which nobody knows whether they arrived: held and listed, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from sojourn.channels.transport import LedgerKey
from sojourn.delivery.codes import Channel, State


@dataclass(frozen=True, slots=True)
class InDoubt:
    """One that is in doubt; `channel` 100 is an API request."""

    lane: int
    passage_id: int
    hop: int
    channel: int
    profile_id: int
    scenario_id: int | None
    node_id: int | None
    created_at: datetime
    contact: str | None
    answer: str | None

    @property
    def key(self) -> LedgerKey:
        return LedgerKey(self.lane, self.passage_id, self.hop)


_LIST = f"""
SELECT m.lane, m.passage_id, m.hop, m.channel, m.profile_id, m.scenario_id, m.node_id, m.created_at, s.contact, m.answer
  FROM message m LEFT JOIN subscription s ON s.lane = m.lane AND s.id = m.subscription_id
 WHERE m.state = {State.IN_DOUBT:d} AND (m.lane, m.passage_id, m.hop) > (%(lane)s, %(passage)s, %(hop)s)
UNION ALL
SELECT lane, passage_id, hop, {Channel.REQUEST:d}, profile_id, scenario_id, node_id, created_at, NULL, answer FROM request
 WHERE state = {State.IN_DOUBT:d} AND (lane, passage_id, hop) > (%(lane)s, %(passage)s, %(hop)s)
 ORDER BY lane, passage_id, hop LIMIT %(limit)s
"""


def in_doubt(connection: psycopg.Connection[Any], after: LedgerKey | None = None, limit: int = 100) -> list[InDoubt]:
    """What is in doubt, by key, those behind `after`, at most `limit` (1 to 1,000). A step of a passage is either a message or a request."""
    start = after or LedgerKey(-1, 0, 0)
    values = {"lane": start.lane, "passage": start.passage_id, "hop": start.hop, "limit": min(max(limit, 1), 1000)}
    with connection.cursor(row_factory=class_row(InDoubt)) as cursor:
        return cursor.execute(_LIST, values).fetchall()
