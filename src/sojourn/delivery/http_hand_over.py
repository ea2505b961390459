"""The worker's HTTP side: API requests, and text messages where a gateway is set. Nothing heavy is imported before the first call."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from sojourn.channels.transport import Journal, LedgerKey, Outcome, Outgoing
from sojourn.delivery.claiming import claim
from sojourn.delivery.codes import Channel, State
from sojourn.delivery.composing import Composer, Prepared, Refused
from sojourn.delivery.in_hand import InHand
from sojourn.delivery.judging import result_of
from sojourn.delivery.request_results import RequestResult
from sojourn.delivery.requesting import Asked, Requester, result_of_answer
from sojourn.delivery.results import Result
from sojourn.kernel import Clock, Settings

if TYPE_CHECKING:
    from sojourn.channels.outgoing_http import CallAnswer, HttpCaller

_CLAIM_PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class _Text:
    prepared: Prepared
    message: Outgoing


class HttpHandOver:
    """Calls on their way, and what each of them is."""

    def __init__(self, settings: Settings, clock: Clock, journal: Journal, composer: Composer, in_hand: InHand) -> None:
        self._settings = settings
        self._clock = clock
        self._journal = journal
        self._composer = composer
        self._in_hand = in_hand
        self._requester = Requester(clock)
        self._callers: dict[Channel, HttpCaller] = {}
        self._asked: dict[LedgerKey, Asked | _Text] = {}
        self._looked = float("-inf")

    @property
    def busy(self) -> bool:
        """Whether calls are on their way."""
        return bool(self._asked)

    @property
    def ripe(self) -> bool:
        """Whether it is time to look after calls again."""
        return time.monotonic() - self._looked > _CLAIM_PAUSE

    def collect(self) -> int:
        """Turn answers into results; tells how many there were."""
        answers = [answer for caller in self._callers.values() for answer in caller.finished()]
        self._settle(answers)
        return len(answers)

    def begin(self, connection: psycopg.Connection[Any]) -> tuple[int, bool]:
        """Claim what there is room for and begin the calls; tells how many, and whether passages wait for a refusal."""
        self._looked = time.monotonic()
        begun, answers = self._begin_requests(connection), False
        if self._settings.sms_url:
            sent, answers = self._begin_texts(connection, self._settings.sms_url)
            begun += sent
        return begun, answers

    def _begin_requests(self, connection: psycopg.Connection[Any]) -> int:
        room = self._room(Channel.REQUEST)
        if not room:
            return 0
        claimed = claim(connection, self._clock, self._in_hand.worker_id, Channel.REQUEST, room)
        self._in_hand.take(claimed.claims)
        if claimed.requests:
            try:
                calls, failed = self._requester.calls(connection, claimed.requests)
            except BaseException:
                now = self._clock.now()
                self._in_hand.add_all(
                    RequestResult(key, now, State.PLANNED, tried=0, not_before=now, priority=one.priority)
                    for key, one in claimed.claims.items()
                )
                raise
            self._in_hand.add_all(failed)
            for asked, call in calls:
                self._asked[call.key] = asked
                self._caller(Channel.REQUEST).submit(call)
        return claimed.taken

    def _begin_texts(self, connection: psycopg.Connection[Any], url: str) -> tuple[int, bool]:
        room = self._room(Channel.SMS)
        if not room:
            return 0, False
        claimed = claim(connection, self._clock, self._in_hand.worker_id, Channel.SMS, room)
        self._in_hand.take(claimed.claims)
        try:
            prepared, refused = self._composer.prepare(connection, claimed.messages)
        except BaseException:
            now = self._clock.now()
            self._in_hand.add_all(
                Result(key, now, State.PLANNED, tried=0, not_before=now, priority=one.priority)
                for key, one in claimed.claims.items()
            )
            raise
        for one in prepared:
            message = self._composer.compose(Channel.SMS, one)
            if isinstance(message, Refused):
                refused.append(message)
            else:
                self._send_text(one, message, url)
        now = self._clock.now()
        self._in_hand.add_all(
            Result(one.message.key, now, State.NOT_SENT, one.reason, one.text, tried=0) for one in refused
        )
        return claimed.taken, claimed.answers

    def _send_text(self, prepared: Prepared, message: Outgoing, url: str) -> None:
        from sojourn.channels.sms.gateway import sms_call

        self._asked[message.key] = _Text(prepared, message)
        call = sms_call(url, self._settings.sms, self._settings.request_timeout, message)
        self._caller(Channel.SMS).submit(call)

    def _room(self, channel: Channel) -> int:
        caller = self._callers.get(channel)
        return caller.room if caller else 64

    def _caller(self, channel: Channel) -> HttpCaller:
        from sojourn.channels.outgoing_http import HttpCaller

        if channel not in self._callers:
            # The gateway was chosen by the operator; where scenarios call is checked.
            guarded = self._settings.private_hosts if channel is Channel.REQUEST else None
            self._callers[channel] = HttpCaller(self._journal, guarded)
        return self._callers[channel]

    def _settle(self, answers: list[CallAnswer]) -> None:
        now = self._clock.now()
        for answer in answers:
            asked = self._asked.pop(answer.key)
            priority = self._in_hand.priority(answer.key)
            if isinstance(asked, Asked):
                self._in_hand.add(result_of_answer(asked, answer, now, priority))
                continue
            outcome = Outcome(asked.message, answer.verdict, answer.text)
            message, version = asked.prepared.message, asked.prepared.template.version
            self._in_hand.add(result_of(outcome, message.attempts, Channel.SMS, now, version, priority))

    def abandon(self) -> None:
        """Stop waiting for answers."""
        for caller in self._callers.values():
            self._settle(caller.abandon())

    def forget(self) -> None:
        """Stop waiting, and record nothing: others have decided about these calls."""
        self._asked.clear()
        self.close()

    def close(self) -> None:
        """End the threads."""
        for caller in self._callers.values():
            caller.close()
        self._callers = {}
