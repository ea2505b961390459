"""Where scenarios refer to segments: in their drafts and in versions that run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg

from sojourn.kernel.errors import SojournError
from sojourn.segments.store import Usage
from sojourn.segments.tree import parse_tree

_SCENARIOS = """
SELECT s.id, s.name, s.draft, (SELECT jsonb_agg(v.graph) FROM scenario_version v WHERE v.scenario_id = s.id AND NOT v.drained AND (s.active OR v.id = s.published_version_id))
  FROM scenario s
"""


def scenarios_with_segment(connection: psycopg.Connection[Any], segment_id: int) -> list[Usage]:
    """Scenarios one of whose rules names a segment, by number or by name."""
    row = connection.execute("SELECT name FROM segment WHERE id = %s", (segment_id,)).fetchone()
    names = {segment_id, row[0] if row else None}
    found = []
    for number, name, draft, graphs in connection.execute(_SCENARIOS):
        if any(reference in names for graph in (draft, *(graphs or ())) for reference in _references(graph)):
            found.append(Usage("scenario", number, name))
    return found


def _references(graph: dict[str, Any]) -> Iterator[int | str]:
    for node in graph.get("nodes", ()):
        rules = (node.get("settings") or {}).get("rules")
        if not rules:
            continue
        try:
            for rule in parse_tree(rules).rules():
                yield from rule.segments
        except SojournError:
            continue  # a draft may be unfinished
