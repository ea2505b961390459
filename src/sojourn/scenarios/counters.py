"""Counters: appended by each batch, folded by hour; who reads them adds both parts."""

from __future__ import annotations

from typing import Any

import psycopg

_FOLD = """
WITH taken AS (DELETE FROM counter c USING (SELECT ctid FROM counter LIMIT %s) x WHERE c.ctid = x.ctid RETURNING c.hour, c.route_id, c.n)
INSERT INTO counter_hour (hour, route_id, n) SELECT hour, route_id, sum(n) FROM taken GROUP BY 1, 2 ORDER BY 2, 1
ON CONFLICT (route_id, hour) DO UPDATE SET n = counter_hour.n + excluded.n
"""


def fold_counters(connection: psycopg.Connection[Any], limit: int = 100_000) -> int:
    """Fold appended counts into hours; tells how many hours were touched. Only one engine folds at a time."""
    with connection.transaction():
        row = connection.execute("SELECT pg_try_advisory_xact_lock(7002, 0)").fetchone()
        if not row or not row[0]:
            return 0
        return connection.execute(_FOLD, (limit,)).rowcount
