"""The engine's process: looks for due work, runs it, sleeps until the next due moment or a notification. Nothing in memory matters."""

from __future__ import annotations

import random
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog

from sojourn.delivery.counters import fold_message_counters
from sojourn.kernel import LANES, Clock, Settings
from sojourn.kernel.database import connect
from sojourn.kernel.heartbeat import Heartbeat
from sojourn.kernel.wakeups import ENGINE, WORKER, Bell
from sojourn.scenarios.answers import lanes_with_answers, wake_answered
from sojourn.scenarios.counters import fold_counters
from sojourn.scenarios.due import Due, find_due, next_due
from sojourn.scenarios.engine import Engine
from sojourn.scenarios.running import RunningVersions
from sojourn.scenarios.versions import mark_drained
from sojourn.scenarios.waits import lanes_with_events, wake_waiting

log = structlog.get_logger("engine")
REFRESH_SECONDS = 1.0
LONGEST_SLEEP = 1.0
"""Seconds; a notification that was lost costs no more than this."""
CHORES_SECONDS = 10.0
TRUSTED_SECONDS = 5.0
"""For so long an engine that is not told of anything believes that nobody is due before the moment it has seen."""


class EngineLoop:
    """One engine: `step` does everything that is due now and tells how many passages moved."""

    def __init__(self, connection: psycopg.Connection[Any], clock: Clock, *, batch: int = 10_000) -> None:
        self.connection = connection
        self.clock = clock
        self.engine = Engine(connection, clock, batch=batch)
        self.versions = RunningVersions(connection)
        self.bell = Bell()
        self._refreshed = 0.0
        self._chores = time.monotonic()
        self._next: datetime | None = None
        self._looked = float("-inf")

    def step(self, *, trusting: bool = False) -> int:
        """Wake who was answered, run what is due; tells how many passages moved.

        `trusting`: who rests is not looked at before the next due moment that `sleep_seconds` has found, for some seconds: of what comes earlier
        an engine learns by what it does itself, or by a notification.
        """
        self._refresh()
        moved = self._wake_answered()
        now = self.clock.now()
        quiet = trusting and not moved and not self._somebody_is_due(now)
        due = find_due(self.connection, range(LANES), self.versions.places, now, resting=not quiet)
        lanes = list(dict.fromkeys(item.lane for item in due))
        for lane in lanes:
            moved += self._run_lane(lane, [item for item in due if item.lane == lane])
        if time.monotonic() - self._chores > CHORES_SECONDS:
            self._do_chores()
        self.bell.flush(self.connection)
        if moved:
            self.forget_next()
        return moved

    def _somebody_is_due(self, now: datetime) -> bool:
        if time.monotonic() - self._looked > TRUSTED_SECONDS:
            self._next = next_due(self.connection, range(LANES), self.versions.places)
            self._looked = time.monotonic()
        return self._next is not None and self._next <= now

    def forget_next(self) -> None:
        """Something has changed: look at everybody at the next step."""
        self._looked = float("-inf")

    def _refresh(self) -> None:
        if time.monotonic() - self._refreshed < REFRESH_SECONDS:
            return
        for version in self.versions.refresh():
            self.engine.prepare(version)
            self.forget_next()
        self.engine.keep(self.versions.compiled)
        self._refreshed = time.monotonic()

    def refresh_now(self) -> None:
        """Look at the tables again before the next step."""
        self._refreshed = 0.0

    def _wake_answered(self) -> int:
        woken = 0
        for lane in lanes_with_answers(self.connection):
            with self.engine.lane(lane) as held:
                if held:
                    woken += wake_answered(self.connection, lane)
        return woken + self._look_at_events()

    def _look_at_events(self) -> int:
        """What has happened to people who wait for it, or end by it."""
        lanes = lanes_with_events(self.connection)
        if not lanes:
            return 0
        self.refresh_now()  # an event is looked at once: by then every version must be known in which its profile may be
        self._refresh()
        woken = 0
        exits = [version.exits for version in self.versions.compiled.values() if version.exits is not None]
        for lane in lanes:
            with self.engine.lane(lane) as held:
                if held:
                    woken += wake_waiting(self.connection, self.clock, lane, exits)
        return woken

    def _run_lane(self, lane: int, due: list[Due]) -> int:
        """One turn in a lane: a few batches of everything that is due there; then somebody else may have the lane."""
        moved = 0
        with self.engine.lane(lane) as held:
            if not held:
                return 0
            for item in due:
                version = self.versions.compiled.get(item.place.version_id)
                if version is None:
                    continue
                turn = self.engine.run(version, item.place.node_id, lane, captures=item.place.captures)
                moved += turn.taken
                if turn.planned:
                    self.bell.ring(self.connection, WORKER)
        return moved

    def _do_chores(self) -> None:
        self._chores = time.monotonic()
        fold_counters(self.connection)
        fold_message_counters(self.connection)
        mark_drained(self.connection, self.clock)

    def sleep_seconds(self) -> float:
        """How long nothing will be due, at most `LONGEST_SLEEP`."""
        if self._somebody_is_due(self.clock.now()):
            return 0.0
        if self._next is None:
            return LONGEST_SLEEP
        return max(0.0, min(LONGEST_SLEEP, (self._next - self.clock.now()) / timedelta(seconds=1)))


def run_engine(settings: Settings, clock: Clock, stop: threading.Event) -> None:
    """Run an engine until `stop`; a lost database is waited for."""
    url = settings.database_url or _own(settings)
    delay = 0.2
    while not stop.is_set():
        try:
            with connect(url, "engine") as connection, Heartbeat(url, "engine", clock):
                connection.execute(f"LISTEN {ENGINE}")
                loop = EngineLoop(connection, clock)
                delay = 0.2
                while not stop.is_set():
                    _turn(loop, connection, stop)
        except psycopg.OperationalError as error:
            log.warning("database lost, trying again", reason=str(error).splitlines()[0], seconds=round(delay, 1))
            stop.wait(delay * random.uniform(0.8, 1.2))
            delay = min(5.0, delay * 2)


def _turn(loop: EngineLoop, connection: psycopg.Connection[Any], stop: threading.Event) -> None:
    try:
        moved = loop.step(trusting=True)
    except (
        psycopg.errors.TransactionRollback,
        psycopg.errors.SerializationFailure,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.LockNotAvailable,
    ) as error:
        log.info("pass repeated", reason=str(error).splitlines()[0])
        loop.forget_next()
        return
    if moved or stop.is_set():
        for _ in connection.notifies(timeout=0):
            pass
        return
    for _ in connection.notifies(timeout=loop.sleep_seconds(), stop_after=1):
        loop.forget_next()


def _own(settings: Settings) -> str:
    from sojourn.kernel.database import own_server_url

    return own_server_url(settings)
