"""Who refers to segments: other segments, scheduled imports, and what upper rooms tell of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from sojourn.segments.tree import parse_tree

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """Who refers to a segment: `kind` is a word such as `scenario`."""

    kind: str
    id: int
    name: str

    @property
    def text(self) -> str:
        return f"{self.kind} “{self.name}”"


Finder = Callable[[Connection, Sequence[int]], Mapping[int, Sequence[Usage]]]
_finders: list[Finder] = []


def register_usage(find: Finder) -> None:
    """Let an upper room tell where it refers to some segments: `(connection, ids)` gives the usages by id."""
    if find not in _finders:
        _finders.append(find)


def usages(connection: Connection, segment_ids: Sequence[int]) -> dict[int, list[Usage]]:
    """Everything that refers to some segments, by their ids."""
    wanted = set(segment_ids)
    found: defaultdict[int, list[Usage]] = defaultdict(list)
    if not wanted:
        return found
    for number, name, resolved in connection.execute(
        "SELECT id, name, resolved FROM segment WHERE archived_at IS NULL AND resolved IS NOT NULL ORDER BY id"
    ):
        referred = {int(reference) for rule in parse_tree(resolved).rules() for reference in rule.segments}
        for segment_id in (referred & wanted) - {number}:
            found[segment_id].append(Usage("segment", number, name))
    for number, name, options in connection.execute("SELECT id, name, options FROM import_plan ORDER BY id"):
        for segment_id in _filled_by(options) & wanted:
            found[segment_id].append(Usage("import_plan", number, name))
    for find in _finders:
        for segment_id, ones in find(connection, sorted(wanted)).items():
            found[segment_id].extend(ones)
    return found


def usage(connection: Connection, segment_id: int) -> list[Usage]:
    """Everything that refers to a segment."""
    return usages(connection, [segment_id]).get(segment_id, [])


def _filled_by(options: Mapping[str, Any]) -> set[int]:
    """Static segments that an import fills or empties."""
    lists = (options.get(name) for name in ("add_to_segments", "remove_from_segments"))
    return {number for one in lists if isinstance(one, list) for number in one if isinstance(number, int)}
