"""What each room keeps about people, so that one person can be forgotten everywhere (`profiles.erasure`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from sojourn.kernel.settings import Settings

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


FileEraser = Callable[[psycopg.Connection[Any], Settings, int], int]
_file_erasers: list[FileEraser] = []


def register_files(eraser: FileEraser) -> None:
    """Offer a function that removes files which may hold somebody of a database; `(connection, settings, database)` tells how many went."""
    if eraser not in _file_erasers:
        _file_erasers.append(eraser)


def erase_files(connection: psycopg.Connection[Any], settings: Settings, database_id: int) -> int:
    """Remove all files that may hold somebody of a database; a file cannot forget one of its rows."""
    return sum(eraser(connection, settings, database_id) for eraser in _file_erasers)


def holdings() -> Iterator[Holding]:
    """All of them."""
    yield from _holdings.values()
