"""Deals blocks of code numbers to lanes."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.kernel import LANES

_OTHER_LANE = """
SELECT lane, next_no, end_no FROM promo_cursor
 WHERE pool_id = %s AND lane <> %s AND next_no < end_no ORDER BY end_no - next_no DESC, lane LIMIT 1 FOR UPDATE
"""


def deal(connection: psycopg.Connection[Any], pool_id: int, lane: int, needed: int) -> int:
    """Give the lane, whose range is used up, a new range of at most about `needed` numbers; tells how many, 0 if the pool has none left.

    First numbers that nobody was dealt, then what lies unused with other lanes. Called inside the pass, under the lane's lock: numbers
    go back if the pass does not happen. Two engines that take from each other's lanes may deadlock; the pass is then repeated.
    """
    row = connection.execute(
        "SELECT dealt_no, next_no, block FROM promo_pool WHERE id = %s FOR UPDATE", (pool_id,)
    ).fetchone()
    if row is None:
        return 0
    first, loaded, block = row
    if first < loaded:
        end = min(loaded, first + needed + block)
        connection.execute("UPDATE promo_pool SET dealt_no = %s WHERE id = %s", (end, pool_id))
    else:
        other = connection.execute(_OTHER_LANE, (pool_id, lane)).fetchone()
        if other is None:
            return 0
        other_lane, other_first, end = other
        first = max(other_first, end - needed)
        connection.execute(
            "UPDATE promo_cursor SET end_no = %s WHERE lane = %s AND pool_id = %s", (first, other_lane, pool_id)
        )
    connection.execute(
        "UPDATE promo_cursor SET next_no = %s, end_no = %s WHERE lane = %s AND pool_id = %s",
        (first, end, lane, pool_id),
    )
    return int(end - first)


_AHEAD = """
SELECT p.next_no - p.dealt_no FROM promo_cursor c JOIN promo_pool p ON p.id = c.pool_id
 WHERE c.lane = %s AND c.pool_id = %s AND c.next_no = c.end_no AND p.dealt_no < p.next_no
"""


def deal_ahead(connection: psycopg.Connection[Any], pool_id: int, lane: int, expected: int) -> None:
    """Before a pass: give a lane whose range is used up about what it will need, so that nobody must be carried; only a fair share of what is left."""
    row = connection.execute(_AHEAD, (lane, pool_id), prepare=True).fetchone()
    if row and (amount := min(expected, row[0] // LANES)) > 0:
        deal(connection, pool_id, lane, amount)
