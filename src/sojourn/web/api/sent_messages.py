"""The messages of one profile: those of its passages, because the ledger has no index by profile."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sojourn.delivery.codes import Reason, State
from sojourn.kernel import lane_of
from sojourn.kernel.errors import SojournError
from sojourn.profiles.aliases import with_merged
from sojourn.profiles.statuses import CHANNEL_WORDS
from sojourn.web.installation import Connection

_STATES = {
    State.PLANNED: "planned",
    State.HANDING_OVER: "handing_over",
    State.ACCEPTED: "accepted",
    State.REJECTED: "rejected",
    State.IN_DOUBT: "in_doubt",
    State.CANCELLED: "cancelled",
    State.NOT_SENT: "not_sent",
}
_PLACE = re.compile(r"(\d{1,18})\.(\d{1,9})")

_MESSAGES = """
SELECT m.passage_id, m.hop, m.channel, t.name, s.name, u.contact, m.state, m.reason, m.created_at, m.handed_at, m.delivered_at, m.opened_at, m.clicked_at
  FROM unnest(%(lanes)s::smallint[], %(ids)s::bigint[]) x(lane, id) CROSS JOIN LATERAL (
        SELECT passage_id FROM resting r WHERE r.lane = x.lane AND r.profile_id = x.id AND passage_id <= %(passage)s
        UNION SELECT passage_id FROM passage_ended e WHERE e.lane = x.lane AND e.profile_id = x.id AND passage_id <= %(passage)s) p
  JOIN message m ON m.lane = x.lane AND m.passage_id = p.passage_id
  LEFT JOIN template t ON t.id = m.template_id LEFT JOIN scenario s ON s.id = m.scenario_id
  LEFT JOIN subscription u ON u.lane IN (m.lane, %(lane)s) AND u.id = m.subscription_id
 WHERE (m.passage_id, m.hop) < (%(passage)s, %(hop)s) ORDER BY m.passage_id DESC, m.hop DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message of the ledger in words. `contact` is where it went or would go."""

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

    @property
    def place(self) -> str:
        """Where it stands in the list of its profile."""
        return f"{self.passage_id}.{self.hop}"


def messages_of(connection: Connection, profile_id: int, *, before: str | None, limit: int) -> list[SentMessage]:
    """Messages of a profile and of those merged into it, newest first, behind the `place` of another.

    Raises:
        SojournError: `bad_page`.
    """
    mark = _PLACE.fullmatch(before) if before else None
    if before and mark is None:
        raise SojournError("bad_page", "This is not the mark of a page.", "before")
    passage, hop = (int(mark[1]), int(mark[2])) if mark else (2**62, 0)
    ids = with_merged(connection, profile_id)
    values = {
        "lane": lane_of(profile_id), "ids": list(ids), "lanes": [lane_of(one) for one in ids], "passage": passage, "hop": hop, "limit": limit
    }  # fmt: skip
    return [
        SentMessage(
            row[0], row[1], CHANNEL_WORDS[row[2]], row[3], row[4], row[5], _STATES[State(row[6])],
            Reason(row[7]).name.lower() if row[7] is not None else None, *row[8:],
        )
        for row in connection.execute(_MESSAGES, values)
    ]  # fmt: skip
