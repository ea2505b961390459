"""Records opens and clicks in small batches: one statement for what comes within some 20 ms, on a thread and a connection of its own."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import psycopg

from sojourn.delivery.receipts import Receipt, record_receipts
from sojourn.kernel import Clock
from sojourn.kernel.database import connect
from sojourn.kernel.errors import Unavailable
from sojourn.kernel.wakeups import ENGINE, Bell

_log = logging.getLogger(__name__)
_WINDOW = 0.02
_BATCH = 1000
_WAITING_LIMIT = 500_000
_LONGEST_PAUSE = 5.0
_Entry = tuple[Receipt, "Future[None]"]


class Recorder:
    """Takes receipts from any thread. A receipt is kept in memory until the database has it, also while the database is away;
    only the end of the process loses what waits, and `stop` writes that first."""

    def __init__(self, database_url: str, clock: Clock) -> None:
        self._url = database_url
        self._clock = clock
        self._waiting: queue.SimpleQueue[_Entry] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._connection: psycopg.Connection[Any] | None = None
        self._bell = Bell(0)

    def start(self) -> None:
        """Begin to record."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="sojourn-recorder", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Write what waits, then end; gives up after `timeout` seconds and says how much was lost."""
        self._stopping.set()
        if self._thread:
            self._thread.join(timeout)
            self._thread = None
        if lost := self._waiting.qsize():
            _log.error("%d receipts of messages were lost: the database could not be reached.", lost)

    def record(self, receipt: Receipt) -> Future[None]:
        """Have a receipt recorded. The result comes when it is durable.

        Raises:
            Unavailable: too many wait already.
        """
        if self._waiting.qsize() >= _WAITING_LIMIT:
            raise Unavailable("recorder_full", "Too many receipts wait for the database.")
        done: Future[None] = Future()
        self._waiting.put((receipt, done))
        return done

    def _run(self) -> None:
        while not (self._stopping.is_set() and self._waiting.empty()):
            if batch := self._collected():
                self._written(batch)
        if self._connection:
            self._connection.close()
            self._connection = None

    def _collected(self) -> list[_Entry]:
        try:
            batch = [self._waiting.get(timeout=0.1)]
        except queue.Empty:
            return []
        if not self._stopping.is_set():
            time.sleep(_WINDOW)
        while len(batch) < _BATCH and not self._waiting.empty():
            batch.append(self._waiting.get_nowait())
        return batch

    def _written(self, batch: list[_Entry]) -> None:
        """Write a batch, waiting for the database as long as it takes, or, when stopping, trying once."""
        pause = 0.1
        while True:
            try:
                self._write([receipt for receipt, _ in batch])
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                self._connection = None
                if self._stopping.is_set():
                    _log.error("%d receipts of messages were lost: %s", len(batch), error)
                    return _fail(batch, error)
                _log.warning("Receipts of messages wait for the database: %s", error)
                self._stopping.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except Exception as error:
                if len(batch) == 1:
                    _log.exception("A receipt cannot be recorded: %s", batch[0][0])
                    return _fail(batch, error)
                for entry in batch:  # one bad receipt takes no others with it
                    self._written([entry])
                return None
            else:
                for _, done in batch:
                    done.set_result(None)
                return None

    def _write(self, receipts: Sequence[Receipt]) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url, "recorder")
        record_receipts(self._connection, self._clock, receipts)
        self._bell.ring(self._connection, ENGINE)


def _fail(batch: list[_Entry], error: Exception) -> None:
    for _, done in batch:
        done.set_exception(error)
