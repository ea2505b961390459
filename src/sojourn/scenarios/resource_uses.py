"""Which scenarios have to do with a resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg


@dataclass(frozen=True, slots=True)
class ScenarioUse:
    """A scenario, and whether it runs."""

    id: int
    name: str
    active: bool


# What is published names resources by number; drafts may name them too. Rules keep theirs deeper inside, under the same key.
_USES = """
SELECT s.id, s.name, s.active FROM scenario s LEFT JOIN scenario_version v ON v.id = s.published_version_id
 WHERE jsonb_path_exists(v.graph, '$.**.resource ? (@ == $id)', jsonb_build_object('id', %(id)s::int))
    OR jsonb_path_exists(s.draft, '$.**.resource ? (@ == $id || @ == $name)', jsonb_build_object('id', %(id)s::int, 'name', %(name)s::text))
 ORDER BY s.active DESC, s.name LIMIT 100
"""


def scenarios_with_resource(connection: psycopg.Connection[Any], resource_id: int, name: str) -> list[ScenarioUse]:
    """Scenarios whose published version or draft writes to the subscribers of a resource, or asks about them; 100 at most."""
    return [ScenarioUse(*row) for row in connection.execute(_USES, {"id": resource_id, "name": name})]
