"""Functional updates: each action on each type, from something and from nothing."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.kernel import VirtualClock
from sojourn.kernel.database import connect
from sojourn.profiles import Database, Options, Record, import_records
from sojourn.profiles.fields import Field
from sojourn.profiles.functional import Operation, work_out

Connection = psycopg.Connection[Any]


def act(connection: Connection, clock: VirtualClock, shop: Database, **fields: Any) -> dict[str, Any]:
    [outcome] = import_records(connection, clock, shop, [Record({"email": "a@b.cd"}, fields)], Options())
    assert outcome.problem is None, outcome.problem
    columns = ", ".join(shop.field(name).column for name in fields)
    row = connection.execute(f"SELECT {columns} FROM {shop.table} WHERE id = %s", (outcome.profile_id,)).fetchone()
    assert row
    return dict(zip(fields, row, strict=True))


def op(action: str, value: Any = None, submatch: str | None = None) -> dict[str, Any]:
    return {"action": action, "value": value} | ({"submatch": submatch} if submatch else {})


CASES = [
    ("bonus", 5, op("incr", 1000), 1005), ("bonus", None, op("incr", 7), 7), ("bonus", 5, op("incr", -7), -2), ("weight", 1.5, op("incr", 0.25), 1.75),
    ("bonus", 5, op("set", 9), 9), ("bonus", 5, op("unset"), None), ("likes", ["cats"], op("add", ["dogs", "cats"]), ["cats", "dogs"]),
    ("likes", None, op("add", ["dogs"]), ["dogs"]), ("likes", ["cats", "dogs", "owls"], op("delete", ["dogs"]), ["cats", "owls"]),
    ("likes", ["cats"], op("delete", ["cats"]), None), ("likes", None, op("delete", ["cats"]), None), ("orders", [{"id": 1}], op("add", [{"id": 2}]), [{"id": 1}, {"id": 2}]),
    ("orders", None, op("add", {"id": 2}), [{"id": 2}]), ("orders", [{"id": 1}, {"id": 2}], op("delete", [{"id": 1}]), [{"id": 2}]),
    ("orders", [{"id": 1}], op("delete", [{"id": 1}]), None), ("orders", [{"a": 1}, {"b": 2}], op("upsert", 9, "b"), [{"a": 1}, {"b": 9}]),
    ("orders", None, op("upsert", 9, "b"), None), ("car", {"make": "VAZ"}, op("upsert", "red", "look.colour"), {"make": "VAZ", "look": {"colour": "red"}}),
    ("car", None, op("upsert", [1, None], "a"), {"a": [1, None]}), ("car", {"a": 1}, {"action": "drive", "speed": 5}, {"action": "drive", "speed": 5}),
    ("car", None, {"action": "set", "value": {"x": 1}, "more": True}, {"action": "set", "value": {"x": 1}, "more": True}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "before", "change", "after"), CASES)
def test_an_action_does_what_it_says(
    connection: Connection, clock: VirtualClock, shop: Database, name: str, before: Any, change: Any, after: Any
) -> None:
    if before is not None:
        act(connection, clock, shop, **{name: before})
    assert act(connection, clock, shop, **{name: change}) == {name: after}


def test_records_with_different_actions_go_together(
    connection: Connection, clock: VirtualClock, shop: Database
) -> None:
    people = [f"{number}@b.cd" for number in range(5)]
    import_records(
        connection,
        clock,
        shop,
        [Record({"email": e}, {"bonus": 1, "likes": ["x"], "_fname": "Old"}) for e in people],
        Options(),
    )
    changes: list[dict[str, Any]] = [
        {"bonus": op("incr", 4)}, {"bonus": None, "_fname": "New"}, {"likes": op("add", ["y"]), "bonus": op("incr", 1)}, {"bonus": 7}, {"_fname": op("unset")},
    ]  # fmt: skip
    outcomes = import_records(
        connection, clock, shop, [Record({"email": e}, c) for e, c in zip(people, changes, strict=True)], Options()
    )
    assert {o.action for o in outcomes} == {"updated"}
    bonus, likes = shop.field("bonus").column, shop.field("likes").column
    rows = connection.execute(f"SELECT {bonus}, {likes}, fname FROM {shop.table} ORDER BY email").fetchall()
    assert rows == [
        (5, ["x"], "Old"),
        (None, ["x"], "New"),
        (2, ["x", "y"], "Old"),
        (7, ["x"], "Old"),
        (1, ["x"], None),
    ]


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("_fname", op("incr", 1), "wrong_operation"), ("bonus", op("add", [1]), "wrong_operation"), ("bonus", op("incr", "much"), "incorrect_number"),
        ("bonus", op("incr"), "value_missing"), ("car", op("upsert", 1), "submatch_missing"), ("car", op("upsert", 1, "a..b"), "submatch_missing"),
        ("email", op("unset"), "wrong_operation"), ("car", op("upsert", "\x00", "a"), "incorrect_object"),
    ],
)  # fmt: skip
def test_an_action_that_does_not_fit_refuses_the_record(
    connection: Connection, clock: VirtualClock, shop: Database, name: str, change: Any, code: str
) -> None:
    [outcome] = import_records(connection, clock, shop, [Record({"email": "a@b.cd"}, {name: change})], Options())
    assert (
        outcome.action == "skipped"
        and outcome.problem
        and (outcome.problem.code, outcome.problem.place) == (code, name)
    )


@pytest.mark.parametrize(
    ("name", "start", "step"), [("bonus", 2**63 - 1, 1), ("bonus", -(2**63), -1), ("weight", 1.7e308, 1.7e308)]
)
def test_a_sum_too_large_refuses_its_record_alone(
    connection: Connection, clock: VirtualClock, shop: Database, name: str, start: Any, step: Any
) -> None:
    import_records(
        connection, clock, shop, [Record({"email": e}, {name: start}) for e in ("a@b.cd", "b@b.cd")], Options()
    )
    large, fine = import_records(
        connection,
        clock,
        shop,
        [Record({"email": "a@b.cd"}, {name: op("incr", step)}), Record({"email": "b@b.cd"}, {name: op("incr", -step)})],
        Options(),
    )
    assert large.problem and large.problem.code == "number_too_large" and fine.action == "updated"


def test_a_thousand_concurrent_increments_give_the_exact_sum(
    connection: Connection, database_url: str, clock: VirtualClock, shop: Database
) -> None:
    act(connection, clock, shop, bonus=0)

    def add() -> None:
        with connect(database_url, "test") as mine:
            for _ in range(25):
                import_records(
                    mine, clock, shop, [Record({"email": "a@b.cd"}, {"bonus": op("incr", 10)})] * 10, Options()
                )

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert act(connection, clock, shop, bonus=op("incr", 0)) == {"bonus": 10_000}


OBJECTS = Field("o", "", "objects", "f1", "jsonb")
ITEMS = st.lists(st.dictionaries(st.sampled_from("abc"), st.integers() | st.none()), min_size=1)


@given(ITEMS, st.sampled_from("abc"), st.integers())
def test_upsert_in_a_list_touches_exactly_the_elements_with_the_property(
    items: list[dict[str, Any]], key: str, value: int
) -> None:
    result = work_out(OBJECTS, Operation("upsert", value, (key,)), items)
    assert result == [item | {key: value} if key in item else item for item in items]
