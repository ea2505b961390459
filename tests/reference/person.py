"""What the oracle keeps of one person. Everything about a person is here, so persons are independent of each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.reference.graph import Graph

PLANNED, HANDING_OVER, ACCEPTED, REJECTED, IN_DOUBT, CANCELLED, NOT_SENT = 0, 1, 2, 3, 4, 5, 9
"""States of messages and requests."""
NO_SUBSCRIPTION, STATUS_FORBIDS = 1, 2
"""Reasons of a message that was not sent at its turn."""
SUBSCRIBED, UNCONFIRMED = 0, 4


@dataclass
class Subscription:
    """One contact of a person in one channel."""

    contact: str
    resource: str
    channel: str
    status: int
    confirmed_at: datetime | None = None


@dataclass
class Message:
    """One row of the ledger."""

    node: int
    at: datetime
    channel: str
    resource: str
    template: str
    state: int
    reason: int | None
    contact: str | None
    confirmation: bool
    awaited: bool
    opened: bool = False
    clicked: bool = False


@dataclass
class Request:
    """One API request."""

    node: int
    at: datetime
    state: int = PLANNED


@dataclass
class Passage:
    """One entry into the scenario. `node` is where it rests, or where it ended."""

    graph: Graph
    version: int
    key: str
    entered_at: datetime
    context: Any
    node: int = -1
    hop: int = 1
    due: datetime | None = None
    awaits: str | None = None
    turns: dict[int, int] = field(default_factory=dict)
    steps: list[tuple[int, int, str, datetime]] = field(default_factory=list)
    messages: dict[int, Message] = field(default_factory=dict)
    requests: dict[int, Request] = field(default_factory=dict)
    codes: dict[int, tuple[int, str, datetime]] = field(default_factory=dict)
    ended: tuple[str, datetime] | None = None

    @property
    def live(self) -> bool:
        return self.ended is None


@dataclass
class Capture:
    """The person stands at a start node."""

    node: int
    at: datetime
    key: str
    context: Any


@dataclass
class Person:
    """A profile and everything that happened to it."""

    exists: bool
    fields: dict[str, Any]
    status: int | None = None
    number: int = 0
    """The profile's id, by which splits deal."""
    scenario: int = 0
    subscriptions: list[Subscription] = field(default_factory=list)
    captures: list[Capture] = field(default_factory=list)
    answers: list[tuple[Passage, int, datetime]] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    refusals: list[tuple[int, str, datetime, str]] = field(default_factory=list)
    changes: list[tuple[datetime, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    entered: set[str] = field(default_factory=set)

    def effective(self, subscription: Subscription) -> int:
        """What a sender obeys: the global status where it forbids, else the subscription's own."""
        return subscription.status if self.status in (None, SUBSCRIBED) else int(self.status or 0)

    def preferred(self, resource: str, channel: str) -> Subscription | None:
        """The one contact to write to: subscribed before unconfirmed before others, then the oldest."""
        found = [s for s in self.subscriptions if (s.resource, s.channel) == (resource, channel)]
        rank = {SUBSCRIBED: 0, UNCONFIRMED: 1}
        return min(found, key=lambda s: rank.get(self.effective(s), 2), default=None)

    def live(self, key: str) -> list[Passage]:
        """Passages that have not ended, of one key."""
        return [passage for passage in self.passages if passage.live and passage.key == key]

    def snapshot(self) -> tuple[Any, ...]:
        """All that can be seen from outside, in a form that can be compared and hashed. Passages have no names: twins are alike."""
        return (
            tuple(sorted((name, _plain(value)) for name, value in self.fields.items() if value is not None)),
            tuple(
                sorted(
                    (s.contact, s.resource, s.channel, s.status, s.confirmed_at is not None) for s in self.subscriptions
                )
            ),
            tuple(sorted(repr(_passage(passage)) for passage in self.passages)),
            tuple(sorted((node, reason, str(at), key) for node, reason, at, key in self.refusals)),
            tuple(sorted(repr((str(at), sorted(_items(old)), sorted(_items(new)))) for at, old, new in self.changes)),
            tuple(sorted((c.node, str(c.at), c.key, repr(c.context)) for c in self.captures)),
        )


PARTS = ("field", "subscription", "passage", "refusal", "change", "capture")
"""What `snapshot` has, in its order."""


def _plain(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return repr(sorted(value)) if isinstance(value, list) else repr(value)


def _items(values: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, _plain(value)) for name, value in values.items()]


def _passage(p: Passage) -> tuple[Any, ...]:
    place = (
        ("rests", p.node, p.hop, str(p.due), p.awaits)
        if p.ended is None
        else ("ended", p.node, p.hop, p.ended[0], str(p.ended[1]))
    )
    return (
        p.version, p.key, str(p.entered_at), p.context, place,
        [(hop, node, output, str(at)) for hop, node, output, at in p.steps],
        [(hop, m.node, str(m.at), m.channel, m.resource, m.template, m.state, m.reason, m.contact, m.confirmation, m.awaited, m.opened, m.clicked)
         for hop, m in sorted(p.messages.items())],
        [(hop, r.node, str(r.at), r.state) for hop, r in sorted(p.requests.items())],
        [(hop, node, pool, str(at)) for hop, (node, pool, at) in sorted(p.codes.items())],
    )  # fmt: skip
