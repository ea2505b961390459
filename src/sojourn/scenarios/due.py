"""Finds due work: one statement over all lanes, with one index probe for each place where people can stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg


@dataclass(frozen=True)
class Place:
    """Where people can stand: before a start node (`captures`), or at a resting node of a version."""

    scenario_id: int
    version_id: int
    node_id: int
    captures: bool


@dataclass(frozen=True)
class Due:
    """A lane in which somebody is due at a place."""

    lane: int
    place: Place
    since: datetime
    priority: int


# LATERAL … LIMIT 1 keeps the probes on the index whatever the statistics say: 1,600 of them take 9 ms (docs/performance.md).
_RESTING = """
SELECT l.lane, p.n, r.due_at, 5 FROM unnest(%(lanes)s::smallint[]) l(lane), unnest(%(versions)s::int[], %(nodes)s::int[], %(numbers)s::int[]) p(version_id, node_id, n),
  LATERAL (SELECT due_at FROM resting r WHERE r.lane = l.lane AND r.version_id = p.version_id AND r.node_id = p.node_id AND r.due_at <= %(now)s ORDER BY r.due_at LIMIT 1) r
"""
_CAPTURED = """
SELECT l.lane, p.n, c.at, c.priority FROM unnest(%(lanes)s::smallint[]) l(lane), unnest(%(scenarios)s::int[], %(nodes)s::int[], %(numbers)s::int[]) p(scenario_id, node_id, n),
  LATERAL (SELECT at, priority FROM capture c WHERE c.lane = l.lane AND c.scenario_id = p.scenario_id AND c.node_id = p.node_id LIMIT 1) c
"""
_NEXT = """
SELECT min(r.due_at) FROM unnest(%(lanes)s::smallint[]) l(lane), unnest(%(versions)s::int[], %(nodes)s::int[]) p(version_id, node_id),
  LATERAL (SELECT due_at FROM resting r WHERE r.lane = l.lane AND r.version_id = p.version_id AND r.node_id = p.node_id AND r.due_at IS NOT NULL ORDER BY r.due_at LIMIT 1) r
"""


_ANY_CAPTURE = "SELECT EXISTS (SELECT FROM capture)"


def find_due(
    connection: psycopg.Connection[Any],
    lanes: Sequence[int],
    places: Sequence[Place],
    now: datetime,
    *,
    resting: bool = True,
) -> list[Due]:
    """Everything that is due, API starts first, then the oldest. Without `resting` only those at the door are looked for."""
    found: list[Due] = []
    row = connection.execute(_ANY_CAPTURE).fetchone()
    wanted = [(_CAPTURED, True)] if row and row[0] else []
    for statement, captures in [*wanted, *([(_RESTING, False)] if resting else [])]:
        numbers = [number for number, place in enumerate(places) if place.captures == captures]
        if not numbers:
            continue
        chosen = [places[number] for number in numbers]
        parameters = {
            "lanes": list(lanes), "now": now, "numbers": numbers, "nodes": [p.node_id for p in chosen], "versions": [p.version_id for p in chosen],
            "scenarios": [p.scenario_id for p in chosen],
        }  # fmt: skip
        found += [
            Due(lane, places[number], since, priority)
            for lane, number, since, priority in connection.execute(statement, parameters, prepare=True)
        ]
    found.sort(key=lambda due: (due.priority, due.since))
    return found


def next_due(connection: psycopg.Connection[Any], lanes: Sequence[int], places: Sequence[Place]) -> datetime | None:
    """The moment at which the next resting passage is due, if any has one."""
    resting = [place for place in places if not place.captures]
    if not resting:
        return None
    row = connection.execute(
        _NEXT,
        {"lanes": list(lanes), "versions": [p.version_id for p in resting], "nodes": [p.node_id for p in resting]},
        prepare=True,
    ).fetchone()
    return row[0] if row else None
