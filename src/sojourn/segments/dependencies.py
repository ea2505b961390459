"""What segments depend on: other segments, happenings, and time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from sojourn.events.touching import listen
from sojourn.kernel.errors import SojournError
from sojourn.segments.definitions import StoredSegments
from sojourn.segments.rule import Rule
from sojourn.segments.tree import Tree, parse_tree

Connection = psycopg.Connection[Any]


def referred(
    segments: StoredSegments, tree: Tree | None, path: tuple[int, ...] = ()
) -> Iterator[tuple[int, Tree | None]]:
    """All segments that a tree refers to, through others too.

    Raises:
        SojournError: `segment_circle`. NotFound: `unknown_segment`.
    """
    if not tree:
        return
    for rule in parse_tree(tree).rules():
        for reference in rule.segments:
            number = int(reference)
            if number in path:
                raise SojournError("segment_circle", "The segments refer to each other in a circle.", "rules")
            definition = segments.segment(number)
            yield number, definition.tree
            yield from referred(segments, definition.tree, (*path, number))


def all_rules(segments: StoredSegments, tree: Tree | None) -> Iterator[Rule]:
    """The rules of a tree and of the dynamic segments that it unfolds."""
    if not tree:
        return
    for rule in parse_tree(tree).rules():
        yield rule
        for reference in rule.segments:
            definition = segments.segment(int(reference))
            if definition.kind == "dynamic":
                yield from all_rules(segments, definition.tree)


_UPDATABLE = "SELECT id, resolved FROM segment WHERE kind = 'updatable' AND archived_at IS NULL"


def refresh_listeners(connection: Connection) -> None:
    """Let the work list hold what the updatable segments need, in the transaction that changed them (under `lock_definitions`)."""
    kinds: set[str] = set()
    segments = StoredSegments(connection)
    for _, resolved in connection.execute(_UPDATABLE).fetchall():
        kinds.add("profile")  # whoever is new may fit
        for rule in all_rules(segments, resolved):
            kinds |= rule.touched_by()
    listen(connection, kinds)


def unfolding(connection: Connection, segment_id: int) -> list[int]:
    """Updatable segments whose rules contain those of a dynamic one: they change with it."""
    segments = StoredSegments(connection)
    return [
        number for number, resolved in connection.execute(_UPDATABLE).fetchall()
        if any(int(reference) == segment_id for rule in all_rules(segments, resolved) for reference in rule.segments)
    ]  # fmt: skip
