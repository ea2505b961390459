"""SQL builder of captures for the engine."""

from __future__ import annotations

from sojourn.kernel.statement import Bindings


def claim_captures(
    scenario_id: int, node_id: int, lane: str, bindings: Bindings, only: str = "true", key: str = "t.key"
) -> str:
    """Take at most `%(batch)s` captures of a start node in one lane, one per profile; `only` is a condition over the capture `c`, `key` SQL for the key of the capture `t`.

    Joined by ctid: any other form can turn quadratic when statistics are stale. The caller holds the lane's lock.
    """
    return f"""DELETE FROM capture t USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT c.ctid, c.profile_id, c.at FROM capture c
         WHERE c.lane = {lane} AND c.scenario_id = {bindings.bind(scenario_id, "int")} AND c.node_id = {bindings.bind(node_id, "int")} AND {only}
         LIMIT %(batch)s) c ORDER BY profile_id, at) x
     WHERE t.ctid = x.ctid AND t.lane = {lane} RETURNING t.profile_id, t.at, {key} AS key, t.context"""


MOST_JUMPS = 100
"""How often a person may be sent on from one scenario to another without a break: against scenarios that send each other round."""


def jump(source: str, scenario: str, lane: str, *, hand_over: bool) -> str:
    """Those of `source` (profile_id, at, context, door) stand before the start node `door` of another scenario; all else is SQL.

    `hand_over`: with the content by which they came.
    """
    count = "jsonb_build_object('_jumps', coalesce((f.context -> '_jumps')::int, 0) + 1)"
    content = f"coalesce(f.context, '{{}}') || {count}" if hand_over else count
    return f"""INSERT INTO capture (profile_id, at, scenario_id, node_id, lane, priority, key, context)
    SELECT f.profile_id, f.at, {scenario}, f.door, {lane}, 1, '', {content} FROM {source} f"""


TAKE_POKES = """DELETE FROM wait_inbox w USING (SELECT ctid FROM wait_inbox WHERE lane = %(lane)s LIMIT %(limit)s) x
   WHERE w.ctid = x.ctid AND w.lane = %(lane)s RETURNING w.profile_id, w.at"""
"""Takes profiles with an event that somebody may wait for, in one lane whose lock the caller holds."""

DROP_FIRST = """DELETE FROM capture c USING (SELECT ctid FROM capture WHERE lane = %(lane)s AND scenario_id = %(scenario)s AND node_id = %(node)s LIMIT 1) x
   WHERE c.ctid = x.ctid AND c.lane = %(lane)s RETURNING c.*"""
"""Takes the capture that a claim of one would take."""
