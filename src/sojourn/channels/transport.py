"""What hand-over workers and transports say to each other: messages out, outcomes back, and a journal in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol


class LedgerKey(NamedTuple):
    """The key of a message or request of the ledger."""

    lane: int
    passage_id: int
    hop: int

    @property
    def text(self) -> str:
        """The key as other systems see it: the same at every attempt."""
        return f"{self.lane}-{self.passage_id}-{self.hop}"


@dataclass(slots=True)
class Outgoing:
    """A message as it leaves. `content` is what goes over the wire: a whole letter, or the text of an SMS; the rest is for the sandbox mailbox."""

    key: LedgerKey
    sender: str
    recipient: str
    content: bytes
    subject: str = ""
    text: bytes = b""
    html: bytes = b""
    confirmation: bool = False


class Verdict(IntEnum):
    """What became of a message that was offered."""

    ACCEPTED = 1
    REJECTED = 2
    """Refused for good, for a reason that says nothing about the address."""
    BAD_ADDRESS = 3
    """Refused for good: there is no such recipient."""
    RETRY = 4
    """Refused for now; the attempt counts."""
    UNTRIED = 5
    """Not offered, or only the connection or the sender was refused; the attempt does not count."""
    IN_DOUBT = 6
    """Offered, and nobody knows whether it was taken."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on one message, with the other side's words. `delay`: seconds to wait before an untried message is offered again."""

    message: Outgoing
    verdict: Verdict
    answer: str = ""
    delay: float = 0.0


class Journal(Protocol):
    """Remembers, beyond the death of the process, what was offered and what was answered."""

    def offering(self, key: LedgerKey) -> None:
        """Right before the write after which the other side may take the message."""
        ...

    def answered(self, key: LedgerKey, verdict: Verdict, status: int = 0) -> None:
        """Right after the answer."""
        ...


class Transport(Protocol):
    """Hands messages over."""

    def hand_over(self, messages: Iterator[Outgoing]) -> Iterator[Outcome | None]:
        """Draw messages as they are needed and give their outcomes; None while waiting. Ends early, leaving messages undrawn, when the other side is away."""
        ...

    def pause(self) -> float:
        """Seconds for which nothing should be offered; 0 if ready."""
        ...

    def abandon(self) -> Iterator[Outcome]:
        """Give up waiting: outcomes of everything drawn."""
        ...

    def close(self) -> None:
        """Say good-bye."""
        ...
