"""What is kept how long: effects shown beforehand, whole months dropped, the rest row by row."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from sojourn.cli.wiring import connect_rooms
from sojourn.events import Event, EventKind, append
from sojourn.kernel import SojournError, VirtualClock
from sojourn.kernel.database import ensure_partitions
from sojourn.kernel.retention import clear, effect, periods, set_period

Connection = psycopg.Connection[Any]


@pytest.fixture(autouse=True)
def _rooms() -> None:
    connect_rooms()


def happen(connection: Connection, at: datetime, count: int) -> None:
    """Opens of some profiles, recorded at a moment."""
    ensure_partitions(connection, at)
    append(connection, VirtualClock(at), [Event(number, EventKind.OPENED, at) for number in range(1, count + 1)])


def count(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM event").fetchone()
    assert row
    return int(row[0])


def test_old_months_go_whole_and_the_rest_row_by_row(connection: Connection, clock: VirtualClock) -> None:
    now = clock.now()
    for days, number in ((150, 40), (45, 30), (20, 20), (1, 10)):
        happen(connection, now - timedelta(days=days), number)
    connection.execute("ANALYZE event")
    assert effect(connection, clock, "events", 30).rows == 70
    assert effect(connection, clock, "events", 10).rows == 90
    set_period(connection, clock, "events", 30)
    assert clear(connection, clock) == 70
    assert count(connection) == 30
    period = next(period for period in periods(connection) if period.kind.code == "events")
    assert (period.days, period.forgotten, period.done_at) == (30, 70, now)


def test_rows_of_unexpected_moments_go_too(connection: Connection, clock: VirtualClock) -> None:
    now = clock.now()
    before = VirtualClock(now - timedelta(days=4000))  # before all months: the default part takes it
    append(connection, before, [Event(1, EventKind.OPENED, before.now())])
    happen(connection, now, 1)
    set_period(connection, clock, "events", 365)
    clear(connection, clock)
    assert count(connection) == 1


def test_without_a_period_everything_stays(connection: Connection, clock: VirtualClock) -> None:
    happen(connection, clock.now() - timedelta(days=300), 5)
    assert clear(connection, clock) == 0
    set_period(connection, clock, "events", 10)
    set_period(connection, clock, "events", None)
    assert clear(connection, clock) == 0
    assert count(connection) == 5


def test_a_period_is_checked(connection: Connection, clock: VirtualClock) -> None:
    for code, days in (("events", 0), ("events", 40_000)):
        with pytest.raises(SojournError, match="A period has"):
            set_period(connection, clock, code, days)
    with pytest.raises(SojournError, match="no kind of data"):
        effect(connection, clock, "dreams", 5)


def test_the_trace_is_kept_as_long_as_reentry_needs_it(connection: Connection, clock: VirtualClock) -> None:
    connection.execute("INSERT INTO profile_database (created_at, name) VALUES (%s, 'x')", (clock.now(),))
    connection.execute(
        "INSERT INTO scenario (created_at, updated_at, name, database_id, draft, published_version_id) VALUES (now(), now(), 's', 1, '{}', 1)"
    )
    connection.execute(
        'INSERT INTO scenario_version (scenario_id, number, published_at, graph, draft) VALUES (1, 1, now(), \'{"reentry": {"mode": "after_exit", "min_interval": "90d"}}\', \'{}\')'
    )
    with pytest.raises(SojournError, match="90 to"):
        set_period(connection, clock, "trace", 30)
    set_period(connection, clock, "trace", 90)
    clear(connection, clock)
