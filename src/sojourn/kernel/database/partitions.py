"""Partitions made ahead: by month for what grows with time, by ranges of passage ids for the ledger.

A default partition takes rows of unexpected moments, so nothing is ever refused; a month whose rows already lie there keeps them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

BY_MONTH = ("change", "event", "passage_ended", "entry_refused", "trail", "segment_history")
BY_PASSAGE = ("message", "request")
PASSAGES_PER_PARTITION = 20_000_000


def _month(moment: datetime, ahead: int) -> datetime:
    index = moment.year * 12 + moment.month - 1 + ahead
    return moment.replace(year=index // 12, month=index % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0)


def ensure_partitions(connection: psycopg.Connection[Any], now: datetime, months_ahead: int = 2) -> int:
    """Make the partitions of this month and the next ones, and the ledger's next ranges; tells how many were made."""
    existing = {row[0] for row in connection.execute("SELECT relname FROM pg_class WHERE relispartition")}
    made = 0
    for table in BY_MONTH:
        for ahead in range(months_ahead + 1):
            start, end = _month(now, ahead), _month(now, ahead + 1)
            made += _make(connection, existing, table, f"{table}_{start:%Y_%m}", start.isoformat(), end.isoformat())
    row = connection.execute("SELECT last_value FROM passage_id_seq").fetchone()
    current = (row[0] if row else 0) // PASSAGES_PER_PARTITION
    for table in BY_PASSAGE:
        for number in (current, current + 1):
            made += _make(
                connection,
                existing,
                table,
                f"{table}_p{number}",
                number * PASSAGES_PER_PARTITION,
                (number + 1) * PASSAGES_PER_PARTITION,
            )
    return made


def _make(
    connection: psycopg.Connection[Any], existing: set[str], table: str, name: str, start: object, end: object
) -> int:
    if name in existing:
        return 0
    statement = sql.SQL("CREATE TABLE IF NOT EXISTS {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})")
    try:
        with connection.transaction():
            connection.execute("SET LOCAL lock_timeout = '2s'")
            connection.execute(
                statement.format(sql.Identifier(name), sql.Identifier(table), sql.Literal(start), sql.Literal(end))
            )
            # A partition does not take this over: see the end of 0001_foundation.sql.
            connection.execute(sql.SQL("ALTER TABLE {} ALTER lane SET (n_distinct = 64)").format(sql.Identifier(name)))
    except (psycopg.errors.CheckViolation, psycopg.errors.LockNotAvailable, psycopg.errors.InvalidObjectDefinition):
        return 0  # rows of that range lie in the default partition already, or the table is busy: the next round tries again
    return 1
