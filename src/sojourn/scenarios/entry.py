"""How people come into a stage: captured at a start node, woken from a rest, or carried over from an earlier stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sojourn.delivery.sql import cancel_planned
from sojourn.events import touch
from sojourn.kernel.statement import Bindings, quoted
from sojourn.profiles import Database
from sojourn.scenarios.durations import to_timedelta
from sojourn.scenarios.graph import Reentry
from sojourn.scenarios.stage import END_REASON, LANE, CarryEntry, Exit, Flow, Leaf, Stage
from sojourn.segments import RuleContext, predicate
from sojourn.segments.rule import Definitions
from sojourn.triggers.sql import claim_captures

ENTERED_BEFORE, INSIDE_NOW, TOO_SOON, PROFILE_GONE, BAD_DATA, FILTERED, TOO_OFTEN = range(1, 8)
"""Reasons of entry_refused."""
MOST_A_MINUTE = 100
"""Entries of one profile by happenings: scenarios that start each other would go round without end."""


@dataclass(frozen=True)
class Door:
    """What a start node asks of those who stand before it: an entry filter over a capture of the alias given, and the key of the entry."""

    database: Database
    rules: Mapping[str, Any]
    key_path: str | None
    definitions: Definitions
    by_happening: bool = False
    """Whether something that other scenarios do as well brings people here."""

    def key(self, alias: str, bindings: Bindings) -> str:
        """SQL: the key by which entries of one profile are told apart."""
        if self.key_path is None:
            return f"{alias}.key"
        path = bindings.bind(self.key_path.split("."), "text[]")
        return f"coalesce(nullif({alias}.key, ''), left({alias}.context #>> {path}, 200), '')"

    def accepts(self, alias: str, bindings: Bindings) -> str:
        """SQL: whether a capture passes the entry filter."""
        context = RuleContext(
            bindings, self.database, LANE, f"{alias}.profile_id", None, f"{alias}.at", "p", definitions=self.definitions, content=f"{alias}.context"
        )  # fmt: skip
        rule = predicate(dict(self.rules), context)
        if not rule.needs_profile:
            return rule.sql
        own = (
            f"SELECT * FROM {quoted(self.database.table)} p WHERE p.lane = {LANE} AND p.id = {alias}.profile_id LIMIT 1"
        )
        return f"(SELECT {rule.sql} FROM (SELECT 1) one LEFT JOIN LATERAL ({own}) p ON true)"


def captured_flow(stage: Stage, node_id: int, door: Door, reentry: Reentry) -> Flow:
    """Captures that get in, by the entry filter and the re-entry mode; who does not is recorded with the reason. Atomic under the lane's lock and `resting_live`."""
    database, bindings = door.database, stage.bindings
    scenario = stage.bind(stage.scenario_id, "int")
    # OFFSET 0 keeps it a probe for each row, even in a plan that was made while the table was empty.
    live = f"EXISTS (SELECT FROM resting r WHERE r.lane = {LANE} AND r.profile_id = {{0}}.profile_id AND r.scenario_id = {scenario} AND r.key = {{1}} OFFSET 0)"
    only = "true"
    if reentry.mode == "restart":  # those whose old passage has ended, and those who are refused
        only = f"NOT {live.format('c', door.key('c', bindings))}"
        if door.rules:
            only = f"({only} OR NOT ({door.accepts('c', bindings)}))"
    stage.part(
        "taken",
        claim_captures(stage.scenario_id, node_id, LANE, bindings, only, door.key("t", bindings)),
        materialized=True,
    )
    gone = f"NOT EXISTS (SELECT FROM {quoted(database.table)} p WHERE p.lane = {LANE} AND p.id = t.profile_id)"
    refusals = [f"WHEN {gone} THEN {PROFILE_GONE}"]
    if door.rules:
        refusals.append(f"WHEN NOT ({door.accepts('t', bindings)}) THEN {FILTERED}")
    if door.by_happening and reentry.mode != "never":
        refusals.append(f"WHEN {_too_often(scenario)} THEN {TOO_OFTEN}")
    if reentry.mode == "after_exit":
        refusals.append(f"WHEN {live.format('t', 't.key')} THEN {INSIDE_NOW}")
        if reentry.min_interval:
            refusals.append(f"WHEN {_recent(stage, reentry.min_interval)} THEN {TOO_SOON}")
    stage.part("judged", f"SELECT t.*, CASE {' '.join(refusals)} END AS refused FROM taken t", materialized=True)
    accepted = "(SELECT * FROM judged WHERE refused IS NULL)"
    key = "j.key"
    if reentry.mode == "never":
        stage.part(
            "first_time",
            f"""INSERT INTO entered (profile_id, scenario_id, lane, key) SELECT j.profile_id, {scenario}, {LANE}, j.key FROM {accepted} j
    ON CONFLICT DO NOTHING RETURNING profile_id""",
            materialized=True,
        )
        refused = f"""SELECT j.profile_id, j.at, coalesce(j.refused, {ENTERED_BEFORE}) AS reason, j.key FROM judged j
      WHERE NOT EXISTS (SELECT FROM first_time e WHERE e.profile_id = j.profile_id)"""
        source = f"{accepted} j JOIN first_time e USING (profile_id)"
    else:
        refused = "SELECT j.profile_id, j.at, j.refused AS reason, j.key FROM judged j WHERE j.refused IS NOT NULL"
        source = f"{accepted} j"
        if reentry.mode == "parallel":
            key = "j.passage_id::text"
            source = f"(SELECT j.*, nextval('passage_id_seq') AS passage_id FROM {accepted} j) j"
    stage.part(
        "refused",
        f"""INSERT INTO entry_refused (profile_id, at, scenario_id, node_id, lane, reason, key)
    SELECT q.profile_id, q.at, {scenario}, {stage.bind(node_id, "int")}, {LANE}, q.reason::smallint, q.key FROM ({refused}) q""",
    )
    passage = "j.passage_id" if reentry.mode == "parallel" else "nextval('passage_id_seq')"
    entering = f"""SELECT {passage} AS passage_id, j.profile_id, 1 AS first_hop, 1 AS hop, j.at, j.at AS entered_at, {key} AS key, j.context,
      NULL::smallint[] AS turns, 0 AS path FROM {source}"""
    return Flow(stage.part("entering", entering, materialized=True))


def _too_often(scenario: str) -> str:
    found = " + ".join(
        f"(SELECT count(*) FROM {table} h WHERE h.lane = {LANE} AND h.profile_id = t.profile_id AND h.scenario_id = {scenario} AND h.entered_at > t.at - interval '1 minute')"
        for table in ("passage_ended", "resting")
    )
    return f"{found} >= {MOST_A_MINUTE}"


def _recent(stage: Stage, interval: str) -> str:
    since = f"t.at - {stage.bind(to_timedelta(interval), 'interval')}"
    return f"""EXISTS (SELECT FROM passage_ended h WHERE h.lane = {LANE} AND h.profile_id = t.profile_id AND h.scenario_id = {stage.bind(stage.scenario_id, "int")}
      AND h.key = t.key AND h.entered_at > {since})"""


def restarted_text(stage: Stage, node_id: int, door: Door) -> tuple[str, tuple[Leaf, ...]]:
    """Mode *restart*: passages of those who stand at the door again end, and what they have planned is cancelled."""
    scenario = stage.bind(stage.scenario_id, "int")
    wanted = f" AND {door.accepts('c', stage.bindings)}" if door.rules else ""
    stage.part(
        "old",
        f"""DELETE FROM resting r USING (SELECT DISTINCT c.profile_id, {door.key("c", stage.bindings)} AS key FROM capture c WHERE c.lane = {LANE} AND c.scenario_id = {scenario}
      AND c.node_id = {stage.bind(node_id, "int")}{wanted}) c
    WHERE r.lane = {LANE} AND r.profile_id = c.profile_id AND r.scenario_id = {scenario} AND r.key = c.key
    RETURNING r.passage_id, r.profile_id, r.entered_at, r.node_id, r.version_id, r.hop, r.key, r.context""",
        materialized=True,
    )
    columns = "passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context"
    stage.part(
        "ends",
        f"""INSERT INTO passage_ended ({columns}) SELECT o.passage_id, o.profile_id, o.entered_at, %(now)s, {scenario}, o.version_id, o.node_id, o.hop, {LANE},
      {END_REASON[Exit.RESTARTED]}::smallint, o.key, o.context FROM old o""",
    )
    for name, body in cancel_planned("old", LANE):
        stage.part(name, body)
    stage.part("counted", taken_out_counter("old", "%(now)s::timestamptz", Exit.RESTARTED))
    stage.part("touched", touch("old x", "passage", profile="x.profile_id", lane=LANE))
    parts = ",\n".join(f"{name} AS {'MATERIALIZED ' if once else ''}(\n    {body})" for name, body, once in stage.parts)
    return f"WITH {parts}\nSELECT count(*), 0, 0 FROM old", ()


def taken_out_counter(source: str, moment: str, how: Exit) -> str:
    """Counts people who are taken out of where they rest (set with version_id and node_id), by the routes kept for that."""
    return f"""INSERT INTO counter (hour, n, route_id, lane) SELECT date_trunc('hour', {moment}), count(*), r.route_id, {LANE}
    FROM {source} o JOIN route r ON r.version_id = o.version_id AND r.nodes = '{{}}' AND r.exit_node = o.node_id AND r.exit = {int(how)}
    GROUP BY r.route_id"""


def woken_flow(stage: Stage, node_id: int) -> Flow:
    """Due passages of one resting node, at most `%(batch)s`, one per profile, oldest first. The caller holds the lane's lock.

    Joined by ctid: any other form can take 20 s instead of 0.15 s when statistics of `resting` are stale (measured).
    """
    return Flow(
        stage.part(
            "taken",
            f"""DELETE FROM resting r USING (
      SELECT DISTINCT ON (profile_id) ctid FROM (
        SELECT d.ctid, d.profile_id, d.passage_id FROM resting d
         WHERE d.lane = {LANE} AND d.version_id = {stage.bind(stage.version_id, "int")} AND d.node_id = {stage.bind(node_id, "int")} AND d.due_at <= %(now)s::timestamptz
         ORDER BY d.due_at LIMIT %(batch)s) d ORDER BY profile_id, passage_id) x
     WHERE r.ctid = x.ctid AND r.lane = {LANE}
    RETURNING r.passage_id, r.profile_id, r.hop AS first_hop, r.hop, r.due_at AS at, r.entered_at, r.key, r.context, r.turns, r.awaits, r.waits_since, 0 AS path""",
            materialized=True,
        )
    )


def carried_flow(stage: Stage, node_id: int, entry: CarryEntry) -> Flow:
    """Those whom an earlier stage of this pass carried to a node."""
    return Flow(
        stage.part(
            "taken",
            f"""DELETE FROM carried c WHERE c.node_id = {stage.bind(node_id, "int")} AND c.entry = {int(entry)}
    RETURNING c.passage_id, c.profile_id, c.hop AS first_hop, c.hop, c.at, c.entered_at, c.key, c.context, c.turns, 0 AS path""",
            materialized=True,
        )
    )


CARRIED_TABLE = """
CREATE TEMP TABLE IF NOT EXISTS carried (passage_id bigint, profile_id bigint, hop int, at timestamptz, entered_at timestamptz, key text, context jsonb,
  turns smallint[], node_id int, entry smallint) ON COMMIT DELETE ROWS
"""
"""Where passages stand between two stages of one transaction; one per connection of an engine."""
