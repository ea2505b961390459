"""Single imports, written together: calls that come while a batch is being written make up the next one.

One thread with a connection of its own; nobody waits longer for company than it takes to collect what is there. Each call is
answered with its own outcome, after the commit.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
import structlog

from sojourn.kernel import Clock
from sojourn.kernel.database import connect
from sojourn.kernel.errors import Unavailable
from sojourn.kernel.wakeups import ENGINE, Bell
from sojourn.profiles import Options, Outcome, Record, database, import_records
from sojourn.web.installation import Connection

log = structlog.get_logger("web")
MOST_WAITING, BATCH = 10_000, 500
GATHERING = 0.001
"""Seconds that a batch waits for those who come at the same time."""
_IDLE = 0.1


@dataclass(slots=True)
class _Waiting:
    database_id: int
    record: Record
    options: Options
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Outcome]
    result: Outcome | BaseException | None = None

    def deliver(self) -> None:
        if self.future.done():  # the caller has gone
            return
        if isinstance(self.result, BaseException):
            self.future.set_exception(self.result)
        elif self.result is not None:
            self.future.set_result(self.result)


class SingleImports:
    """Takes single imports from the event loop and writes them in batches."""

    def __init__(self, database_url: str, clock: Clock) -> None:
        self._url = database_url
        self._clock = clock
        self._waiting: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._used = 0.0
        self._bell = Bell()

    def start(self) -> None:
        """Begin to write."""
        self._thread = threading.Thread(target=self._run, name="single imports", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end."""
        self._waiting.put(None)
        if self._thread:
            self._thread.join(10.0)

    async def submit(self, database_id: int, record: Record, options: Options) -> Outcome:
        """Import one record; returns when it is durable.

        Raises:
            SojournError: the call as a whole is wrong. Unavailable: too many wait. psycopg.OperationalError: the database is away.
        """
        if self._waiting.qsize() >= MOST_WAITING:
            raise Unavailable("busy", "Too many imports wait at the moment; try again in a minute.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        self._waiting.put(_Waiting(database_id, record, options, loop, future))
        return await future

    def _run(self) -> None:
        going = True
        while going:
            batch, going = self._collect()
            if batch:
                self._write(batch)
                _deliver(batch)
            elif self._connection and not self._connection.closed:
                self._flush_bell(self._connection)
        if self._connection:
            self._connection.close()

    def _collect(self) -> tuple[list[_Waiting], bool]:
        """What waits, and whether the work goes on."""
        try:
            first = self._waiting.get(timeout=_IDLE)
        except queue.Empty:
            return [], True
        if first is None:
            return [], False
        batch = [first]
        time.sleep(GATHERING)
        while len(batch) < BATCH:
            try:
                more = self._waiting.get_nowait()
            except queue.Empty:
                break
            if more is None:
                return batch, False
            batch.append(more)
        return batch, True

    def _write(self, batch: Sequence[_Waiting]) -> None:
        groups: dict[tuple[int, Options], list[_Waiting]] = defaultdict(list)
        for waiting in batch:
            groups[waiting.database_id, waiting.options].append(waiting)
        for (database_id, options), members in groups.items():
            try:
                self._write_group(database_id, options, members)
            except Exception as error:
                self._settle(database_id, options, members, error)

    def _settle(self, database_id: int, options: Options, members: Sequence[_Waiting], error: Exception) -> None:
        """One record that PostgreSQL refuses takes no others with it; a lost database is told to all."""
        lost = (
            isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
            or self._connection is None
            or self._connection.closed
        )
        if lost and self._connection:
            self._connection.close()
            self._connection = None
        if lost or len(members) == 1 or not isinstance(error, (psycopg.Error, ValueError)):
            for waiting in members:
                waiting.result = error
            return
        for waiting in members:
            try:
                self._write_group(database_id, options, [waiting])
            except Exception as own:
                waiting.result = own

    def _write_group(self, database_id: int, options: Options, members: Sequence[_Waiting]) -> None:
        connection = self._open()
        records = [waiting.record for waiting in members]
        outcomes = import_records(connection, self._clock, database(connection, database_id), records, options)
        for waiting, outcome in zip(members, outcomes, strict=True):
            waiting.result = outcome
        if not options.skip_triggers:
            self._bell.ring(connection, ENGINE)

    def _open(self) -> Connection:
        """The connection; one that lay idle is tried first, since the database may have been started anew meanwhile."""
        if self._connection and time.monotonic() - self._used > _IDLE:
            try:
                self._connection.execute("SELECT 1")
            except psycopg.OperationalError:
                self._connection.close()
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url, "web imports")
        self._used = time.monotonic()
        return self._connection

    def _flush_bell(self, connection: Connection) -> None:
        try:
            self._bell.flush(connection)
        except psycopg.Error:
            connection.close()


def _deliver(batch: Sequence[_Waiting]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[_Waiting]] = defaultdict(list)
    for waiting in batch:
        loops[waiting.loop].append(waiting)
    for loop, members in loops.items():
        try:
            loop.call_soon_threadsafe(_deliver_all, members)
        except RuntimeError:
            log.warning("answers of imports had no taker", count=len(members))  # the server has ended


def _deliver_all(members: Sequence[_Waiting]) -> None:
    for waiting in members:
        waiting.deliver()
