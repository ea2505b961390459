"""Settles what dead workers held, by their journals: what was accepted is recorded, what was never offered goes out again, and what was
offered without an answer is in doubt."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import structlog

from sojourn.channels.transport import LedgerKey, Outcome, Outgoing, Verdict
from sojourn.delivery.codes import Channel, State
from sojourn.delivery.journal import Entry, LeftJournal, WorkerLives, read_left, tidy
from sojourn.delivery.judging import result_of
from sojourn.delivery.registration import LOCK_SPACE
from sojourn.delivery.request_results import RequestResult, record_request_results
from sojourn.delivery.results import Result, record_results
from sojourn.kernel import Clock

log = structlog.get_logger("recovery")
HOST_PATIENCE = timedelta(minutes=15)
"""How long a worker's host may be silent before its journal is given up for lost. Longer than a worker cut off from the database goes on
offering what it holds (`worker.CLAIM_SECONDS` and the time-outs of the mail server)."""
_CHUNK = 1000

_DEAD = "SELECT id, journal FROM hand_over_worker WHERE id <> %s ORDER BY id LIMIT 100"
_SILENT_SINCE = """
SELECT greatest(w.started_at, (SELECT max(beat_at) FROM part_heartbeat h WHERE h.part = 'worker' AND h.host = w.host AND h.pid = w.pid))
  FROM hand_over_worker w WHERE w.id = %s
"""
_CLAIMS = "SELECT id, channel, priority, lane, passage_ids, hops FROM dispatch_claim WHERE worker_id = %s AND NOT id = ANY(%s) ORDER BY id"
_DEFINITIONS = """
SELECT q.lane, q.passage_id, q.hop, d.repeat_in_doubt OR d.method = 'GET'
  FROM unnest(%s::smallint[], %s::bigint[], %s::int[]) AS a(lane, passage_id, hop)
  JOIN request q ON q.lane = a.lane AND q.passage_id = a.passage_id AND q.hop = a.hop JOIN request_definition d ON d.id = q.definition_id
"""


def recover_dead_workers(
    connection: psycopg.Connection[Any], clock: Clock, folder: Path, own_id: int, *, host_patience: timedelta = HOST_PATIENCE
) -> bool:  # fmt: skip
    """Settle workers that are dead; `folder` holds the journals of this host. Tells whether passages wait for an outcome that is known now."""
    awaited = False
    for worker_id, journal in connection.execute(_DEAD, (own_id,)).fetchall():
        with connection.transaction():
            free = connection.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", (LOCK_SPACE, worker_id)).fetchone()
            if not (free and free[0]):
                continue
            try:
                left = read_left(folder / Path(journal).name)
            except WorkerLives:
                continue  # it has only lost its connection
            if left is None and not _given_up(connection, clock, worker_id, host_patience):
                continue
            awaited |= settle(connection, clock, worker_id, left or LeftJournal({}, trusted=False))
            connection.execute("DELETE FROM hand_over_worker WHERE id = %s", (worker_id,))
        (folder / Path(journal).name).unlink(missing_ok=True)
        log.info("settled a dead worker", worker=worker_id, journal="read" if left else "lost")
    tidy(folder, {row[0] for row in connection.execute("SELECT journal FROM hand_over_worker")})
    return awaited


def _given_up(connection: psycopg.Connection[Any], clock: Clock, worker_id: int, patience: timedelta) -> bool:
    row = connection.execute(_SILENT_SINCE, (worker_id,)).fetchone()
    return row is not None and clock.now() - row[0] > patience


def settle(
    connection: psycopg.Connection[Any], clock: Clock, worker_id: int, left: LeftJournal, *, except_claims: Iterable[int] = ()
) -> bool:  # fmt: skip
    """Give every claim of a worker its outcome; inside the caller's transaction or a new one. Tells whether passages wait for one."""
    awaited = False
    with connection.transaction():
        for claim_id, channel, priority, lane, passage_ids, hops in connection.execute(
            _CLAIMS, (worker_id, list(except_claims))
        ).fetchall():
            keys = [LedgerKey(lane, passage_id, hop) for passage_id, hop in zip(passage_ids, hops, strict=True)]
            for start in range(0, len(keys), _CHUNK):
                chunk = keys[start : start + _CHUNK]
                if channel == Channel.REQUEST:
                    results = _request_results(connection, clock, chunk, left, priority)
                    awaited |= record_request_results(connection, clock, worker_id, results)
                else:
                    found = [_message_result(key, Channel(channel), left, priority, clock) for key in chunk]
                    awaited |= record_results(connection, clock, worker_id, found)
            connection.execute("DELETE FROM dispatch_claim WHERE id = %s", (claim_id,))
    return awaited


def _message_result(key: LedgerKey, channel: Channel, left: LeftJournal, priority: int, clock: Clock) -> Result:
    entry = left.entries.get(key)
    verdict, at = _verdict(entry, left.trusted), entry.at if entry else clock.now()
    if (
        verdict is Verdict.RETRY
    ):  # the attempt counts; how many there were before, only the ledger knows: the shortest pause will do
        return Result(key, at, State.PLANNED, tried=1, not_before=clock.now(), priority=priority)
    outcome = Outcome(Outgoing(key, "", "", b""), verdict, _words(entry, left.trusted))
    result = result_of(outcome, 0, channel, at, 0, priority)
    result.version = None
    if verdict is Verdict.UNTRIED:
        result.not_before = clock.now()
    return result


def _verdict(entry: Entry | None, trusted: bool) -> Verdict:
    if entry is None:
        return Verdict.UNTRIED if trusted else Verdict.IN_DOUBT
    if entry.verdict is None:
        return Verdict.IN_DOUBT
    if entry.verdict in (Verdict.RETRY, Verdict.UNTRIED) and not trusted:
        return Verdict.IN_DOUBT  # it may have been offered once more
    return entry.verdict


def _words(entry: Entry | None, trusted: bool) -> str:
    if entry and entry.status:
        return f"{entry.status} (from the journal of a worker that died)"
    return "the worker died while handing over" if trusted else "the worker's host was lost"


def _request_results(
    connection: psycopg.Connection[Any], clock: Clock, keys: list[LedgerKey], left: LeftJournal, priority: int
) -> list[RequestResult]:
    values = [key.lane for key in keys], [key.passage_id for key in keys], [key.hop for key in keys]
    repeatable = {LedgerKey(*row[:3]): row[3] for row in connection.execute(_DEFINITIONS, values)}
    results = []
    for key in keys:
        entry = left.entries.get(key)
        verdict = _verdict(entry, left.trusted)
        at = entry.at if entry else clock.now()
        result = RequestResult(key, at, State.IN_DOUBT, answer=_words(entry, left.trusted), priority=priority)
        if verdict is Verdict.ACCEPTED:
            result.state, result.status = State.ACCEPTED, entry.status if entry else None
        elif verdict in (Verdict.REJECTED, Verdict.BAD_ADDRESS):
            result.state, result.status = State.REJECTED, (entry.status if entry else 0) or None
        elif verdict is not Verdict.IN_DOUBT or repeatable.get(key):
            result.state, result.not_before = State.PLANNED, clock.now()
            result.tried = int(verdict is not Verdict.UNTRIED)
        results.append(result)
    return results
