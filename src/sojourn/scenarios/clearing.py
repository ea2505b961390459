"""Takes everybody out of a scenario, lane by lane under the lane's lock, and cancels what was planned for them."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.delivery.sql import cancel_planned
from sojourn.kernel import LANES, Clock
from sojourn.scenarios.engine import LOCK_SPACE
from sojourn.scenarios.entry import taken_out_counter
from sojourn.scenarios.stage import END_REASON, LANE, Exit


def _statement() -> str:
    parts = [
        f"""gone AS MATERIALIZED (DELETE FROM resting r WHERE r.lane = {LANE} AND r.scenario_id = %(scenario)s
  RETURNING r.passage_id, r.profile_id, r.entered_at, r.version_id, r.node_id, r.hop, r.key, r.context)""",
        f"""ends AS (INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
  SELECT passage_id, profile_id, entered_at, %(now)s, %(scenario)s, version_id, node_id, hop, {LANE}, {END_REASON[Exit.REMOVED]}, key, context FROM gone)""",
        *(f"{name} AS ({body})" for name, body in cancel_planned("gone", LANE)),
        f"counted AS ({taken_out_counter('gone', '%(now)s::timestamptz', Exit.REMOVED)})",
    ]
    return "WITH " + ",\n".join(parts) + "\nSELECT count(*) FROM gone"


def remove_everybody(connection: psycopg.Connection[Any], clock: Clock, scenario_id: int) -> int:
    """End all live passages of a scenario as *removed*; tells how many."""
    removed = 0
    for lane in range(LANES):
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_SPACE, lane))
            row = connection.execute(
                _statement(), {"lane": lane, "scenario": scenario_id, "now": clock.now()}
            ).fetchone()
            removed += int(row[0]) if row else 0
    return removed


def count_inside(connection: psycopg.Connection[Any], scenario_id: int) -> int:
    """How many live passages a scenario has: an exact count, one scan."""
    row = connection.execute("SELECT count(*) FROM resting WHERE scenario_id = %s", (scenario_id,)).fetchone()
    return int(row[0]) if row else 0
