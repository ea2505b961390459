"""Takes planned work: dispatch rows become claims of one worker, and in the same transaction every message is checked once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from sojourn.channels.transport import LedgerKey
from sojourn.delivery.codes import CATEGORY_BITS, Channel, Flag, Reason, State
from sojourn.delivery.counters import Outcome, count_messages
from sojourn.kernel import Clock
from sojourn.profiles.statuses import SUBSCRIBED, UNCONFIRMED

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A message in the hands of a worker, with the contact as it is now."""

    lane: int
    passage_id: int
    hop: int
    profile_id: int
    scenario_id: int | None
    node_id: int | None
    template_id: int
    resource_id: int
    created_at: datetime
    attempts: int
    flags: int
    contact: str | None
    reason: int | None

    @property
    def key(self) -> LedgerKey:
        return LedgerKey(self.lane, self.passage_id, self.hop)


@dataclass(frozen=True, slots=True)
class ClaimedRequest:
    """An API request in the hands of a worker."""

    lane: int
    passage_id: int
    hop: int
    profile_id: int
    scenario_id: int
    node_id: int
    definition_id: int
    attempts: int

    @property
    def key(self) -> LedgerKey:
        return LedgerKey(self.lane, self.passage_id, self.hop)


@dataclass(slots=True)
class Claim:
    """One taken dispatch row; `left` counts what has no outcome yet."""

    id: int
    priority: int
    left: int


@dataclass(slots=True)
class Claimed:
    """What one claiming took: the messages or requests, each with its claim. `answers`: passages wait for what was refused right away."""

    messages: list[ClaimedMessage]
    requests: list[ClaimedRequest]
    claims: dict[LedgerKey, Claim]
    taken: int
    answers: bool = False


@dataclass(frozen=True, slots=True)
class _List:
    at: datetime
    not_before: datetime
    scenario_id: int | None
    node_id: int | None
    template_id: int | None
    lane: int
    priority: int
    passage_ids: list[int]
    hops: list[int]

    def cut(self, start: int, end: int) -> _List:
        return _List(
            self.at, self.not_before, self.scenario_id, self.node_id, self.template_id, self.lane, self.priority,
            self.passage_ids[start:end], self.hops[start:end],
        )  # fmt: skip


# Rows are only ever inserted and deleted, so the place of a locked row is a safe way to find it again.
_TAKE = """
WITH seen AS MATERIALIZED (
  SELECT ctid AS place, priority, not_before, cardinality(passage_ids) AS size FROM dispatch
   WHERE channel = %(channel)s AND not_before <= %(now)s ORDER BY priority, not_before LIMIT %(rows)s FOR UPDATE SKIP LOCKED),
summed AS (SELECT place, sum(size) OVER (ORDER BY priority, not_before, place) - size AS before FROM seen)
DELETE FROM dispatch d USING summed s WHERE d.ctid = s.place AND s.before < %(room)s
RETURNING d.at, d.not_before, d.scenario_id, d.node_id, d.template_id, d.lane, d.priority, d.passage_ids, d.hops
"""
_MOST_ROWS = 64
_PUT_BACK = """
INSERT INTO dispatch (at, not_before, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_CLAIM = """
INSERT INTO dispatch_claim (worker_id, at, scenario_id, node_id, template_id, lane, channel, priority, passage_ids, hops)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
"""

# Everything is checked again, on what is true now: planned still, subscribed still. The order of locks is the order of keys.
_MARK_MESSAGES = f"""
WITH asked AS (SELECT * FROM unnest(%(lanes)s::smallint[], %(passages)s::bigint[], %(hops)s::int[]) AS a(lane, passage_id, hop)),
checked AS MATERIALIZED (
  SELECT m.lane, m.passage_id, m.hop, s.contact,
         CASE WHEN s.id IS NULL THEN {Reason.NO_SUBSCRIPTION:d}
              WHEN s.effective = {SUBSCRIBED} OR (s.effective = {UNCONFIRMED} AND m.flags & {Flag.CONFIRMATION:d} <> 0) THEN
                   CASE WHEN s.cats IS NOT NULL AND m.flags >> {CATEGORY_BITS} > 0 AND NOT EXISTS (SELECT FROM resource_category g
                          WHERE g.resource_id = m.resource_id AND g.number = m.flags >> {CATEGORY_BITS} AND g.name = ANY(s.cats))
                        THEN {Reason.CATEGORY_LEFT:d} END
              ELSE {Reason.STATUS_FORBIDS:d} END::smallint AS reason
    FROM asked a JOIN message m ON m.lane = a.lane AND m.passage_id = a.passage_id AND m.hop = a.hop
    LEFT JOIN subscription s ON s.lane = m.lane AND s.id = m.subscription_id
   WHERE m.state = {State.PLANNED:d} ORDER BY m.lane, m.passage_id, m.hop FOR NO KEY UPDATE OF m)
UPDATE message m SET reason = c.reason, worker_id = %(worker)s,
       state = CASE WHEN c.reason IS NULL THEN {State.HANDING_OVER:d} ELSE {State.NOT_SENT:d} END
  FROM checked c WHERE m.lane = c.lane AND m.passage_id = c.passage_id AND m.hop = c.hop
RETURNING m.lane, m.passage_id, m.hop, m.profile_id, m.scenario_id, m.node_id, m.template_id, m.resource_id, m.created_at, m.attempts, m.flags, c.contact, m.reason
"""
_MARK_REQUESTS = f"""
UPDATE request q SET state = {State.HANDING_OVER:d}, worker_id = %(worker)s, next_attempt_at = NULL
  FROM unnest(%(lanes)s::smallint[], %(passages)s::bigint[], %(hops)s::int[]) AS a(lane, passage_id, hop)
 WHERE q.lane = a.lane AND q.passage_id = a.passage_id AND q.hop = a.hop AND q.state = {State.PLANNED:d}
RETURNING q.lane, q.passage_id, q.hop, q.profile_id, q.scenario_id, q.node_id, q.definition_id, q.attempts
"""
_ANSWER = """
INSERT INTO answer_inbox (passage_id, profile_id, at, hop, lane)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], array_fill(%s::timestamptz, ARRAY[%s]), %s::int[], %s::smallint[])
"""
_COUNT_REFUSED = count_messages(
    f"""SELECT date_trunc('hour', created_at), count(*), scenario_id, node_id, {Outcome.NOT_SENT:d}::smallint
  FROM unnest(%s::timestamptz[], %s::int[], %s::int[]) AS r(created_at, scenario_id, node_id)
 WHERE scenario_id IS NOT NULL AND node_id IS NOT NULL GROUP BY 1, 3, 4"""
)


def claim(connection: Connection, clock: Clock, worker_id: int, channel: Channel, room: int) -> Claimed:
    """Take at most `room` planned messages or requests of one channel, the most urgent and oldest first, in one transaction."""
    with connection.transaction():
        lists = _take(connection, clock, channel, room)
        values = {
            "lanes": [one.lane for one in lists for _ in one.passage_ids],
            "passages": [passage for one in lists for passage in one.passage_ids],
            "hops": [hop for one in lists for hop in one.hops],
            "worker": worker_id,
        }
        taken = Claimed([], [], {}, sum(len(one.passage_ids) for one in lists))
        if not taken.taken:
            return taken
        if channel is Channel.REQUEST:
            with connection.cursor(row_factory=class_row(ClaimedRequest)) as cursor:
                taken.requests = cursor.execute(_MARK_REQUESTS, values).fetchall()
            kept = {request.key for request in taken.requests}
        else:
            with connection.cursor(row_factory=class_row(ClaimedMessage)) as cursor:
                marked = cursor.execute(_MARK_MESSAGES, values).fetchall()
            taken.messages = [message for message in marked if message.reason is None]
            refused = [message for message in marked if message.reason is not None]
            taken.answers = bool(refused) and _note_refused(connection, clock, refused)
            kept = {message.key for message in taken.messages}
        for one in lists:
            taken.claims |= _keep(connection, clock, worker_id, channel, one, kept)
    return taken


def _take(connection: Connection, clock: Clock, channel: Channel, room: int) -> list[_List]:
    """Take lists until `room` is filled; what is more of the last one is put back."""
    lists: list[_List] = []
    filled, rows = 0, 1
    with connection.cursor(row_factory=class_row(_List)) as cursor:
        while filled < room and rows <= _MOST_ROWS:
            # Few at first: locked rows that are not taken would be hidden from other workers.
            values = {"channel": int(channel), "now": clock.now(), "rows": rows, "room": room - filled}
            found = cursor.execute(_TAKE, values).fetchall()
            if not found:
                break
            lists += sorted(found, key=lambda one: (one.priority, one.not_before))
            filled += sum(len(one.passage_ids) for one in found)
            rows *= 2
    while filled > room:
        last = lists.pop()
        keep = max(0, len(last.passage_ids) - (filled - room))
        if keep:
            lists.append(last.cut(0, keep))
        rest = last.cut(keep, len(last.passage_ids))
        filled -= len(rest.passage_ids)
        connection.execute(
            _PUT_BACK,
            (rest.at, rest.not_before, rest.scenario_id, rest.node_id, rest.template_id, rest.lane, int(channel), rest.priority, rest.passage_ids, rest.hops),
        )  # fmt: skip
    return lists


def _keep(
    connection: Connection, clock: Clock, worker_id: int, channel: Channel, one: _List, kept: set[LedgerKey]
) -> dict[LedgerKey, Claim]:
    keys = [key for key in map(LedgerKey, [one.lane] * len(one.hops), one.passage_ids, one.hops) if key in kept]
    if not keys:
        return {}
    row = connection.execute(
        _CLAIM,
        (
            worker_id, clock.now(), one.scenario_id, one.node_id, one.template_id, one.lane, int(channel), one.priority,
            [key.passage_id for key in keys], [key.hop for key in keys],
        ),
    ).fetchone()  # fmt: skip
    assert row
    claim = Claim(int(row[0]), one.priority, len(keys))
    return dict.fromkeys(keys, claim)


def _note_refused(connection: Connection, clock: Clock, refused: Sequence[ClaimedMessage]) -> bool:
    """Count those who may not be written to any more, and tell passages that wait; tells whether any does."""
    connection.execute(
        _COUNT_REFUSED, ([m.created_at for m in refused], [m.scenario_id for m in refused], [m.node_id for m in refused])
    )  # fmt: skip
    awaited = [message for message in refused if message.flags & Flag.AWAITED]
    if awaited:
        connection.execute(
            _ANSWER,
            ([m.passage_id for m in awaited], [m.profile_id for m in awaited], clock.now(), len(awaited), [m.hop for m in awaited], [m.lane for m in awaited]),
        )  # fmt: skip
    return bool(awaited)
