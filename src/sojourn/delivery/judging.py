"""From the outcome of an attempt to what the ledger says: events, reasons, and when the next attempt comes."""

from __future__ import annotations

from datetime import datetime, timedelta

from sojourn.channels.transport import Outcome, Verdict
from sojourn.delivery.codes import Channel, Reason, State
from sojourn.delivery.results import Result
from sojourn.events import EventKind

RETRY_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240, 480, 480))
"""Pauses between attempts; after the last one the 24 hours of a message's life are over. Attempts count, not the age of the message: a
server that is away for days loses nothing."""


def next_attempt(attempts: int, at: datetime) -> datetime | None:
    """When to try again after `attempts` attempts, the last one at `at`; None: its life is over."""
    return at + RETRY_DELAYS[attempts - 1] if attempts <= len(RETRY_DELAYS) else None


def result_of(outcome: Outcome, attempts: int, channel: Channel, at: datetime, version: int, priority: int) -> Result:
    """The result of one attempt; `attempts` counts those before it."""
    result = Result(outcome.message.key, at, State.ACCEPTED, answer=outcome.answer, version=version, priority=priority)
    match outcome.verdict:
        case Verdict.ACCEPTED:
            result.event = EventKind.SENT
        case Verdict.BAD_ADDRESS:
            result.state, result.reason, result.event = State.REJECTED, Reason.RECIPIENT_REFUSED, EventKind.HARD_BOUNCE
        case Verdict.REJECTED:
            result.state, result.reason = State.REJECTED, Reason.RECIPIENT_REFUSED
            result.event = EventKind.SOFT_BOUNCE if channel is Channel.EMAIL else EventKind.UNDELIVERED
        case Verdict.IN_DOUBT:
            result.state = State.IN_DOUBT
        case Verdict.UNTRIED:
            result.state, result.tried = State.PLANNED, 0
            result.not_before = at + timedelta(seconds=outcome.delay)
        case Verdict.RETRY:
            result.not_before = next_attempt(attempts + 1, at)
            if result.not_before is None:
                result.state, result.reason, result.event = State.REJECTED, Reason.LIFETIME_OVER, EventKind.UNDELIVERED
            else:
                result.state = State.PLANNED
                result.event = EventKind.SOFT_BOUNCE if channel is Channel.EMAIL else None
    return result
