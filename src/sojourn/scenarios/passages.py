"""Passages of people: where somebody is, and the way he came, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from sojourn.kernel import lane_of
from sojourn.profiles.aliases import with_merged
from sojourn.scenarios.graph import ScenarioDocument
from sojourn.scenarios.statistics import ports_of

REASONS = {1: "completed", 2: "exited", 3: "failed", 4: "removed", 5: "restarted", 6: "visit_cap"}


@dataclass(frozen=True)
class Step:
    """One visit of a node: by which output it was left, at which moment."""

    hop: int
    node_id: int
    title: str
    type: str
    output: str
    at: datetime


@dataclass(frozen=True)
class Passage:
    """One entry of a profile into a scenario. `reason` is None while it is live; then `node_id` is where it rests until `due_at`."""

    passage_id: int
    scenario_id: int
    scenario_name: str
    version_number: int
    entered_at: datetime
    ended_at: datetime | None
    reason: str | None
    failure: str | None
    node_id: int
    node_title: str
    due_at: datetime | None
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Person:
    """Somebody who rests at a node."""

    profile_id: int
    passage_id: int
    entered_at: datetime
    due_at: datetime | None


_PASSAGES = """
SELECT p.passage_id, p.lane, p.scenario_id, s.name, v.number, p.entered_at, p.ended_at, p.reason, f.message, p.node_id, p.due_at, v.draft
  FROM (SELECT passage_id, scenario_id, version_id, entered_at, NULL::timestamptz AS ended_at, NULL::smallint AS reason, node_id, due_at, lane
          FROM unnest(%(lanes)s::smallint[], %(ids)s::bigint[]) x(in_lane, id) JOIN resting ON lane = x.in_lane AND profile_id = x.id
        UNION ALL
        SELECT passage_id, scenario_id, version_id, entered_at, ended_at, reason, node_id, NULL, lane
          FROM unnest(%(lanes)s::smallint[], %(ids)s::bigint[]) x(in_lane, id) JOIN passage_ended ON lane = x.in_lane AND profile_id = x.id) p
  JOIN scenario s ON s.id = p.scenario_id JOIN scenario_version v ON v.id = p.version_id
  LEFT JOIN passage_failure f ON f.lane = p.lane AND f.passage_id = p.passage_id
 WHERE p.passage_id < %(before)s ORDER BY p.passage_id DESC LIMIT %(limit)s
"""
_STEPS = "SELECT passage_id, hop, node_id, output, at FROM step WHERE lane = ANY(%s::smallint[]) AND passage_id = ANY(%s) ORDER BY passage_id, hop"


def passages_of(
    connection: psycopg.Connection[Any], profile_id: int, *, before: int | None = None, limit: int = 20
) -> list[Passage]:
    """The passages of a profile and of those merged into it, newest first, with their steps; `before`: the passage id of the page before."""
    ids = with_merged(connection, profile_id)
    values = {"ids": list(ids), "lanes": [lane_of(one) for one in ids], "before": before or (1 << 62), "limit": limit}
    rows = connection.execute(_PASSAGES, values).fetchall()
    steps: dict[int, list[tuple[int, int, int, datetime]]] = {}
    for passage_id, hop, node_id, output, at in connection.execute(
        _STEPS, (sorted({row[1] for row in rows}), [row[0] for row in rows])
    ):
        steps.setdefault(passage_id, []).append((hop, node_id, output, at))
    found = []
    for passage_id, _, scenario_id, name, number, entered, ended, reason, failure, node_id, due, draft in rows:
        nodes = {node.id: node for node in ScenarioDocument.model_validate(draft).nodes}
        way = [
            Step(
                hop,
                node,
                nodes[node].title,
                nodes[node].type,
                ports_of(nodes[node])[output].id,
                at,
            )
            for hop, node, output, at in steps.get(passage_id, [])
        ]
        title = nodes[node_id].title if node_id in nodes else ""
        found.append(
            Passage(
                passage_id,
                scenario_id,
                name,
                number,
                entered,
                ended,
                REASONS.get(reason),
                failure,
                node_id,
                title,
                due,
                way,
            )
        )
    return found


def people_at(
    connection: psycopg.Connection[Any], scenario_id: int, node_id: int, *, after: int = 0, limit: int = 100
) -> list[Person]:
    """Who rests at a node now, in order of passage id, after `after`."""
    rows = connection.execute(
        """SELECT profile_id, passage_id, entered_at, due_at FROM resting WHERE scenario_id = %s AND node_id = %s AND passage_id > %s ORDER BY passage_id LIMIT %s""",
        (scenario_id, node_id, after, limit),
    )
    return [Person(*row) for row in rows]
