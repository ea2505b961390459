"""Captures: profiles at the door of a scenario. The engine lets them in, or refuses them with a reason, under the lane's lock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sojourn.kernel import Clock
from sojourn.kernel.errors import Conflict

PRIORITY_CALL, PRIORITY_IMPORT = 1, 5
_CAPTURE = """
INSERT INTO capture (profile_id, at, scenario_id, node_id, lane, priority, key, context)
SELECT p, %s, %s, %s, (p & 63)::smallint, %s, %s, %s FROM unnest(%s::bigint[]) p
"""


def poke(connection: psycopg.Connection[Any], clock: Clock, who: str, values: dict[str, Any]) -> None:
    """Let the engine look whether something has happened to the profiles of a query (profile_id, lane) that they wait for, or end by."""
    connection.execute(
        f"INSERT INTO wait_inbox (profile_id, at, lane) SELECT DISTINCT x.profile_id, %(at)s::timestamptz, x.lane FROM ({who}) x",
        {**values, "at": clock.now()},
    )


def enter(
    connection: psycopg.Connection[Any],
    clock: Clock,
    scenario_id: int,
    profile_ids: Sequence[int],
    *,
    key: str = "",
    context: dict[str, Any] | None = None,
) -> int:
    """Put profiles before the default start node of an active scenario; tells how many. Whether they get in is decided by re-entry.

    Raises:
        Conflict: the scenario is not active, or does not exist.
    """
    row = connection.execute(
        "SELECT node_id FROM trigger_subscription WHERE scenario_id = %s AND trigger = 'call'", (scenario_id,)
    ).fetchone()
    if row is None:
        raise Conflict("scenario_inactive", f"Scenario {scenario_id} is not active.", "id")
    content = Jsonb(context) if context else None
    return connection.execute(
        _CAPTURE, (clock.now(), scenario_id, row[0], PRIORITY_CALL, key, content, list(profile_ids))
    ).rowcount
