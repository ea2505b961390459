"""Wakes passages whose answer has come: outcomes of messages and API requests, from the lane's inbox."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.delivery.sql import TAKE_ANSWERS

_LANES = "SELECT DISTINCT lane FROM answer_inbox"
# The holder of the lane's lock alone moves resting rows. An answer for a step that the passage has left already is void.
_WAKE = f"""
WITH answers AS MATERIALIZED ({TAKE_ANSWERS})
UPDATE resting r SET due_at = a.at, awaits = NULL FROM answers a
 WHERE r.lane = %(lane)s AND r.profile_id = a.profile_id AND r.passage_id = a.passage_id AND r.hop = a.hop AND r.awaits = 1
"""


def lanes_with_answers(connection: psycopg.Connection[Any]) -> list[int]:
    """Lanes in which somebody has an answer."""
    return [row[0] for row in connection.execute(_LANES)]


def wake_answered(connection: psycopg.Connection[Any], lane: int, limit: int = 10_000) -> int:
    """Make those due whose answer has come; the caller holds the lane's lock. Tells how many."""
    return connection.execute(_WAKE, {"lane": lane, "limit": limit}).rowcount
