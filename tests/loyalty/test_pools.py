"""Pools of promo codes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.loyalty import create_pool, find_pool, list_pools, load_codes
from sojourn.loyalty.dealing import deal, deal_ahead


def test_codes_are_loaded_once_and_doubles_are_counted(connection, clock) -> None:
    pool = create_pool(connection, clock, "Spring", "SPRING", lifetime=timedelta(days=3))
    assert load_codes(connection, pool.id, ["A", "B", "A", " C "]) == (3, 1)
    assert load_codes(connection, pool.id, ["C", "D"]) == (1, 1)
    found = find_pool(connection, "SPRING")
    assert (found.codes, found.left, found.lifetime) == (4, 4, timedelta(days=3))
    assert [row[0] for row in connection.execute("SELECT code FROM promo_code ORDER BY no")] == ["A", "B", "C", "D"]


def test_a_bad_code_names_its_line_and_loads_nothing(connection, clock) -> None:
    pool = create_pool(connection, clock, "Spring", "SPRING")
    with pytest.raises(SojournError) as caught:
        load_codes(connection, pool.id, ["A", "", "C"])
    assert (caught.value.code, caught.value.place) == ("bad_code", "line 2")
    assert find_pool(connection, pool.id).codes == 0


def test_names_are_unique_and_unknown_pools_are_not_found(connection, clock) -> None:
    create_pool(connection, clock, "Spring", "SPRING")
    with pytest.raises(Conflict):
        create_pool(connection, clock, "Spring", "OTHER")
    with pytest.raises(SojournError):
        create_pool(connection, clock, "Other", "white space")
    with pytest.raises(NotFound):
        find_pool(connection, "AUTUMN")
    assert [pool.short_name for pool in list_pools(connection)] == ["SPRING"]


def test_the_dealer_gives_every_number_once_and_takes_from_other_lanes_at_the_end(connection, clock) -> None:
    pool = create_pool(connection, clock, "Spring", "SPRING")
    load_codes(connection, pool.id, (f"C{n}" for n in range(100)))
    seen: set[int] = set()
    for lane in range(20):
        deal(connection, pool.id, lane, 8)
    for _ in range(200):
        row = connection.execute(
            "SELECT next_no, end_no FROM promo_cursor WHERE pool_id = %s AND lane = 3", (pool.id,)
        ).fetchone()
        numbers = set(range(*row))
        assert not numbers & seen
        seen |= numbers
        connection.execute("UPDATE promo_cursor SET next_no = end_no WHERE pool_id = %s AND lane = 3", (pool.id,))
        if not deal(connection, pool.id, 3, 7):
            break
    assert seen == set(range(100))


def test_dealing_ahead_gives_a_lane_a_fair_share_only(connection, clock) -> None:
    pool = create_pool(connection, clock, "Spring", "SPRING")
    load_codes(connection, pool.id, (f"C{n}" for n in range(6400)))
    deal_ahead(connection, pool.id, 0, 5000)
    row = connection.execute(
        "SELECT end_no - next_no FROM promo_cursor WHERE pool_id = %s AND lane = 0", (pool.id,)
    ).fetchone()
    assert row[0] <= 200
