"""The chores that time makes necessary."""

from __future__ import annotations

from datetime import timedelta

import psycopg

from sojourn.cli.housekeeping import do_chores
from sojourn.kernel import Settings, VirtualClock
from sojourn.kernel.heartbeat import Heartbeat


def test_partitions_are_made_ahead_and_dead_parts_forgotten(
    connection: psycopg.Connection, settings: Settings, clock: VirtualClock
) -> None:
    url = str(settings.database_url)
    Heartbeat(url, "engine", clock).beat()
    clock.advance(timedelta(days=70))
    assert do_chores(url, clock, settings)
    names = {row[0] for row in connection.execute("SELECT relname FROM pg_class WHERE relispartition")}
    assert f"event_{clock.now():%Y_%m}" in names
    assert connection.execute("SELECT count(*) FROM part_heartbeat").fetchone() == (0,)


def test_one_worker_at_a_time_does_the_chores(
    connection: psycopg.Connection, settings: Settings, clock: VirtualClock
) -> None:
    url = str(settings.database_url)
    connection.execute("SELECT pg_advisory_lock(7310003)")
    assert not do_chores(url, clock, settings)
    connection.execute("SELECT pg_advisory_unlock(7310003)")
    assert do_chores(url, clock, settings)
