"""What happens to a passage whose own data make its pass fail, and to a node that cannot run at all."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg

from sojourn.events import touch
from sojourn.triggers.sql import DROP_FIRST

if TYPE_CHECKING:
    from sojourn.scenarios.compiler import CompiledVersion, Pass

# The same choice as the claim of a pass makes at batch size one, so the culprit is the one that failed.
_FAIL_RESTING = f"""
WITH culprit AS (
  DELETE FROM resting r USING (SELECT ctid FROM resting WHERE lane = %(lane)s AND version_id = %(version)s AND node_id = %(node)s AND due_at <= %(now)s ORDER BY due_at LIMIT 1) x
   WHERE r.ctid = x.ctid AND r.lane = %(lane)s RETURNING r.*),
ended AS (
  INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context)
  SELECT passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, 3, key, context FROM culprit),
touched AS ({touch("culprit", "passage")}),
counted AS (
  INSERT INTO counter (hour, n, route_id, lane)
  SELECT date_trunc('hour', c.due_at), 1, r.route_id, c.lane FROM culprit c
    JOIN route r ON r.version_id = c.version_id AND r.nodes = '{{}}' AND r.exit_node = c.node_id AND r.exit = 4)
INSERT INTO passage_failure (passage_id, at, profile_id, scenario_id, version_id, node_id, hop, lane, code, message)
SELECT passage_id, due_at, profile_id, scenario_id, version_id, node_id, hop, lane, %(code)s, %(message)s FROM culprit
"""
_FAIL_CAPTURE = f"""
WITH culprit AS ({DROP_FIRST})
INSERT INTO entry_refused (profile_id, at, scenario_id, node_id, lane, reason, key) SELECT profile_id, at, scenario_id, node_id, lane, 5, key FROM culprit
"""


def fail_one(
    connection: psycopg.Connection[Any],
    version: CompiledVersion,
    done: Pass,
    lane: int,
    now: datetime,
    error: psycopg.Error,
) -> None:
    """End the passage that is first in line as failed, with the reason; a capture is refused with reason 5 (its data do not fit)."""
    parameters = {
        "lane": lane, "version": version.version_id, "scenario": version.scenario_id, "node": done.node_id, "now": now, "code": error.sqlstate or "error",
        "message": str(error).splitlines()[0][:500],
    }  # fmt: skip
    connection.execute(_FAIL_CAPTURE if done.captures else _FAIL_RESTING, parameters)


def hold_node(connection: psycopg.Connection[Any], version_id: int, node_id: int, now: datetime, reason: str) -> None:
    """Hold a node: nobody moves on from it until it is released, and nobody is lost."""
    connection.execute(
        "INSERT INTO node_held (version_id, node_id, at, reason) VALUES (%s, %s, %s, %s) ON CONFLICT (version_id, node_id) DO UPDATE SET at = excluded.at, reason = excluded.reason",
        (version_id, node_id, now, reason[:1000]),
    )


REFUSED = "SJ001"
"""SQLSTATE of a rule that cannot be answered, such as one over an outside table that could not be fetched."""


def retry_refused(connection: psycopg.Connection[Any], before: datetime) -> int:
    """Let nodes run again that are held since before a moment because a rule could not be answered; tells how many. They are held again
    if it still cannot."""
    return connection.execute(
        "DELETE FROM node_held WHERE reason LIKE %s AND at < %s", (f"{REFUSED}%", before)
    ).rowcount


def release_node(connection: psycopg.Connection[Any], version_id: int, node_id: int) -> bool:
    """Let a held node run again; tells whether it was held."""
    return (
        connection.execute(
            "DELETE FROM node_held WHERE version_id = %s AND node_id = %s", (version_id, node_id)
        ).rowcount
        > 0
    )
