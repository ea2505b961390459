"""Records what became of messages: the ledger, the event, the counters, the answer to a waiting passage, and the next attempt, in one transaction.

Everything hangs on the rows that were still in this worker's hands, so recording the same results twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from sojourn import events, profiles
from sojourn.channels.transport import LedgerKey, Outgoing
from sojourn.delivery import sandbox
from sojourn.delivery.codes import Channel, Flag, State
from sojourn.delivery.counters import Outcome, count_messages
from sojourn.events import EventKind
from sojourn.kernel import Clock
from sojourn.kernel.errors import NotFound
from sojourn.profiles.statuses import CAUSE_SYSTEM, HARDBOUNCED
from sojourn.profiles.suppression import EMAIL, HARD_BOUNCE, PHONE, suppress_globally


@dataclass(slots=True)
class Result:
    """What became of one message. `state` PLANNED gives it back, to be offered not before `not_before`; `tried`: 1 if the attempt counts."""

    key: LedgerKey
    at: datetime
    state: State
    reason: int | None = None
    answer: str | None = None
    event: EventKind | None = None
    tried: int = 1
    version: int | None = None
    not_before: datetime | None = None
    priority: int = 5
    boxed: Outgoing | None = None
    """Goes to the sandbox mailbox."""


_RECORD = f"""
WITH r AS (
  SELECT * FROM unnest(%(lanes)s::smallint[], %(passages)s::bigint[], %(hops)s::int[], %(moments)s::timestamptz[], %(states)s::smallint[], %(reasons)s::smallint[],
    %(answers)s::text[], %(events)s::smallint[], %(tried)s::smallint[], %(versions)s::int[], %(not_before)s::timestamptz[], %(priorities)s::smallint[])
    AS r(lane, passage_id, hop, at, state, reason, answer, event, tried, version, not_before, priority)),
done AS (
  UPDATE message m SET state = r.state, reason = r.reason, answer = r.answer, attempts = m.attempts + r.tried, template_version = coalesce(r.version, m.template_version),
         handed_at = CASE WHEN r.state = {
    State.ACCEPTED:d} THEN r.at ELSE m.handed_at END, worker_id = CASE WHEN r.state = {
    State.PLANNED:d} THEN NULL ELSE m.worker_id END
    FROM r WHERE m.lane = r.lane AND m.passage_id = r.passage_id AND m.hop = r.hop AND m.state = {
    State.HANDING_OVER:d} AND m.worker_id = %(worker)s
  RETURNING m.lane, m.passage_id, m.hop, m.profile_id, m.subscription_id, m.scenario_id, m.node_id, m.template_id, m.resource_id, m.channel, m.created_at, m.flags,
            m.state, m.answer, r.at, r.event, r.not_before, r.priority),
appended AS (
  {
    events.insert(f'''SELECT profile_id, lane, event, at, %(now)s, passage_id, hop, scenario_id, node_id, template_id, resource_id, channel,
         CASE WHEN event <> {EventKind.SENT:d} THEN jsonb_build_object('answer', answer) END FROM done WHERE event IS NOT NULL''')
}),
touched AS ({events.touch("done", "event")}),
counted AS (
  {
    count_messages(f'''SELECT date_trunc('hour', created_at), count(*), scenario_id, node_id,
         (CASE state WHEN {State.ACCEPTED:d} THEN {Outcome.ACCEPTED:d} WHEN {State.IN_DOUBT:d} THEN {Outcome.IN_DOUBT:d} ELSE {Outcome.NOT_SENT:d} END)::smallint
    FROM done WHERE state <> {State.PLANNED:d} AND scenario_id IS NOT NULL AND node_id IS NOT NULL GROUP BY 1, 3, 4, 5''')
}),
again AS (
  INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
  SELECT %(now)s, not_before, scenario_id, node_id, template_id, lane, channel, priority, array_agg(passage_id), array_agg(hop)
    FROM done WHERE state = {
    State.PLANNED:d} GROUP BY not_before, scenario_id, node_id, template_id, lane, channel, priority),
told AS (
  INSERT INTO answer_inbox (passage_id, profile_id, at, hop, lane)
  SELECT passage_id, profile_id, at, hop, lane FROM done WHERE state <> {State.PLANNED:d} AND flags & {
    Flag.AWAITED:d} <> 0 RETURNING 1)
SELECT lane, subscription_id, event = {EventKind.HARD_BOUNCE:d}, (SELECT count(*) FROM told) FROM done
 WHERE event = {EventKind.HARD_BOUNCE:d} UNION ALL SELECT NULL, NULL, false, count(*) FROM told
"""
LONGEST_ANSWER = 500
_LISTED = {int(Channel.EMAIL): EMAIL, int(Channel.SMS): PHONE}
"""Channels whose dead contacts go into the global suppression list."""


def record_results(
    connection: psycopg.Connection[Any], clock: Clock, worker_id: int, results: Sequence[Result], finished_claims: Sequence[int] = ()
) -> bool:  # fmt: skip
    """Record results of messages that `worker_id` holds, and remove claims with nothing left. Tells whether passages wait for one of them."""
    ordered = sorted(results, key=lambda result: result.key)
    awaited = False
    with connection.transaction():
        if ordered:
            rows = connection.execute(_RECORD, _values(ordered, clock, worker_id)).fetchall()
            awaited = any(row[3] for row in rows)
            for lane, subscription_id in sorted((row[0], row[1]) for row in rows if row[2] and row[1]):
                _mark_bounced(connection, clock, lane, subscription_id)
            sandbox.store(connection, [(result.boxed, result.at) for result in ordered if result.boxed])
        if finished_claims:
            connection.execute("DELETE FROM dispatch_claim WHERE id = ANY(%s)", (list(finished_claims),))
    return awaited


def _values(results: Sequence[Result], clock: Clock, worker_id: int) -> dict[str, Any]:
    return {
        "now": clock.now(),
        "worker": worker_id,
        "lanes": [r.key.lane for r in results],
        "passages": [r.key.passage_id for r in results],
        "hops": [r.key.hop for r in results],
        "moments": [r.at for r in results],
        "states": [int(r.state) for r in results],
        "reasons": [None if r.reason is None else int(r.reason) for r in results],
        "answers": [r.answer and r.answer.replace("\0", "")[:LONGEST_ANSWER] for r in results],
        "events": [None if r.event is None else int(r.event) for r in results],
        "tried": [r.tried for r in results],
        "versions": [r.version for r in results],
        "not_before": [r.not_before for r in results],
        "priorities": [r.priority for r in results],
    }


def _mark_bounced(connection: psycopg.Connection[Any], clock: Clock, lane: int, subscription_id: int) -> None:
    with suppress(NotFound):  # it was deleted meanwhile
        bounced = profiles.subscription(connection, lane, subscription_id)
        profiles.set_status(connection, clock, lane, subscription_id, HARDBOUNCED, cause=CAUSE_SYSTEM)
        if bounced.channel in _LISTED:
            suppress_globally(connection, clock.now(), _LISTED[bounced.channel], [bounced.contact], HARD_BOUNCE)
