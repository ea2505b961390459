"""Wakes passages that wait for an event: from the lane's inbox, which the database's trigger on events fills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from sojourn.kernel import Clock
from sojourn.scenarios.exits import CompiledExits
from sojourn.scenarios.stage import Awaits
from sojourn.triggers.sql import TAKE_POKES

_LANES = "SELECT l FROM generate_series(0, 63) l WHERE EXISTS (SELECT FROM wait_inbox w WHERE w.lane = l::smallint)"
# Whether it is an event that they wait for is asked in their pass, from the log; here they only become due.
_TAKE = f"WITH taken AS MATERIALIZED ({TAKE_POKES}) INSERT INTO poked SELECT profile_id, max(at) FROM taken GROUP BY profile_id"
_WAKE = f"""
UPDATE resting r SET due_at = least(r.due_at, p.at) FROM poked p
 WHERE r.lane = %(lane)s AND r.profile_id = p.profile_id AND r.awaits = {int(Awaits.EVENT)}
"""


def lanes_with_events(connection: psycopg.Connection[Any]) -> list[int]:
    """Lanes in which somebody has an event that may be waited for."""
    return [row[0] for row in connection.execute(_LANES)]


def wake_waiting(
    connection: psycopg.Connection[Any], clock: Clock, lane: int, exits: Sequence[CompiledExits], limit: int = 10_000
) -> int:
    """End the passages that an event ends, and make those due who wait for one and have one; tells how many.

    The caller holds the lane's lock, so that an event and a wait that begin at the same moment cannot miss each other.
    """
    values = {"lane": lane, "limit": limit, "now": clock.now()}
    with connection.transaction():
        connection.execute(_TAKE, values)
        ended = 0
        for one in exits:
            row = connection.execute(one.sql, {**one.values, **values}).fetchone()
            ended += row[0] if row else 0
        return ended + connection.execute(_WAKE, values).rowcount
