"""Takes people along to a new version: one batch, lane by lane under the lane's lock, logged row by row, and undone while nobody has gone on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from sojourn.kernel import LANES, Clock
from sojourn.kernel.errors import Conflict, NotFound, Problem, SojournError
from sojourn.profiles import database
from sojourn.scenarios.clearing import remove_from_node
from sojourn.scenarios.compiler import Compiler
from sojourn.scenarios.editing import Waiting
from sojourn.scenarios.engine import LOCK_SPACE
from sojourn.scenarios.graph import ScenarioDocument
from sojourn.scenarios.nodes import node_types
from sojourn.scenarios.references import Catalogue
from sojourn.scenarios.stage import LANE, Awaits, Entry, Exit

Connection = psycopg.Connection[Any]
Move = int | Literal["exit", "stay"]
"""Where people of a removed node go: to another node, out, or nowhere: they finish on their own version."""


@dataclass(frozen=True)
class Migration:
    """A batch of people who were taken along."""

    id: int
    scenario_id: int
    version_id: int
    version: int
    at: datetime
    by_user: int | None
    moved: int
    taken_out: int
    undone_at: datetime | None


def check_moves(waiting: list[Waiting], moves: Mapping[int, Move], draft: ScenarioDocument) -> None:
    """Refuse destinations that cannot be.

    Raises:
        SojournError: `bad_moves` with a problem for each.
    """
    gone = {group.node_id for group in waiting if group.fate == "gone"}
    problems = []
    for node, target in moves.items():
        if node not in gone:
            problems.append(Problem("not_removed", f"People at step {node} need no destination.", f"moves.{node}"))
        elif isinstance(target, int) and _category(draft, target) in (None, "trigger"):
            problems.append(Problem("unknown_node", f"The draft has no step {target} to go to.", f"moves.{node}"))
    if problems:
        raise SojournError("bad_moves", "People cannot be moved like this.", problems=problems)


def _category(draft: ScenarioDocument, number: int) -> str | None:
    node = draft.node(number)
    known = node_types().get(node.type) if node else None
    return known.category if known else None


def migrate(
    connection: Connection, clock: Clock, scenario_id: int, version_id: int, moves: Mapping[int, Move], *, user_id: int | None = None
) -> Migration:  # fmt: skip
    """Take everybody of older versions along to a version that was just published. Who stands at a node that it has stays there, until the same
    moment; `moves` tell where those of removed nodes go, and without one they finish on their own version.
    """
    new = _compiler(connection, scenario_id, version_id)
    row = connection.execute(
        "INSERT INTO scenario_migration (scenario_id, version_id, at, by_user, moves) VALUES (%s, %s, %s, %s, %s) RETURNING id",
        (scenario_id, version_id, clock.now(), user_id, Jsonb({str(node): target for node, target in moves.items()})),
    ).fetchone()
    assert row
    number, moved, taken_out = int(row[0]), 0, 0
    older = connection.execute(
        "SELECT v.id FROM scenario_version v WHERE v.scenario_id = %s AND v.id < %s AND NOT v.drained ORDER BY v.id",
        (scenario_id, version_id),
    ).fetchall()
    for (old_id,) in older:
        old = _compiler(connection, scenario_id, old_id)
        plan = _plan(old, new, moves)
        leaving = [node for node, target in moves.items() if target == "exit" and node in old.types]
        for lane in range(LANES):
            with connection.transaction():
                moved += _move_lane(connection, clock, lane, number, old, new, plan)
                for node in leaving:
                    taken_out += remove_from_node(connection, clock, lane, old_id, node)
    connection.execute(
        "UPDATE scenario_migration SET moved = %s, taken_out = %s WHERE id = %s", (moved, taken_out, number)
    )
    return get_migration(connection, number)


def _compiler(connection: Connection, scenario_id: int, version_id: int) -> Compiler:
    row = connection.execute("SELECT graph, doors FROM scenario_version WHERE id = %s", (version_id,)).fetchone()
    assert row
    graph = ScenarioDocument.model_validate(row[0])
    base = database(connection, int(graph.database))
    return Compiler(scenario_id, version_id, graph, base, Catalogue(connection), extra_doors=tuple(row[1]))


def _plan(old: Compiler, new: Compiler, moves: Mapping[int, Move]) -> list[tuple[int, int, bool]]:
    """(node, target, before it) for every node of the old version whose people are taken along."""
    resting, plan = new.resting_nodes(), []
    for node, node_type in old.types.items():
        target = moves.get(node)
        if isinstance(target, int):
            plan.append((node, target, True))
        elif target is None and node in resting and new.types[node].code == node_type.code:
            plan.append((node, node, False))
    return plan


# A step that was begun (a message or request whose answer is awaited) keeps its number: what comes next gets another one.
_MOVE = f"""
WITH moved AS MATERIALIZED (
  UPDATE resting r SET version_id = %(new)s, node_id = x.target, awaits = CASE WHEN x.door THEN {int(Awaits.DOOR)} ELSE r.awaits END,
         due_at = CASE WHEN x.door THEN %(now)s ELSE r.due_at END, hop = r.hop + CASE WHEN x.door AND r.awaits = {int(Awaits.ANSWER)} THEN 1 ELSE 0 END, turns = {{turns}}
    FROM unnest(%(nodes)s::int[], %(targets)s::int[], %(at_doors)s::boolean[]) x(node, target, door)
   WHERE r.lane = {LANE} AND r.version_id = %(old)s AND r.node_id = x.node
  RETURNING r.passage_id, r.profile_id, old.hop, old.due_at, old.awaits, old.turns, old.node_id, new.node_id AS target_id, x.door),
logged AS (
  INSERT INTO scenario_migration_row (migration_id, passage_id, profile_id, due_at, version_id, node_id, target_id, hop, lane, awaits, to_door, turns)
  SELECT %(migration)s, passage_id, profile_id, due_at, %(old)s, node_id, target_id, hop, {LANE}, awaits, door, turns FROM moved)
SELECT node_id, target_id, door, count(*) FROM moved GROUP BY 1, 2, 3
"""


def _move_lane(
    connection: Connection, clock: Clock, lane: int, migration: int, old: Compiler, new: Compiler, plan: list[tuple[int, int, bool]]
) -> int:  # fmt: skip
    connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_SPACE, lane))
    now = clock.now()
    rows = connection.execute(
        _MOVE.format(turns=_turns(old.doors, new.doors)),
        {
            "new": new.version_id, "old": old.version_id, "now": now, "lane": lane, "migration": migration, "nodes": [node for node, _, _ in plan],
            "targets": [target for _, target, _ in plan], "at_doors": [door for _, _, door in plan],
        },
    ).fetchall()  # fmt: skip
    for node, target, door, count in rows:
        if door:
            _count(connection, now, lane, old.version_id, node, new.version_id, target, count)
    return sum(row[3] for row in rows)


def _turns(old: list[int], new: list[int]) -> str:
    """SQL: how often a passage came round to each door of the new version."""
    if not new:
        return "NULL::smallint[]"
    cells = [f"coalesce(r.turns[{old.index(door) + 1}], 0)" if door in old else "0" for door in new]
    return f"ARRAY[{', '.join(cells)}]::smallint[]"


_ROUTE = """
INSERT INTO route (version_id, nodes, outputs, entry, exit, exit_node) VALUES (%s, '{}', '{}', %s, %s, %s) ON CONFLICT DO NOTHING
"""
_COUNT = """
INSERT INTO counter (hour, n, route_id, lane)
SELECT date_trunc('hour', %s::timestamptz), %s, route_id, %s FROM route WHERE version_id = %s AND nodes = '{}' AND entry = %s AND exit = %s AND exit_node = %s
"""


def _count(
    connection: Connection, now: datetime, lane: int, version_id: int, node: int, to_version: int, target: int, count: int
) -> None:  # fmt: skip
    """People leave one node and stand before another: two ways without a visit."""
    for version, entry, exit_, place in (
        (version_id, Entry.WOKE, Exit.MOVED, node),
        (to_version, Entry.MOVED, Exit.RESTS, target),
    ):
        connection.execute(_ROUTE, (version, int(entry), int(exit_), place))
        connection.execute(_COUNT, (now, count, lane, version, int(entry), int(exit_), place))


# ---------------------------------------------------------------------------------------------- undoing

_GET = """
SELECT m.id, m.scenario_id, m.version_id, v.number, m.at, m.by_user, m.moved, m.taken_out, m.undone_at
  FROM scenario_migration m JOIN scenario_version v ON v.id = m.version_id
"""


def get_migration(connection: Connection, number: int) -> Migration:
    """A batch.

    Raises:
        NotFound: `unknown_migration`.
    """
    row = connection.execute(_GET + " WHERE m.id = %s", (number,)).fetchone()
    if row is None:
        raise NotFound("unknown_migration", f"There is no migration {number}.", "id")
    return Migration(*row)


def list_migrations(
    connection: Connection, scenario_id: int, *, before: int | None = None, limit: int = 20
) -> list[Migration]:
    """The batches of a scenario, newest first; `before`: the number of the page before."""
    rows = connection.execute(
        _GET + " WHERE m.scenario_id = %s AND m.id < %s ORDER BY m.id DESC LIMIT %s",
        (scenario_id, before or (1 << 62), limit),
    )
    return [Migration(*row) for row in rows]


_STILL = """EXISTS (SELECT FROM resting r WHERE r.lane = m.lane AND r.profile_id = m.profile_id AND r.passage_id = m.passage_id AND r.version_id = %(new)s
    AND r.node_id = m.target_id AND r.hop = m.hop + CASE WHEN m.to_door AND m.awaits = 1 THEN 1 ELSE 0 END)"""
_GONE_ON = f"SELECT count(*) FROM scenario_migration_row m WHERE m.migration_id = %(migration)s AND NOT {_STILL}"
_BACK = """
WITH back AS MATERIALIZED (
  UPDATE resting r SET version_id = m.version_id, node_id = m.node_id, due_at = m.due_at, awaits = m.awaits, hop = m.hop, turns = m.turns
    FROM scenario_migration_row m WHERE m.migration_id = %(migration)s AND m.lane = %(lane)s::smallint AND r.lane = m.lane AND r.profile_id = m.profile_id AND r.passage_id = m.passage_id
  RETURNING m.version_id, m.node_id, m.target_id, m.to_door)
SELECT version_id, node_id, target_id, to_door, count(*) FROM back GROUP BY 1, 2, 3, 4
"""


def undo_migration(connection: Connection, clock: Clock, number: int) -> Migration:
    """Put everybody of a batch back to where he stood, in one transaction. Who was taken out stays out.

    Raises:
        NotFound: `unknown_migration`. Conflict: `undone_already`; `gone_on` if somebody has made a step since.
    """
    known = get_migration(connection, number)
    if known.undone_at is not None:
        raise Conflict("undone_already", "This was undone already.", "id")
    with connection.transaction():
        for lane in range(LANES):
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_SPACE, lane))
        values = {"migration": number, "new": known.version_id}
        row = connection.execute(_GONE_ON, values).fetchone()
        if row and row[0]:
            raise Conflict(
                "gone_on", f"{row[0]} of these people have gone on since: it cannot be undone any more.", "id"
            )
        now = clock.now()
        versions = set()
        for lane in range(LANES):
            for version, node, target, door, count in connection.execute(_BACK, {**values, "lane": lane}).fetchall():
                versions.add(version)
                if door:
                    _count(connection, now, lane, known.version_id, target, version, node, count)
        connection.execute("UPDATE scenario_version SET drained = false WHERE id = ANY(%s)", (list(versions),))
        connection.execute("UPDATE scenario_migration SET undone_at = %s WHERE id = %s", (now, number))
    return get_migration(connection, number)
