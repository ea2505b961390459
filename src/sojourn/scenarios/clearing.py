"""Takes everybody out of a scenario, lane by lane under the lane's lock, and cancels what was planned for them."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.delivery.sql import cancel_planned
from sojourn.events import touch
from sojourn.kernel import LANES, Clock, lane_of
from sojourn.scenarios.engine import LOCK_SPACE
from sojourn.scenarios.entry import taken_out_counter
from sojourn.scenarios.stage import END_REASON, LANE, Exit


def _statement(whom: str) -> str:
    """Ends the passages in a lane under the condition `whom` over `resting r`."""
    parts = [
        f"""gone AS MATERIALIZED (DELETE FROM resting r WHERE r.lane = {LANE} AND {whom}
  RETURNING r.passage_id, r.profile_id, r.entered_at, r.scenario_id, r.version_id, r.node_id, r.hop, r.key, r.context)""",
        f"""ends AS (INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
  SELECT passage_id, profile_id, entered_at, %(now)s, scenario_id, version_id, node_id, hop, {LANE}, {END_REASON[Exit.REMOVED]}, key, context FROM gone)""",
        *(f"{name} AS ({body})" for name, body in cancel_planned("gone", LANE)),
        f"counted AS ({taken_out_counter('gone', '%(now)s::timestamptz', Exit.REMOVED)})",
        f"touched AS ({touch('gone x', 'passage', profile='x.profile_id', lane=LANE)})",
    ]
    return "WITH " + ",\n".join(parts) + "\nSELECT count(*) FROM gone"


def _in_lane(connection: psycopg.Connection[Any], clock: Clock, lane: int, whom: str, values: dict[str, Any]) -> int:
    connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_SPACE, lane))
    row = connection.execute(_statement(whom), {**values, "lane": lane, "now": clock.now()}).fetchone()
    return int(row[0]) if row else 0


def remove_profile(
    connection: psycopg.Connection[Any], clock: Clock, database_id: int, profile_id: int, cause: int
) -> None:
    """End all live passages of one profile as *removed*, in the caller's transaction, before the profile is deleted."""
    _in_lane(connection, clock, lane_of(profile_id), "r.profile_id = %(profile)s", {"profile": profile_id})


class PassagesFollow:
    """The passages of a profile that is merged end; the survivor's go on (`profiles.merging.Follower`)."""

    name = "scenarios"

    def leave(
        self, connection: psycopg.Connection[Any], clock: Clock, database_id: int, merged_id: int, cause: int
    ) -> None:
        remove_profile(connection, clock, database_id, merged_id, cause)

    def move(
        self, connection: psycopg.Connection[Any], clock: Clock, merged_id: int, survivor_id: int, cause: int
    ) -> Any:
        """The survivor has been wherever the merged one was, so nobody is led twice through what one passes once."""
        connection.execute(
            "INSERT INTO entered (profile_id, scenario_id, lane, key) SELECT %s, scenario_id, %s, key FROM entered WHERE lane = %s AND profile_id = %s"
            " ON CONFLICT DO NOTHING",
            (survivor_id, lane_of(survivor_id), lane_of(merged_id), merged_id),
        )

    def undo(
        self, connection: psycopg.Connection[Any], clock: Clock, merged_id: int, survivor_id: int, saved: Any, cause: int
    ) -> None:  # fmt: skip
        """Passages that ended do not begin again."""


def inside_of(connection: psycopg.Connection[Any], profile_id: int) -> list[str]:
    """The names of the scenarios that a profile is inside now."""
    rows = connection.execute(
        "SELECT DISTINCT s.name FROM resting r JOIN scenario s ON s.id = r.scenario_id WHERE r.lane = %s AND r.profile_id = %s ORDER BY 1",
        (lane_of(profile_id), profile_id),
    )
    return [row[0] for row in rows]


def remove_everybody(connection: psycopg.Connection[Any], clock: Clock, scenario_id: int) -> int:
    """End all live passages of a scenario as *removed*; tells how many."""
    removed = 0
    for lane in range(LANES):
        with connection.transaction():
            removed += _in_lane(connection, clock, lane, "r.scenario_id = %(scenario)s", {"scenario": scenario_id})
    return removed


def remove_from_node(
    connection: psycopg.Connection[Any], clock: Clock, lane: int, version_id: int, node_id: int
) -> int:
    """End the live passages of one lane that rest at a node of a version, as *removed*, in the caller's transaction; tells how many."""
    whom = "r.version_id = %(version)s AND r.node_id = %(node)s"
    return _in_lane(connection, clock, lane, whom, {"version": version_id, "node": node_id})


def remove_passage(
    connection: psycopg.Connection[Any], clock: Clock, scenario_id: int, profile_id: int, passage_id: int
) -> bool:
    """Take one passage out of a scenario as *removed*; tells whether it was inside."""
    whom = "r.profile_id = %(profile)s AND r.passage_id = %(passage)s AND r.scenario_id = %(scenario)s"
    values = {"profile": profile_id, "passage": passage_id, "scenario": scenario_id}
    with connection.transaction():
        return _in_lane(connection, clock, lane_of(profile_id), whom, values) > 0


def move_on(
    connection: psycopg.Connection[Any], clock: Clock, scenario_id: int, profile_id: int, passage_id: int
) -> bool:
    """Let one passage go on at once from where it rests, as if its moment had come; tells whether it was inside.

    Who waits for an answer goes on without it: what it waited for counts as not there yet.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK_SPACE, lane_of(profile_id)))
        return (
            connection.execute(
                "UPDATE resting SET due_at = least(due_at, %s), awaits = CASE WHEN awaits = 2 THEN awaits END"
                " WHERE lane = %s AND profile_id = %s AND passage_id = %s AND scenario_id = %s",
                (clock.now(), lane_of(profile_id), profile_id, passage_id, scenario_id),
            ).rowcount
            > 0
        )


def count_inside(connection: psycopg.Connection[Any], scenario_id: int) -> int:
    """How many live passages a scenario has: an exact count, one scan."""
    row = connection.execute("SELECT count(*) FROM resting WHERE scenario_id = %s", (scenario_id,)).fetchone()
    return int(row[0]) if row else 0
