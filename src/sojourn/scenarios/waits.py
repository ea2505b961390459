"""Wakes passages that wait for an event: from the lane's inbox, which the database's trigger on events fills."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.scenarios.stage import Awaits
from sojourn.triggers.sql import TAKE_POKES

_LANES = "SELECT l FROM generate_series(0, 63) l WHERE EXISTS (SELECT FROM wait_inbox w WHERE w.lane = l::smallint)"
# Whether it is an event that they wait for is asked in their pass, from the log; here they only become due.
_WAKE = f"""
WITH poked AS MATERIALIZED ({TAKE_POKES})
UPDATE resting r SET due_at = least(r.due_at, p.at) FROM (SELECT profile_id, max(at) AS at FROM poked GROUP BY profile_id) p
 WHERE r.lane = %(lane)s AND r.profile_id = p.profile_id AND r.awaits = {int(Awaits.EVENT)}
"""


def lanes_with_events(connection: psycopg.Connection[Any]) -> list[int]:
    """Lanes in which somebody has an event that may be waited for."""
    return [row[0] for row in connection.execute(_LANES)]


def wake_waiting(connection: psycopg.Connection[Any], lane: int, limit: int = 10_000) -> int:
    """Make those due who wait for an event and have one; the caller holds the lane's lock, so that an event and a wait that begin at the same
    moment cannot miss each other. Tells how many."""
    return connection.execute(_WAKE, {"lane": lane, "limit": limit}).rowcount
