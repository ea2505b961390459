"""The codes of the ledger's smallint columns."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Channel(IntEnum):
    """Channels; REQUEST stands for API requests and occurs in `dispatch` only."""

    EMAIL = 1
    SMS = 2
    PUSH = 3
    TELEGRAM = 4
    WHATSAPP = 5
    VIBER = 6
    NOTIFY = 7
    REQUEST = 100


class State(IntEnum):
    """Where a message or request stands on its way out."""

    PLANNED = 0
    HANDING_OVER = 1
    ACCEPTED = 2
    REJECTED = 3
    IN_DOUBT = 4
    CANCELLED = 5
    NOT_SENT = 9


class Reason(IntEnum):
    """Why a message was not sent, or was rejected."""

    NO_SUBSCRIPTION = 1
    STATUS_FORBIDS = 2
    NO_TEMPLATE = 3
    RENDER_ERROR = 4
    RECIPIENT_REFUSED = 5
    LIFETIME_OVER = 6
    CANCELLED = 7
    PROFILE_GONE = 8
    SUPPRESSED = 9
    CATEGORY_LEFT = 10


class Flag(IntFlag):
    """Properties of a planned message."""

    CONFIRMATION = 1
    """A confirmation letter: also reaches unconfirmed contacts."""
    AWAITED = 2
    """A passage rests until the outcome is known: whoever decides it writes a row into `answer_inbox`."""


CATEGORY_BITS = 2
"""From this bit on the flags hold the number of the category of the resource that a message belongs to; 0: none."""


SENT_STATES = (State.PLANNED, State.HANDING_OVER, State.ACCEPTED, State.IN_DOUBT)
"""States in which a message counts as sent for conditions: on its way, gone, or perhaps gone."""

PRIORITY_API, PRIORITY_NORMAL = 1, 5
"""Dispatch priorities: what API calls started goes first."""
