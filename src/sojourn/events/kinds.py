"""The kinds of events and their names."""

from __future__ import annotations

from enum import IntEnum


class EventKind(IntEnum):
    """What happened; the number stands in `event.kind`."""

    SENT = 1
    DELIVERED = 2
    OPENED = 3
    CLICKED = 4
    CONFIRMED = 5
    UNSUBSCRIBED = 6
    UNDELIVERED = 7
    SOFT_BOUNCE = 8
    HARD_BOUNCE = 9
    COMPLAINED = 10
    WEB_VERSION = 11
    REQUEST_ANSWERED = 12
    PROMO_CODE_ASSIGNED = 13
    GOAL = 14

    @property
    def word(self) -> str:
        """The name in APIs: lower case, underscores."""
        return self.name.lower()
