"""What scenarios tell in the history of a profile: when it entered, and how its passage ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from sojourn.profiles.history import Group, Happening, Whose
from sojourn.scenarios.passages import REASONS

_PASSAGES = """
SELECT p.at, p.reason, s.id, s.name FROM (
  SELECT r.entered_at AS at, NULL::smallint AS reason, r.scenario_id, r.passage_id FROM unnest(%(lanes)s::smallint[], %(ids)s::bigint[]) x(lane, id)
    JOIN resting r ON r.lane = x.lane AND r.profile_id = x.id
  UNION ALL
  SELECT m.at, m.reason, e.scenario_id, e.passage_id FROM unnest(%(lanes)s::smallint[], %(ids)s::bigint[]) x(lane, id)
    JOIN passage_ended e ON e.lane = x.lane AND e.profile_id = x.id, LATERAL (VALUES (e.entered_at, NULL::smallint), (e.ended_at, e.reason)) m(at, reason)
) p JOIN scenario s ON s.id = p.scenario_id WHERE p.at <= %(until)s ORDER BY p.at DESC, p.reason NULLS LAST, p.passage_id LIMIT %(limit)s
"""


def passage_history(
    connection: psycopg.Connection[Any], whose: Whose, groups: Sequence[Group], until: datetime, limit: int
) -> list[Happening]:
    """Entries into scenarios and ends of passages."""
    rows = connection.execute(_PASSAGES, {**whose.values, "until": until, "limit": limit})
    return [
        Happening(
            at, "scenario", "entered" if reason is None else "ended",
            {"scenario": name, "scenario_id": number, **({} if reason is None else {"reason": REASONS.get(reason)})},
        )
        for at, reason, number, name in rows
    ]  # fmt: skip
