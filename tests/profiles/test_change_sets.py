"""What an import tells others: static segments that it fills."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from sojourn.kernel import SojournError, VirtualClock
from sojourn.profiles import Database, Record, change_sets, import_records
from sojourn.profiles.records import Options

Connection = psycopg.Connection[Any]


def test_whoever_an_import_was_about_enters_segments(
    connection: Connection, clock: VirtualClock, shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def fill(connection: Connection, at: Any, base: int, add: Any, remove: Any, cause: int, cause_id: Any) -> None:
        found = connection.execute("SELECT array_agg(profile_id ORDER BY profile_id) FROM imported").fetchone()
        assert found
        seen.append((base, found[0], tuple(add), tuple(remove), cause, cause_id))

    monkeypatch.setattr(change_sets, "_membership", [fill])
    options = Options(add_to_segments=(1,), remove_from_segments=(2, 3), cause_id=9)
    records = [Record({"email": f"{name}@b.cd"}, {"bonus": value}) for name, value in (("a", 1), ("b", 2), ("c", "x"))]
    first = import_records(connection, clock, shop, records, options)
    ids = sorted(item.profile_id for item in first if item.profile_id)
    assert len(ids) == 2
    import_records(connection, clock, shop, records, options)
    assert seen == [(shop.id, ids, (1,), (2, 3), options.cause, 9)] * 2


def test_without_a_room_that_keeps_segments_nothing_is_written(
    connection: Connection, clock: VirtualClock, shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_sets, "_membership", [])
    with pytest.raises(SojournError) as error:
        import_records(connection, clock, shop, [Record({"email": "a@b.cd"})], Options(add_to_segments=(1,)))
    assert error.value.code == "segments_not_offered"
    assert connection.execute(f"SELECT count(*) FROM {shop.table}").fetchone() == (0,)
