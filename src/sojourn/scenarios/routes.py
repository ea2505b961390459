"""Routes: the ways through a stage, which trail and counters name by number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.types.numeric import Int4

from sojourn.scenarios.compiler import CompiledStage, CompiledVersion
from sojourn.scenarios.stage import Entry, Exit

_REGISTER = """
INSERT INTO route (version_id, nodes, outputs, entry, exit, exit_node)
SELECT %s, n::int[], o::smallint[], e, x, w FROM unnest(%s::text[], %s::text[], %s::smallint[], %s::smallint[], %s::int[]) r(n, o, e, x, w)
ON CONFLICT DO NOTHING
"""
_FIND = "SELECT route_id, nodes, outputs, entry, exit, exit_node FROM route WHERE version_id = %s"


def register_routes(
    connection: psycopg.Connection[Any], version: CompiledVersion, stages: Sequence[CompiledStage]
) -> list[dict[str, list[Int4]]]:
    """The values `routes_<leaf>` of each stage; routes that nobody knew are written. Engines that start together agree."""
    wanted = {_key(*route) for stage in stages for route in stage.routes}
    taken_out = [
        ((), (), int(Entry.WOKE), int(how), node_id)
        for node_id in version.wakes
        for how in (Exit.FAILED, Exit.REMOVED, Exit.RESTARTED, Exit.EXITED)
    ]
    known = _known(connection, version.version_id)
    missing = sorted((wanted | set(taken_out)) - known.keys())
    if missing:
        columns = list(zip(*missing, strict=True))
        nodes = ["{" + ",".join(map(str, way)) + "}" for way in columns[0]]
        outputs = ["{" + ",".join(map(str, way)) + "}" for way in columns[1]]
        connection.execute(
            _REGISTER, (version.version_id, nodes, outputs, list(columns[2]), list(columns[3]), list(columns[4]))
        )
        known = _known(connection, version.version_id)
    result = []
    for stage in stages:
        values = {}
        for number, leaf in enumerate(stage.leaves):
            # As int4: a list of small numbers would travel as smallint[] and be converted once a row.
            values[f"routes_{number}"] = [
                Int4(
                    known[
                        _key([n for n, _ in way], [o for _, o in way], int(stage.entry), int(leaf.exit), leaf.node_id)
                    ]
                )
                for way in leaf.flow.paths
            ]
        result.append(values)
    return result


_Key = tuple[tuple[int, ...], tuple[int, ...], int, int, int]


def _key(nodes: Sequence[int], outputs: Sequence[int], entry: int, exit_: int, node_id: int) -> _Key:
    return tuple(nodes), tuple(outputs), entry, exit_, node_id


def _known(connection: psycopg.Connection[Any], version_id: int) -> dict[_Key, int]:
    return {
        _key(nodes, outputs, entry, exit_, node): route
        for route, nodes, outputs, entry, exit_, node in connection.execute(_FIND, (version_id,))
    }
