"""What segments tell in the history of a profile: when it entered and left, and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from sojourn.profiles.history import Group, Happening, Whose

_ENTRIES = """
SELECT h.at, h.entered, s.id, s.name FROM unnest(%(lanes)s::smallint[], %(ids)s::bigint[]) x(lane, id),
  LATERAL (SELECT at, entered, segment_id FROM segment_history h WHERE h.lane = x.lane AND h.profile_id = x.id AND h.at <= %(until)s
            ORDER BY h.at DESC, h.segment_id, h.entered LIMIT %(limit)s) h
  JOIN segment s ON s.id = h.segment_id ORDER BY h.at DESC, h.segment_id, h.entered LIMIT %(limit)s
"""


def segment_entries(
    connection: psycopg.Connection[Any], whose: Whose, groups: Sequence[Group], until: datetime, limit: int
) -> list[Happening]:
    """Entries into segments and exits from them."""
    rows = connection.execute(_ENTRIES, {**whose.values, "until": until, "limit": limit})
    return [
        Happening(at, "segment", "entered" if entered else "left", {"segment": name, "segment_id": number})
        for at, entered, number, name in rows
    ]


_MEMBERSHIPS = """
SELECT s.id, s.name, s.kind, m.entered_at FROM segment_member m JOIN segment s ON s.id = m.segment_id AND s.archived_at IS NULL
 WHERE m.lane = %s AND m.profile_id = %s ORDER BY m.entered_at DESC, s.id LIMIT 1000
"""


def memberships_of(
    connection: psycopg.Connection[Any], lane: int, profile_id: int
) -> list[tuple[int, str, str, datetime]]:
    """Static and updatable segments a profile is in: id, name, kind, since when."""
    return connection.execute(_MEMBERSHIPS, (lane, profile_id)).fetchall()
