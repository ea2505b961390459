"""Figures over the people of a database. Counting millions takes seconds, so they are counted in the background and kept with their moment."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from sojourn.kernel import Clock
from sojourn.kernel.statement import quoted
from sojourn.kernel.tasks import Report, Task, TaskFunction
from sojourn.profiles.databases import Database, database
from sojourn.profiles.statuses import CHANNEL_WORDS, STATUS_WORDS

COUNT = "database_statistics"
"""The kind of the task."""
DAYS = 90
Connection = psycopg.Connection[Any]
_COUNTED_AT_ONCE = 50_000
_SUBSCRIPTIONS = """
SELECT s.resource_id, r.name, s.channel, s.status, count(*) FROM subscription s JOIN resource r ON r.id = s.resource_id JOIN {table} p ON p.lane = s.lane AND p.id = s.profile_id
 WHERE s.deleted_at IS NULL GROUP BY 1, 2, 3, 4 ORDER BY 2, 1, 3, 4
"""


class SubscriptionCount(BaseModel):
    """Subscriptions of one resource, channel and status."""

    resource_id: int
    resource: str
    channel: str
    status: str
    count: int


class DayCount(BaseModel):
    """Profiles made on one day."""

    day: date
    count: int


class DatabaseStatistics(BaseModel):
    """Figures over a database as of `counted_at`; `by_status` is the global status; `growth` are days of the account's zone with new profiles, oldest first."""

    counted_at: datetime
    profiles: int
    by_status: dict[str, int]
    subscriptions: list[SubscriptionCount]
    growth: list[DayCount]


def statistics(connection: Connection, clock: Clock, database_id: int) -> DatabaseStatistics | None:
    """The figures that are kept; those of a small database are counted at once. None: never counted.

    Raises:
        NotFound: `unknown_database`.
    """
    known = database(connection, database_id)
    if approximate_size(connection, known) <= _COUNTED_AT_ONCE:
        return count_statistics(connection, clock, known)
    row = connection.execute("SELECT statistics FROM profile_database WHERE id = %s", (known.id,)).fetchone()
    return DatabaseStatistics.model_validate(row[0]) if row and row[0] else None


def count_statistics(connection: Connection, clock: Clock, known: Database) -> DatabaseStatistics:
    """Count the people of a database: about a second for each million."""
    table, now = quoted(known.table), clock.now()
    zone = connection.execute("SELECT time_zone FROM account").fetchone()
    name = zone[0] if zone else "UTC"
    first = (now.astimezone(ZoneInfo(name)) - timedelta(days=DAYS - 1)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    statuses = connection.execute(f"SELECT coalesce(status, 0), count(*) FROM {table} GROUP BY 1 ORDER BY 1").fetchall()
    growth = connection.execute(
        f"SELECT (created_at AT TIME ZONE %s)::date, count(*) FROM {table} WHERE created_at >= %s GROUP BY 1 ORDER BY 1",
        (name, first),
    ).fetchall()
    subscriptions = connection.execute(_SUBSCRIPTIONS.format(table=table)).fetchall()
    return DatabaseStatistics(
        counted_at=now, profiles=sum(row[1] for row in statuses), by_status={STATUS_WORDS[row[0]]: row[1] for row in statuses},
        subscriptions=[
            SubscriptionCount(resource_id=row[0], resource=row[1], channel=CHANNEL_WORDS[row[2]], status=STATUS_WORDS[row[3]], count=row[4])
            for row in subscriptions
        ],
        growth=[DayCount(day=row[0], count=row[1]) for row in growth],
    )  # fmt: skip


def count_task() -> TaskFunction:
    """The function of the task kind `COUNT`; argument: database_id."""

    def run(connection: Connection, clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        known = database(connection, task.arguments["database_id"])
        report(0, 1)
        counted = count_statistics(connection, clock, known)
        connection.execute(
            "UPDATE profile_database SET statistics = %s WHERE id = %s",
            (Jsonb(counted.model_dump(mode="json")), known.id),
        )
        return {"profiles": counted.profiles}

    return run


def approximate_size(connection: Connection, known: Database) -> int:
    """How many profiles a database has about, from the planner's statistics; counted while it is small."""
    row = connection.execute(
        "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", (known.table,)
    ).fetchone()
    if row and row[0] > 10_000:
        return int(row[0])
    counted = connection.execute(f"SELECT count(*) FROM (SELECT FROM {quoted(known.table)} LIMIT 1000000) x").fetchone()
    return int(counted[0]) if counted else 0
