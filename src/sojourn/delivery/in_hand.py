"""What a worker has in its hands: claims, and results that are not yet recorded. They survive the loss of the database connection."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import psycopg

from sojourn.channels.transport import LedgerKey
from sojourn.delivery.claiming import Claim
from sojourn.delivery.request_results import RequestResult, record_request_results
from sojourn.delivery.results import Result, record_results
from sojourn.kernel import Clock

FLUSH_RESULTS, FLUSH_SECONDS = 500, 0.2
"""Results are recorded when there are so many, or when the oldest has waited so long."""


class InHand:
    """Claims and results of one worker."""

    def __init__(self, worker_id: int, clock: Clock) -> None:
        self.worker_id = worker_id
        self._clock = clock
        self._claims: dict[LedgerKey, Claim] = {}
        self._results: list[Result] = []
        self._request_results: list[RequestResult] = []
        self._finished: list[int] = []
        self._oldest = 0.0

    def take(self, claims: dict[LedgerKey, Claim]) -> None:
        """Note what was claimed."""
        self._claims |= claims

    def priority(self, key: LedgerKey) -> int:
        """The priority under which it was planned."""
        return self._claims[key].priority

    @property
    def claim_ids(self) -> list[int]:
        """Claims that are in memory, finished ones included until they are recorded."""
        return list({claim.id for claim in self._claims.values()} | set(self._finished))

    @property
    def unfinished(self) -> list[LedgerKey]:
        """What has no result yet."""
        return list(self._claims)

    @property
    def empty(self) -> bool:
        """Whether there is nothing left to do or to record."""
        return not (self._claims or self._finished or self._results or self._request_results)

    def add(self, result: Result | RequestResult) -> None:
        """Note a result; a second one for the same message is ignored."""
        claim = self._claims.pop(result.key, None)
        if claim is None:
            return
        if not (self._results or self._request_results):
            self._oldest = time.monotonic()
        if isinstance(result, Result):
            self._results.append(result)
        else:
            self._request_results.append(result)
        claim.left -= 1
        if not claim.left:
            self._finished.append(claim.id)

    def add_all(self, results: Iterable[Result | RequestResult]) -> None:
        """Note results."""
        for result in results:
            self.add(result)

    @property
    def due(self) -> bool:
        """Whether it is time to record."""
        waiting = len(self._results) + len(self._request_results)
        return waiting >= FLUSH_RESULTS or (waiting > 0 and time.monotonic() - self._oldest > FLUSH_SECONDS)

    def flush(self, connection: psycopg.Connection[Any]) -> bool:
        """Record everything; tells whether passages wait for it. If the database is away, everything stays for the next time."""
        if not (self._results or self._request_results or self._finished):
            return False
        with connection.transaction():
            awaited = record_request_results(connection, self._clock, self.worker_id, self._request_results)
            awaited |= record_results(connection, self._clock, self.worker_id, self._results, self._finished)
        self._results, self._request_results, self._finished = [], [], []
        return awaited
