"""Tells sleeping processes that there is work: notifications, bundled, never inside the transaction that made the work."""

from __future__ import annotations

import time
from typing import Any

import psycopg

ENGINE, WORKER = "sojourn_engine", "sojourn_worker"


class Bell:
    """Rings at most once per `interval` seconds and channel; a ring that comes too early is remembered for `flush`."""

    def __init__(self, interval: float = 0.05) -> None:
        self._interval = interval
        self._last: dict[str, float] = {}
        self._waiting: set[str] = set()

    def ring(self, connection: psycopg.Connection[Any], channel: str) -> None:
        """Notify `channel` now, or remember it. The connection must be outside a transaction."""
        moment = time.monotonic()
        if moment - self._last.get(channel, 0.0) < self._interval:
            self._waiting.add(channel)
            return
        self._last[channel] = moment
        self._waiting.discard(channel)
        connection.execute("SELECT pg_notify(%s, '')", (channel,))

    def flush(self, connection: psycopg.Connection[Any]) -> None:
        """Ring what waits and is due."""
        for channel in tuple(self._waiting):
            self.ring(connection, channel)
