"""Counters of messages: by scenario, node and the hour in which a message was planned, so that no rate of a period exceeds 100 %."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import psycopg


class Outcome(IntEnum):
    """What became of a message (message_counter.kind)."""

    ACCEPTED = 1
    NOT_SENT = 2
    IN_DOUBT = 3
    OPENED = 4
    CLICKED = 5


def count_messages(query: str) -> str:
    """SQL builder: appends counts that `query` selects: hour of planning, number, scenario, node, `Outcome`. Who changes an outcome counts it here."""
    return f"INSERT INTO message_counter (hour, n, scenario_id, node_id, kind) {query}"


_FOLD = """
WITH taken AS (DELETE FROM message_counter c USING (SELECT ctid FROM message_counter LIMIT %s) x WHERE c.ctid = x.ctid RETURNING c.*)
INSERT INTO message_counter_hour (hour, n, scenario_id, node_id, kind) SELECT hour, sum(n), scenario_id, node_id, kind FROM taken GROUP BY 1, 3, 4, 5 ORDER BY 3, 4, 5, 1
ON CONFLICT (scenario_id, node_id, kind, hour) DO UPDATE SET n = message_counter_hour.n + excluded.n
"""


def fold_message_counters(connection: psycopg.Connection[Any], limit: int = 100_000) -> int:
    """Fold appended counts into hours; tells how many hours were touched. Only one process folds at a time."""
    with connection.transaction():
        row = connection.execute("SELECT pg_try_advisory_xact_lock(7002, 1)").fetchone()
        if not row or not row[0]:
            return 0
        return connection.execute(_FOLD, (limit,)).rowcount
