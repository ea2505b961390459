"""Time is a parameter: domain code asks the clock it was given, so it runs the same live, in tests and in a simulation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the present moment."""

    def now(self) -> datetime:
        """The present moment, UTC and aware."""
        ...


class SystemClock:
    """The clock of the host."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class VirtualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        self.moment = start

    def now(self) -> datetime:
        return self.moment

    def advance(self, step: timedelta) -> datetime:
        """Move forward by `step` and tell the new moment."""
        self.moment += step
        return self.moment
