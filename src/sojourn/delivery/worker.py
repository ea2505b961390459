"""The hand-over worker: claims planned messages and requests, hands them over, records what became of them. One process, one thread for
letters, one for HTTP calls. It never offers again what it holds, whatever happens to the database meanwhile."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import psycopg
import structlog

from sojourn.channels.transport import LedgerKey, Outcome, Outgoing, Transport, Verdict
from sojourn.delivery.claiming import claim
from sojourn.delivery.codes import Channel, State
from sojourn.delivery.composing import Composer, Prepared, Refused
from sojourn.delivery.http_hand_over import HttpHandOver
from sojourn.delivery.in_hand import InHand
from sojourn.delivery.journal import LeftJournal
from sojourn.delivery.judging import result_of
from sojourn.delivery.recovery import recover_dead_workers, settle
from sojourn.delivery.registration import Registration
from sojourn.delivery.results import Result
from sojourn.delivery.sandbox import SandboxTransport
from sojourn.kernel import Clock, Settings
from sojourn.kernel.database import connect, own_server_url
from sojourn.kernel.heartbeat import Heartbeat
from sojourn.kernel.wakeups import ENGINE, WORKER, Bell

log = structlog.get_logger("worker")
CLAIM_SECONDS = 300.0
"""What was not offered so long after it was claimed is given back: the contact was checked too long ago."""
BATCH, SMALLEST_BATCH, FIRST_BATCH = 1000, 10, 200
_BATCH_SECONDS = 5.0
"""A claim is no larger than what leaves in this time, so that a status that changes before the hand-over is respected."""
_RECOVERY_SECONDS = 10.0
_STOP_SECONDS = 10.0
_LONGEST_SLEEP, _BUSY_SLEEP = 1.0, 0.05


class Worker:
    """One worker on one connection at a time. `step` does what is due and tells how much that was."""

    def __init__(
        self, settings: Settings, clock: Clock, connection: psycopg.Connection[Any], *, stop: threading.Event | None = None
    ) -> None:  # fmt: skip
        self._settings = settings
        self._clock = clock
        self._stop = stop or threading.Event()
        self._folder = settings.data / "journal"
        self._composer = Composer(settings, clock)
        self._bell = Bell()
        self._connection = connection
        self._register()
        self._rate = FIRST_BATCH / _BATCH_SECONDS
        self._recovered = float("-inf")

    @property
    def worker_id(self) -> int:
        """The id under which this worker stands in the database."""
        return self._registration.worker_id

    def _register(self) -> None:
        _only_by_key(self._connection)
        self._registration = Registration(self._connection, self._clock, self._folder)
        self._in_hand = InHand(self._registration.worker_id, self._clock)
        journal, settings = self._registration.journal, self._settings
        self._email: Transport = SandboxTransport()
        if settings.smtp_url:
            from sojourn.channels.email.smtp import SmtpTransport

            self._email = SmtpTransport(settings.smtp_url, settings.smtp_connections, journal)
        self._sms_box = SandboxTransport()
        self._http = HttpHandOver(settings, self._clock, journal, self._composer, self._in_hand)

    def reconnect(self, connection: psycopg.Connection[Any]) -> None:
        """Go on with a new connection: record what is in hand, and give back a claim whose commit was never confirmed."""
        self._connection = connection
        _only_by_key(connection)
        if self._registration.resume(connection):
            self._flush()
            settle(
                connection, self._clock, self.worker_id, LeftJournal({}, trusted=True), except_claims=self._in_hand.claim_ids
            )  # fmt: skip
            return
        log.warning("others have settled what this worker held; it begins anew", worker=self.worker_id)
        self._http.forget()
        self._email.close()
        self._registration.journal.close()
        self._register()

    def step(self) -> int:
        """Do what is due; tells how many messages and requests were claimed or answered."""
        if time.monotonic() - self._recovered > _RECOVERY_SECONDS:
            self.recover()
        done = self._turn_http()
        done += self._turn(Channel.EMAIL, self._email)
        if not self._settings.sms_url:
            done += self._turn(Channel.SMS, self._sms_box)
        self._flush()
        self._bell.flush(self._connection)
        if self._in_hand.empty:
            self._registration.journal.forget()
        return done

    @property
    def busy(self) -> bool:
        """Whether answers are on their way, so that the next step should come soon."""
        return self._http.busy

    def recover(self) -> None:
        """Settle what dead workers held."""
        self._recovered = time.monotonic()
        if recover_dead_workers(self._connection, self._clock, self._folder, self.worker_id):
            self._bell.ring(self._connection, ENGINE)

    def _turn_http(self) -> int:
        """Collect answers of HTTP calls, begin new ones."""
        done = self._http.collect()
        if not self._stop.is_set():
            begun, answers = self._http.begin(self._connection)
            done += begun
            if answers:
                self._bell.ring(self._connection, ENGINE)
        return done

    def _turn(self, channel: Channel, transport: Transport) -> int:
        """One claim of letters (or of text messages for the sandbox), handed over and recorded."""
        if transport.pause() or self._stop.is_set():
            return 0
        room = max(SMALLEST_BATCH, min(BATCH, int(self._rate * _BATCH_SECONDS)))
        claimed = claim(self._connection, self._clock, self.worker_id, channel, room)
        if claimed.answers:
            self._bell.ring(self._connection, ENGINE)
        if not claimed.messages:
            return claimed.taken
        self._in_hand.take(claimed.claims)
        try:
            prepared, refused = self._composer.prepare(self._connection, claimed.messages)
        except BaseException:
            # Nothing was offered: other workers, or this one, will have another try.
            self._give_back([message.key for message in claimed.messages], 0.0)
            raise
        for one in refused:
            self._refuse(one)
        prepared.sort(key=lambda one: self._in_hand.priority(one.message.key))
        started = time.monotonic()
        self._hand_over(channel, transport, prepared)
        seconds = max(time.monotonic() - started, 0.001)
        self._rate = 0.5 * self._rate + 0.5 * (len(prepared) / seconds)
        return claimed.taken

    def _hand_over(self, channel: Channel, transport: Transport, prepared: Sequence[Prepared]) -> None:
        drawn: dict[LedgerKey, Prepared] = {}
        outcomes = transport.hand_over(self._composed(channel, prepared, drawn))
        stopping: float | None = None
        for outcome in outcomes:
            if outcome:
                self._note(channel, outcome, drawn[outcome.message.key])
            self._between()
            if self._stop.is_set():
                stopping = stopping or time.monotonic()
                if time.monotonic() - stopping > _STOP_SECONDS:
                    for left in transport.abandon():
                        self._note(channel, left, drawn[left.message.key])
                    break
        mine = {one.message.key for one in prepared}
        self._give_back([key for key in self._in_hand.unfinished if key in mine], transport.pause())

    def _composed(
        self, channel: Channel, prepared: Sequence[Prepared], drawn: dict[LedgerKey, Prepared]
    ) -> Iterator[Outgoing]:
        """The messages of a batch, each made when it is asked for."""
        deadline = time.monotonic() + CLAIM_SECONDS
        for one in prepared:
            if self._stop.is_set() or time.monotonic() > deadline:
                return
            message = self._composer.compose(channel, one)
            if isinstance(message, Refused):
                self._refuse(message)
            else:
                drawn[message.key] = one
                yield message

    def _note(self, channel: Channel, outcome: Outcome, prepared: Prepared) -> None:
        message = prepared.message
        priority, version = self._in_hand.priority(message.key), prepared.template.version
        result = result_of(outcome, message.attempts, channel, self._clock.now(), version, priority)
        if outcome.verdict is Verdict.ACCEPTED and (channel is not Channel.EMAIL or not self._settings.smtp_url):
            result.boxed = outcome.message
        self._in_hand.add(result)

    def _refuse(self, refused: Refused) -> None:
        self._in_hand.add(
            Result(refused.message.key, self._clock.now(), State.NOT_SENT, refused.reason, refused.text, tried=0)
        )

    def _give_back(self, keys: Sequence[LedgerKey], pause: float) -> None:
        now = self._clock.now()
        for key in keys:
            priority, later = self._in_hand.priority(key), now + timedelta(seconds=pause)
            self._in_hand.add(Result(key, now, State.PLANNED, tried=0, not_before=later, priority=priority))

    def _between(self) -> None:
        """Between two letters: record what is due, look after HTTP calls. Without a database the letters in hand still go out."""
        if not (self._in_hand.due or self._http.ripe):
            return
        try:
            if self._http.ripe:
                self._turn_http()
            if self._in_hand.due:
                self._flush()
        except psycopg.OperationalError:
            if not self._connection.closed:
                log.info("results kept, to be recorded later")

    def _flush(self) -> None:
        if self._in_hand.flush(self._connection):
            self._bell.ring(self._connection, ENGINE)

    def finish(self) -> None:
        """Wait a little for what is on its way, record everything, and leave the database as if this worker had never been."""
        deadline = time.monotonic() + _STOP_SECONDS
        while self._http.busy and time.monotonic() < deadline:
            if not self._http.collect():
                time.sleep(_BUSY_SLEEP)
        self._http.abandon()
        self._flush()
        self._email.close()
        self._http.close()
        self._registration.end(self._connection)


def _only_by_key(connection: psycopg.Connection[Any]) -> None:
    # Everything a worker does is a look-up by key. Other plans are mistakes of stale statistics, and may scan the ledger.
    connection.execute("SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off")


def run_worker(settings: Settings, clock: Clock, stop: threading.Event) -> None:
    """Run a worker until `stop`, then finish what is in hand. A lost database is waited for; results wait in memory meanwhile."""
    url = settings.database_url or own_server_url(settings)
    worker: Worker | None = None
    delay = 0.2
    while True:
        try:
            with connect(url, "worker") as connection, Heartbeat(url, "worker", clock):
                if worker:
                    worker.reconnect(connection)
                else:
                    worker = Worker(settings, clock, connection, stop=stop)
                connection.execute(f"LISTEN {WORKER}")
                delay = 0.2
                while not stop.is_set():
                    _turn(worker, connection)
                worker.finish()
                return
        except psycopg.OperationalError as error:
            if stop.is_set() and delay > 2:  # the journal tells the next worker everything
                log.warning("stopped without the database", reason=str(error).splitlines()[0])
                return
            log.warning("database lost, trying again", reason=str(error).splitlines()[0], seconds=round(delay, 1))
            (time.sleep if stop.is_set() else stop.wait)(delay * random.uniform(0.8, 1.2))
            delay = min(5.0, delay * 2)


def _turn(worker: Worker, connection: psycopg.Connection[Any]) -> None:
    try:
        done = worker.step()
    except psycopg.errors.TransactionRollback as error:
        log.info("transaction repeated", reason=str(error).splitlines()[0])
        return
    _listen(connection, 0.0 if done else _BUSY_SLEEP if worker.busy else _LONGEST_SLEEP)


def _listen(connection: psycopg.Connection[Any], seconds: float) -> None:
    for _ in connection.notifies(timeout=seconds, stop_after=1):
        pass
