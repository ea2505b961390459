"""Signs of life."""

from __future__ import annotations

from datetime import timedelta

import psycopg

from sojourn.kernel import VirtualClock
from sojourn.kernel.heartbeat import Heartbeat, forget_dead_parts, fresh_parts


def test_a_part_is_seen_while_it_lives_and_gone_after_a_clean_stop(
    connection: psycopg.Connection, database_url: str, clock: VirtualClock
) -> None:
    with Heartbeat(database_url, "engine", clock) as heart:
        heart.detail = {"lanes": 64}
        heart.beat()
        (part,) = fresh_parts(connection, clock)
        assert (part.part, part.ready, part.detail) == ("engine", True, {"lanes": 64})
    assert fresh_parts(connection, clock) == []


def test_a_part_that_fell_silent_is_not_fresh_and_is_forgotten_after_a_day(
    connection: psycopg.Connection, database_url: str, clock: VirtualClock
) -> None:
    Heartbeat(database_url, "worker", clock).beat()
    clock.advance(timedelta(seconds=16))
    assert fresh_parts(connection, clock) == []
    assert forget_dead_parts(connection, clock) == 0
    clock.advance(timedelta(days=1))
    assert forget_dead_parts(connection, clock) == 1
