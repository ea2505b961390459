"""What each room keeps about people, so that one person can be forgotten everywhere (`profiles.erasure`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Text = Mapping[Literal["en", "ru"], str]
OWN = "lane = ANY(%(lanes)s::smallint[]) AND profile_id = ANY(%(ids)s::bigint[])"
"""SQL: rows of the person in a table with a lane."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One kind of thing that a room keeps about people: how many there are, and the statements that remove them, in their order.

    The statements may name `%(ids)s`, `%(lanes)s` (of the profile and those that were merged into it), `%(contacts)s` and `%(database)s`;
    all of them run in one transaction, after the profile itself was deleted.
    """

    code: str
    title: Text
    count: str
    remove: tuple[str, ...]
    export: str | None = None
    """The rows that a person gets who asks for their data, oldest first; None: nothing they could use."""


_holdings: dict[str, Holding] = {}


def register_holding(holding: Holding) -> None:
    """Say what a room keeps; a second one of the same code takes its place."""
    _holdings[holding.code] = holding


def holdings() -> Iterator[Holding]:
    """All of them."""
    yield from _holdings.values()
