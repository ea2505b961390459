"""The list of a segment as people read it: in pages, and searched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from sojourn.kernel.errors import Unavailable
from sojourn.kernel.statement import quoted
from sojourn.profiles import Database
from sojourn.profiles.profile import list_profiles

Connection = psycopg.Connection[Any]
PAGE = 200
_EXACT, _SEARCH_SECONDS = 200, 5


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a segment, and since when."""

    profile_id: int
    entered_at: datetime


# The key begins with lane and segment: the first rows of each lane are merged, whatever the size.
_PAGE = """
SELECT x.profile_id, x.entered_at FROM generate_series(0, 63) l, LATERAL (
  SELECT m.profile_id, m.entered_at FROM segment_member m {join}
   WHERE m.lane = l::smallint AND m.segment_id = %(segment)s AND m.profile_id > %(after)s {condition} ORDER BY m.profile_id LIMIT %(limit)s) x
 ORDER BY 1 LIMIT %(limit)s
"""
_KNOWN = "AND m.lane = ANY(%(lanes)s::smallint[]) AND m.profile_id = ANY(%(ids)s::bigint[])"
_BY_PART = "AND (p.email ILIKE %(part)s OR concat_ws(' ', p.fname, p.lname) ILIKE %(part)s OR array_to_string(p.phones, ' ') ILIKE %(part)s)"


def list_members(
    connection: Connection, database: Database, segment_id: int, *, search: str = "", after: int = 0, limit: int = 50
) -> list[Member]:
    """Members in the order of their numbers, after the number `after`.

    `search`: a profile id, an e-mail address or a phone as they are, or a part of name, address or phone.

    Raises:
        Unavailable: `search_too_broad` when a search by a part would have to look through too many.
    """
    text = search.strip().replace("\x00", "")
    values: dict[str, Any] = {"segment": segment_id, "after": after, "limit": max(1, min(limit, PAGE + 1))}
    if not text:
        return _read(connection, _PAGE.format(join="", condition=""), values)
    exact = [int(found["id"]) for found in list_profiles(connection, database, search=text, limit=_EXACT)]
    if exact:
        values |= {"ids": exact, "lanes": sorted({number & 63 for number in exact})}
        return _read(connection, _PAGE.format(join="", condition=_KNOWN), values)
    values["part"] = "%" + text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    join = f"JOIN {quoted(database.table)} p ON p.lane = m.lane AND p.id = m.profile_id"
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL statement_timeout = '{_SEARCH_SECONDS}s'")
            return _read(connection, _PAGE.format(join=join, condition=_BY_PART), values)
    except psycopg.errors.QueryCanceled:
        raise Unavailable(
            "search_too_broad", "Too many people for this search: give a whole e-mail address or phone.", "search"
        ) from None


def _read(connection: Connection, statement: str, values: dict[str, Any]) -> list[Member]:
    return [Member(*row) for row in connection.execute(statement, values)]


@dataclass(frozen=True, slots=True)
class Day:
    """Entries and exits of a day of the account."""

    day: str
    entered: int
    left: int


_DAYS = """
SELECT to_char(h.at AT TIME ZONE z.zone, 'YYYY-MM-DD'), count(*) FILTER (WHERE h.entered), count(*) FILTER (WHERE NOT h.entered)
  FROM (SELECT coalesce((SELECT time_zone FROM account WHERE id = 1), 'UTC') AS zone) z, segment_history h
 WHERE h.segment_id = %(segment)s AND h.entered IN (true, false)
   AND h.at >= (((%(now)s AT TIME ZONE z.zone)::date - %(days)s + 1)::timestamp AT TIME ZONE z.zone)
 GROUP BY 1 ORDER BY 1
"""


def list_days(connection: Connection, segment_id: int, now: datetime, days: int) -> list[Day]:
    """Entries and exits of the last `days` days of the account, today included; days without any are left out."""
    values = {"segment": segment_id, "now": now, "days": days}
    return [Day(*row) for row in connection.execute(_DAYS, values)]
