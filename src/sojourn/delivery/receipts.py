"""What comes back for messages that left: deliveries, openings, clicks, bounces. First moments go to the ledger, every receipt to the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sojourn import events
from sojourn.delivery.counters import Outcome, count_messages
from sojourn.events import EventKind
from sojourn.kernel import Clock
from sojourn.kernel.statement import quoted
from sojourn.profiles.table import table_name

_OPENS = (EventKind.OPENED, EventKind.CLICKED, EventKind.WEB_VERSION)


@dataclass(frozen=True, slots=True)
class Receipt:
    """One thing that was learned about one message; `data` goes into the event (a click: `link`, its number, and `url`)."""

    kind: EventKind
    lane: int
    passage_id: int
    hop: int
    at: datetime
    data: dict[str, Any] | None = None


# Rows are locked in the order of their key, so that two recorders with overlapping batches wait for each other instead of
# deadlocking. Whoever clicks or reads the web version has opened the letter: where no opening was known, one is recorded with it.
_RECORD = f"""
WITH r AS (
  SELECT * FROM unnest(%(kinds)s::smallint[], %(lanes)s::smallint[], %(passages)s::bigint[], %(hops)s::int[], %(moments)s::timestamptz[], %(data)s::jsonb[])
    WITH ORDINALITY AS r(kind, lane, passage_id, hop, at, data, n)),
first AS (
  SELECT lane, passage_id, hop, min(at) FILTER (WHERE kind = {EventKind.DELIVERED:d}) AS delivered_at,
         min(at) FILTER (WHERE kind IN ({", ".join(str(int(kind)) for kind in _OPENS)})) AS opened_at,
         bool_or(kind = {EventKind.OPENED:d}) AS open_seen, min(at) FILTER (WHERE kind = {
    EventKind.CLICKED:d}) AS clicked_at
    FROM r GROUP BY lane, passage_id, hop),
known AS MATERIALIZED (
  SELECT m.lane, m.passage_id, m.hop, m.profile_id, m.scenario_id, m.node_id, m.template_id, m.resource_id, m.channel,
         m.created_at, m.delivered_at AS delivered_before, m.opened_at AS opened_before, m.clicked_at AS clicked_before, f.delivered_at, f.opened_at, f.open_seen, f.clicked_at
    FROM message m JOIN first f USING (lane, passage_id, hop) ORDER BY m.lane, m.passage_id, m.hop FOR NO KEY UPDATE OF m),
noted AS (
  UPDATE message m SET delivered_at = least(m.delivered_at, k.delivered_at), opened_at = least(m.opened_at, k.opened_at), clicked_at = least(m.clicked_at, k.clicked_at)
    FROM known k
   WHERE m.lane = k.lane AND m.passage_id = k.passage_id AND m.hop = k.hop
     AND (k.delivered_at < coalesce(k.delivered_before, 'infinity') OR k.opened_at < coalesce(k.opened_before, 'infinity') OR k.clicked_at < coalesce(k.clicked_before, 'infinity'))),
counted AS (
  {
    count_messages(f'''SELECT date_trunc('hour', k.created_at), count(*), k.scenario_id, k.node_id, c.kind FROM known k,
    LATERAL (SELECT {Outcome.OPENED:d}::smallint AS kind WHERE k.opened_before IS NULL AND k.opened_at IS NOT NULL
             UNION ALL SELECT {Outcome.CLICKED:d}::smallint WHERE k.clicked_before IS NULL AND k.clicked_at IS NOT NULL) c
    WHERE k.scenario_id IS NOT NULL GROUP BY 1, 3, 4, 5''')
}),
implied AS (
  SELECT k.lane, k.passage_id, k.hop, k.opened_at AS at FROM known k WHERE k.opened_before IS NULL AND k.opened_at IS NOT NULL AND NOT k.open_seen),
appended AS (
  {
    events.insert(f'''SELECT k.profile_id, k.lane, e.kind, e.at, %(now)s, k.passage_id, k.hop, k.scenario_id, k.node_id, k.template_id, k.resource_id, k.channel, e.data
    FROM (SELECT kind, lane, passage_id, hop, at, data, n FROM r
          UNION ALL SELECT {EventKind.OPENED:d}::smallint, lane, passage_id, hop, at, '{{"implied": true}}'::jsonb, 0 FROM implied) e
    JOIN known k USING (lane, passage_id, hop) ORDER BY e.n''')
}),
touched AS ({events.touch("known", "event")})
SELECT count(*) FROM known
"""


# Whom the message went to, as he is now, and where he is kept.
_WHOSE = """
SELECT m.lane, m.passage_id, m.hop, coalesce(a.survivor_id, m.profile_id), s.database_id
  FROM unnest(%s::smallint[], %s::bigint[], %s::int[]) r(lane, passage_id, hop)
  JOIN message m ON m.lane = r.lane AND m.passage_id = r.passage_id AND m.hop = r.hop JOIN scenario s ON s.id = m.scenario_id
  LEFT JOIN profile_alias a ON a.lane = m.lane AND a.profile_id = m.profile_id
"""


def _tracked(connection: psycopg.Connection[Any], receipts: Sequence[Receipt]) -> Sequence[Receipt]:
    """Without openings and clicks of people who want no tracking."""
    watched = [receipt for receipt in receipts if receipt.kind in _OPENS]
    if not watched:
        return receipts
    keys = ([one.lane for one in watched], [one.passage_id for one in watched], [one.hop for one in watched])
    rows = connection.execute(_WHOSE, keys).fetchall()
    untracked: set[int] = set()
    for database_id in {row[4] for row in rows}:
        ids = [row[3] for row in rows if row[4] == database_id]
        found = connection.execute(
            f"SELECT p.id FROM unnest(%s::bigint[]) x JOIN {quoted(table_name(database_id))} p ON p.lane = (x & 63)::smallint AND p.id = x WHERE p.no_tracking",
            (ids,),
        )
        untracked.update(row[0] for row in found)
    if not untracked:
        return receipts
    left = {(row[0], row[1], row[2]) for row in rows if row[3] in untracked}
    return [one for one in receipts if one.kind not in _OPENS or (one.lane, one.passage_id, one.hop) not in left]


def record_receipts(connection: psycopg.Connection[Any], clock: Clock, receipts: Sequence[Receipt]) -> int:
    """Note first moments and append events, in one statement. Tells how many messages were found; receipts of others are dropped.

    Nor is noted what people did with letters who want no tracking, also where the letter left before they said so.

    Whoever calls it rings `sojourn_engine` afterwards, outside the transaction.
    """
    receipts = _tracked(connection, receipts)
    if not receipts:
        return 0
    row = connection.execute(
        _RECORD,
        {
            "now": clock.now(),
            "kinds": [int(receipt.kind) for receipt in receipts],
            "lanes": [receipt.lane for receipt in receipts],
            "passages": [receipt.passage_id for receipt in receipts],
            "hops": [receipt.hop for receipt in receipts],
            "moments": [receipt.at for receipt in receipts],
            "data": [None if receipt.data is None else Jsonb(receipt.data) for receipt in receipts],
        },
    ).fetchone()
    return int(row[0]) if row else 0
