"""Where scenarios refer to segments: in their drafts and in versions that run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg

from sojourn.kernel.errors import SojournError
from sojourn.segments.tree import parse_tree
from sojourn.segments.usage import Usage

_SCENARIOS = """
SELECT s.id, s.name, s.draft, (SELECT jsonb_agg(v.graph) FROM scenario_version v WHERE v.scenario_id = s.id AND NOT v.drained AND (s.active OR v.id = s.published_version_id))
  FROM scenario s ORDER BY s.id
"""


def scenarios_with_segments(
    connection: psycopg.Connection[Any], segment_ids: Sequence[int]
) -> Mapping[int, Sequence[Usage]]:
    """Scenarios one of whose rules names one of the segments, by number or by name."""
    numbers: dict[int | str, int] = {number: number for number in segment_ids}
    rows = connection.execute("SELECT name, id FROM segment WHERE id = ANY(%s)", (list(segment_ids),))
    numbers |= dict(rows.fetchall())
    found: defaultdict[int, list[Usage]] = defaultdict(list)
    for number, name, draft, graphs in connection.execute(_SCENARIOS):
        references = {one for graph in (draft, *(graphs or ())) for one in _references(graph)}
        for segment_id in {numbers[one] for one in references if one in numbers}:
            found[segment_id].append(Usage("scenario", number, name))
    return found


def _references(graph: dict[str, Any]) -> Iterator[int | str]:
    for node in graph.get("nodes", ()):
        settings = node.get("settings") or {}
        if isinstance(named := settings.get("segment"), int | str):
            yield named
        rules = settings.get("rules")
        if not rules:
            continue
        try:
            for rule in parse_tree(rules).rules():
                yield from rule.segments
        except SojournError:
            continue  # a draft may be unfinished
