"""Records what became of API requests: the ledger, the event, the answer to the waiting passage, and the next attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sojourn import events
from sojourn.channels.transport import LedgerKey
from sojourn.delivery.codes import Channel, State
from sojourn.events import EventKind
from sojourn.kernel import Clock


@dataclass(slots=True)
class RequestResult:
    """What became of one request. `state` PLANNED: it is made again at `not_before`; `tried`: 1 if the attempt counts."""

    key: LedgerKey
    at: datetime
    state: State
    status: int | None = None
    answer: str | None = None
    saved: dict[str, Any] | None = None
    tried: int = 1
    not_before: datetime | None = None
    priority: int = 5


# A request in doubt is held: nobody is told, and the passage goes on when its own time-out comes.
_RECORD = f"""
WITH r AS (
  SELECT * FROM unnest(%(lanes)s::smallint[], %(passages)s::bigint[], %(hops)s::int[], %(moments)s::timestamptz[], %(states)s::smallint[], %(statuses)s::int[],
    %(answers)s::text[], %(saved)s::jsonb[], %(tried)s::smallint[], %(not_before)s::timestamptz[], %(priorities)s::smallint[])
    AS r(lane, passage_id, hop, at, state, status, answer, saved, tried, not_before, priority)),
done AS (
  UPDATE request q SET state = r.state, status = r.status, answer = r.answer, saved = r.saved, attempts = q.attempts + r.tried, next_attempt_at = r.not_before,
         handed_at = CASE WHEN r.tried > 0 THEN coalesce(q.handed_at, r.at) ELSE q.handed_at END,
         answered_at = CASE WHEN r.state IN ({State.ACCEPTED:d}, {State.REJECTED:d}) THEN r.at END,
         worker_id = CASE WHEN r.state = {State.PLANNED:d} THEN NULL ELSE q.worker_id END
    FROM r WHERE q.lane = r.lane AND q.passage_id = r.passage_id AND q.hop = r.hop AND q.state = {
    State.HANDING_OVER:d} AND q.worker_id = %(worker)s
  RETURNING q.lane, q.passage_id, q.hop, q.profile_id, q.scenario_id, q.node_id, q.state, q.status, r.at, r.not_before, r.priority),
appended AS (
  {
    events.insert(f'''SELECT profile_id, lane, {EventKind.REQUEST_ANSWERED:d}::smallint, at, %(now)s, passage_id, hop, scenario_id, node_id, NULL::int, NULL::int, NULL::smallint,
         jsonb_build_object('status', status) FROM done WHERE state IN ({State.ACCEPTED:d}, {State.REJECTED:d})''')
}),
touched AS ({events.touch("done", "event")}),
again AS (
  INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
  SELECT %(now)s, not_before, scenario_id, node_id, NULL, lane, {
    Channel.REQUEST:d}, priority, array_agg(passage_id), array_agg(hop)
    FROM done WHERE state = {State.PLANNED:d} GROUP BY not_before, scenario_id, node_id, lane, priority),
told AS (
  INSERT INTO answer_inbox (passage_id, profile_id, at, hop, lane)
  SELECT passage_id, profile_id, at, hop, lane FROM done WHERE state NOT IN ({State.PLANNED:d}, {
    State.IN_DOUBT:d}) RETURNING 1)
SELECT count(*) FROM told
"""
LONGEST_ANSWER = 4096


def record_request_results(
    connection: psycopg.Connection[Any], clock: Clock, worker_id: int, results: Sequence[RequestResult]
) -> bool:
    """Record results of requests that `worker_id` holds. Tells whether passages wait for one of them."""
    if not results:
        return False
    ordered = sorted(results, key=lambda result: result.key)
    row = connection.execute(
        _RECORD,
        {
            "now": clock.now(),
            "worker": worker_id,
            "lanes": [r.key.lane for r in ordered],
            "passages": [r.key.passage_id for r in ordered],
            "hops": [r.key.hop for r in ordered],
            "moments": [r.at for r in ordered],
            "states": [int(r.state) for r in ordered],
            "statuses": [r.status for r in ordered],
            "answers": [r.answer and r.answer.replace("\0", "")[:LONGEST_ANSWER] for r in ordered],
            "saved": [None if r.saved is None else Jsonb(r.saved) for r in ordered],
            "tried": [r.tried for r in ordered],
            "not_before": [r.not_before for r in ordered],
            "priorities": [r.priority for r in ordered],
        },
    ).fetchone()
    return bool(row and row[0])
