"""What a sender reads off a subscription: the status it obeys, and which contact of several it writes to. Recomputed by whoever writes.

The writer holds the locks of the profiles' rows (`lock_profiles`), so that two writers never choose at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from sojourn.kernel.statement import quoted
from sojourn.profiles.statuses import SUBSCRIBED, UNCONFIRMED
from sojourn.profiles.table import table_name

RANK = f"CASE effective WHEN {SUBSCRIBED} THEN 0 WHEN {UNCONFIRMED} THEN 1 ELSE 2 END, priority, id"
"""SQL: the order in which contacts are preferred."""


def effective(global_status: str, own_status: str) -> str:
    """SQL: the status a sender obeys: the global one where it forbids, else the own one."""
    return f"CASE WHEN {global_status} <> {SUBSCRIBED} THEN {global_status} ELSE {own_status} END"


_LOCK = """
SELECT p.id FROM unnest(%(ids)s::bigint[]) x(id) JOIN {table} p ON p.lane = (x.id & 63)::smallint AND p.id = x.id
 ORDER BY p.lane, p.id FOR NO KEY UPDATE OF p
"""

_EFFECTIVE = """
UPDATE subscription s SET effective = {effective}
  FROM unnest(%(ids)s::bigint[]) x(id) JOIN {table} p ON p.lane = (x.id & 63)::smallint AND p.id = x.id
 WHERE s.lane = (x.id & 63)::smallint AND s.profile_id = x.id AND s.effective <> {effective}
"""

# The index of preferred rows is unique and checked row by row, so the old one steps back before the new one is named.
_PREFERRED = """
UPDATE subscription s SET preferred = {new} FROM (
  SELECT s.lane, s.id, s.preferred, row_number() OVER (PARTITION BY s.profile_id, s.resource_id, s.channel ORDER BY {rank}) = 1 AS best
    FROM unnest(%(ids)s::bigint[]) x(profile_id) JOIN subscription s ON s.lane = (x.profile_id & 63)::smallint AND s.profile_id = x.profile_id) r
 WHERE r.best = {new} AND r.preferred <> {new} AND s.lane = r.lane AND s.id = r.id
"""
_STEP_BACK = _PREFERRED.format(new="false", rank=RANK)
_STEP_UP = _PREFERRED.format(new="true", rank=RANK)


def lock_profiles(connection: psycopg.Connection[Any], database_id: int, profile_ids: Sequence[int]) -> set[int]:
    """Lock the rows of profiles in the order that all writers keep; tells which of them exist."""
    rows = connection.execute(_LOCK.format(table=quoted(table_name(database_id))), {"ids": list(profile_ids)})
    return {row[0] for row in rows}


def recompute(connection: psycopg.Connection[Any], database_id: int, profile_ids: Sequence[int]) -> None:
    """Recompute `effective` and `preferred` of all subscriptions of some profiles of one database."""
    values = {"ids": list(dict.fromkeys(profile_ids))}
    connection.execute(
        _EFFECTIVE.format(table=quoted(table_name(database_id)), effective=effective("p.status", "s.status")), values
    )
    connection.execute(_STEP_BACK, values)
    connection.execute(_STEP_UP, values)
