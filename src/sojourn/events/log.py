"""The one log of events: append-only facts. `occurred_at` is when it happened, `recorded_at` when we learned of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from sojourn.events.kinds import EventKind
from sojourn.events.touching import touch
from sojourn.kernel import Clock, SojournError, lane_of

COLUMNS = "profile_id, lane, kind, occurred_at, recorded_at, passage_id, hop, scenario_id, node_id, template_id, resource_id, channel, data"
"""The columns of an event, in the order that `insert` expects."""


def insert(query: str) -> str:
    """SQL builder: appends what `query` selects, columns as in `COLUMNS`. For statements that record events of many profiles at once."""
    return f"INSERT INTO event ({COLUMNS})\n{query}"


@dataclass(frozen=True, slots=True)
class Event:
    """One fact about one profile, with the dimensions that reports ask for."""

    profile_id: int
    kind: EventKind
    occurred_at: datetime
    passage_id: int | None = None
    hop: int | None = None
    scenario_id: int | None = None
    node_id: int | None = None
    template_id: int | None = None
    resource_id: int | None = None
    channel: int | None = None
    data: dict[str, Any] | None = None


_NEW = insert(
    """SELECT profile_id, (profile_id & 63)::smallint, kind, occurred_at, %(now)s::timestamptz, passage_id, hop, scenario_id, node_id, template_id, resource_id, channel, data
  FROM unnest(%(profile_id)s::bigint[], %(kind)s::smallint[], %(occurred_at)s::timestamptz[], %(passage_id)s::bigint[], %(hop)s::int[], %(scenario_id)s::int[],
    %(node_id)s::int[], %(template_id)s::int[], %(resource_id)s::int[], %(channel)s::smallint[], %(data)s::jsonb[])
    AS e(profile_id, kind, occurred_at, passage_id, hop, scenario_id, node_id, template_id, resource_id, channel, data)"""
)
_APPEND = f"WITH appended AS ({_NEW} RETURNING profile_id, lane) {touch('appended', 'event')}"


def append(connection: psycopg.Connection[Any], clock: Clock, events: Sequence[Event]) -> None:
    """Record events in one statement."""
    if not events:
        return
    values: dict[str, Any] = {name: [getattr(event, name) for event in events] for name in Event.__slots__}
    values["kind"] = [int(event.kind) for event in events]
    values["data"] = [None if event.data is None else Jsonb(event.data) for event in events]
    connection.execute(_APPEND, {**values, "now": clock.now()})


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event as the profile's card shows it."""

    id: int
    kind: int
    occurred_at: datetime
    recorded_at: datetime
    passage_id: int | None
    hop: int | None
    scenario_id: int | None
    node_id: int | None
    template_id: int | None
    resource_id: int | None
    channel: int | None
    data: dict[str, Any] | None


_HISTORY = """
SELECT id, kind, occurred_at, recorded_at, passage_id, hop, scenario_id, node_id, template_id, resource_id, channel, data
  FROM event
 WHERE lane = %(lane)s AND profile_id = %(profile)s AND (%(at)s::timestamptz IS NULL OR (occurred_at, id) < (%(at)s, %(id)s))
 ORDER BY occurred_at DESC, id DESC LIMIT %(limit)s
"""


def history(
    connection: psycopg.Connection[Any], profile_id: int, after: str | None = None, limit: int = 50
) -> tuple[list[RecordedEvent], str | None]:
    """The events of a profile, newest first, at most `limit` (1 to 500); `after` is the cursor that the page before gave.

    Raises:
        SojournError: `bad_cursor` if `after` is no cursor.
    """
    limit = min(max(limit, 1), 500)
    at, event_id = _read_cursor(after) if after else (None, None)
    values = {"lane": lane_of(profile_id), "profile": profile_id, "at": at, "id": event_id, "limit": limit + 1}
    with connection.cursor(row_factory=class_row(RecordedEvent)) as cursor:
        found = cursor.execute(_HISTORY, values).fetchall()
    page, more = found[:limit], len(found) > limit
    return page, f"{page[-1].occurred_at.isoformat()}~{page[-1].id}" if more else None


def _read_cursor(cursor: str) -> tuple[datetime, int]:
    try:
        at, _, event_id = cursor.partition("~")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError
        return moment, int(event_id)
    except ValueError:
        raise SojournError("bad_cursor", "This is not a cursor of this list.", "after") from None
