"""Signs of life: each part of the product writes one row every few seconds and removes it when it stops cleanly."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sojourn.kernel.clock import Clock, SystemClock
from sojourn.kernel.database.connect import connect

BEAT_SECONDS = 5.0
FRESH = timedelta(seconds=15)
_FORGOTTEN = timedelta(days=1)


class Heartbeat:
    """Writes the row of one part from a thread of its own while the `with` block lasts. A lost database is only waited for."""

    def __init__(self, url: str, part: str, clock: Clock | None = None) -> None:
        self._url = url
        self._part = part
        self._clock = clock or SystemClock()
        self._host, self._pid = socket.gethostname(), os.getpid()
        self._started = self._clock.now()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self.detail: dict[str, Any] | None = None
        """What the part wants to tell about itself; goes out with the next beat."""

    def __enter__(self) -> Heartbeat:
        self.beat()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        try:
            with connect(self._url, "heartbeat") as connection:
                connection.execute(
                    "DELETE FROM part_heartbeat WHERE part = %s AND host = %s AND pid = %s",
                    (self._part, self._host, self._pid),
                )
        except psycopg.OperationalError:
            pass  # the database went first; the row grows stale by itself

    def _run(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            try:
                self.beat()
            except psycopg.OperationalError:
                continue

    def beat(self) -> None:
        """Write the row now. A connection for each beat: a backend that idles all day would cost more memory than it is worth."""
        now = self._clock.now()
        with connect(self._url, "heartbeat") as connection:
            connection.execute(
                """INSERT INTO part_heartbeat (part, host, pid, started_at, beat_at, ready, detail) VALUES (%s, %s, %s, %s, %s, true, %s)
                   ON CONFLICT (part, host, pid) DO UPDATE SET started_at = excluded.started_at, beat_at = excluded.beat_at,
                     ready = true, detail = excluded.detail""",
                (
                    self._part,
                    self._host,
                    self._pid,
                    self._started,
                    now,
                    Jsonb(self.detail) if self.detail is not None else None,
                ),
            )


@dataclass(frozen=True, slots=True)
class Part:
    """A part that has given a sign of life lately."""

    part: str
    host: str
    pid: int
    started_at: datetime
    beat_at: datetime
    ready: bool
    detail: dict[str, Any] | None


def fresh_parts(connection: psycopg.Connection[Any], clock: Clock, within: timedelta = FRESH) -> list[Part]:
    """The parts whose last sign of life is no older than `within`."""
    rows = connection.execute(
        """SELECT part, host, pid, started_at, beat_at, ready, detail FROM part_heartbeat WHERE beat_at >= %s
           ORDER BY part, host, pid""",
        (clock.now() - within,),
    )
    return [Part(*row) for row in rows]


def forget_dead_parts(connection: psycopg.Connection[Any], clock: Clock) -> int:
    """Remove the rows of parts that ended uncleanly a day or more ago; tells how many."""
    return connection.execute("DELETE FROM part_heartbeat WHERE beat_at < %s", (clock.now() - _FORGOTTEN,)).rowcount
