"""Events that end a passage at once, wherever it rests, also in the middle of a pause; what it has planned is cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sojourn.delivery.sql import cancel_planned
from sojourn.events import touch
from sojourn.kernel.statement import Bindings
from sojourn.scenarios.awaited import Awaited
from sojourn.scenarios.entry import taken_out_counter
from sojourn.scenarios.stage import END_REASON, LANE, Exit

POKED_TABLE = (
    "CREATE TEMP TABLE IF NOT EXISTS poked (profile_id bigint NOT NULL, at timestamptz NOT NULL) ON COMMIT DELETE ROWS"
)
"""Whose events are being looked at, in one lane and transaction."""


@dataclass(frozen=True)
class CompiledExits:
    """The statement that ends passages of one version by what is in `poked`."""

    sql: str
    values: Mapping[str, Any]


def compile_exits(version_id: int, exits: Sequence[Awaited]) -> CompiledExits | None:
    """None if a version ends nobody by events. Events count from the moment at which the passage began."""
    if not exits:
        return None
    bindings = Bindings()
    ways = " OR ".join(
        f"EXISTS (SELECT FROM event e WHERE {one.condition(bindings, 'r')} AND e.recorded_at >= r.entered_at)"
        for one in exits
    )
    columns = "passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context"
    parts = [
        f"""old AS MATERIALIZED (DELETE FROM resting r USING (SELECT DISTINCT profile_id FROM poked) p
  WHERE r.lane = {LANE} AND r.profile_id = p.profile_id AND r.version_id = {bindings.bind(version_id, "int")} AND ({ways})
  RETURNING r.passage_id, r.profile_id, r.entered_at, r.scenario_id, r.node_id, r.version_id, r.hop, r.key, r.context)""",
        f"""ends AS (INSERT INTO passage_ended ({columns}) SELECT passage_id, profile_id, entered_at, %(now)s::timestamptz, scenario_id, version_id, node_id, hop, {LANE},
  {END_REASON[Exit.EXITED]}::smallint, key, context FROM old)""",
        *(f"{name} AS ({body})" for name, body in cancel_planned("old", LANE)),
        f"counted AS ({taken_out_counter('old', '%(now)s::timestamptz', Exit.EXITED)})",
        f"touched AS ({touch('old x', 'passage', profile='x.profile_id', lane=LANE)})",
    ]
    return CompiledExits("WITH " + ",\n".join(parts) + "\nSELECT count(*) FROM old", dict(bindings.values))
