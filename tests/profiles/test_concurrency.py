"""Imports at the same time: one new person becomes one profile, nothing is lost, nobody waits for ever."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from sojourn.kernel import VirtualClock
from sojourn.profiles import Database, Options, Outcome, Record, Resource, SubscriptionInput, import_records, of_profile
from sojourn.profiles.import_arguments import ImportOptions, ImportSubscription
from sojourn.profiles.reading_rows import RowsReader
from sojourn.profiles.run_import import run_import
from tests.profiles.together import together

Connection = psycopg.Connection[Any]


@pytest.mark.parametrize(
    ("options", "keys", "fields"),
    [
        ({"matching": "email"}, {"email": "a@b.cd"}, {}), ({"matching": "phone"}, {"phone": "+79000000001"}, {}),
        ({"matching": "email_phone"}, {"email": "a@b.cd", "phone": "+79000000001"}, {}), ({"matching": "custom", "field_name": "card"}, {"field_value": "A-1"}, {}),
        ({"matching": "email_phone"}, {"phone": "+79000000001"}, {"bonus": 1}),
    ],
)  # fmt: skip
def test_one_new_person_imported_at_once_becomes_one_profile(
    connection: Connection,
    database_url: str,
    clock: VirtualClock,
    shop: Database,
    options: dict[str, Any],
    keys: dict[str, Any],
    fields: dict[str, Any],
) -> None:
    outcomes: list[Outcome] = []
    together(
        database_url,
        6,
        lambda mine, number: outcomes.extend(
            import_records(mine, clock, shop, [Record(keys, fields)], Options(**options))
        ),
    )
    assert [o.problem for o in outcomes] == [None] * 6
    assert sorted(o.action for o in outcomes) == ["created"] + ["unchanged"] * 5
    assert len({o.profile_id for o in outcomes}) == 1
    assert connection.execute(f"SELECT count(*) FROM {shop.table}").fetchone() == (1,)


def test_large_imports_in_opposite_order_do_not_stand_in_each_others_way(
    connection: Connection, database_url: str, clock: VirtualClock, shop: Database
) -> None:
    people = [f"{number}@b.cd" for number in range(300)]
    plus = {"action": "incr", "value": 1}

    def work(mine: Connection, number: int) -> None:
        order = people if number % 2 else people[::-1]
        for _ in range(3):
            outcomes = import_records(
                mine,
                clock,
                shop,
                [Record({"email": e}, {"bonus": plus, "phones": [f"+7900000000{number}"]}) for e in order],
                Options(),
            )
            assert all(o.problem is None for o in outcomes)

    together(database_url, 4, work)
    column = shop.field("bonus").column
    assert connection.execute(f"SELECT count(*), min({column}), max({column}) FROM {shop.table}").fetchone() == (
        300,
        12,
        12,
    )
    assert connection.execute("SELECT count(*) FROM identity WHERE kind = 1").fetchone() == (300,)
    assert connection.execute(
        f"SELECT count(*) FROM {shop.table} p WHERE NOT EXISTS (SELECT FROM identity i WHERE i.profile_id = p.id AND i.kind = 2 AND i.value = p.phones[1])"
    ).fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM identity WHERE kind = 2").fetchone() == (300,)


def test_subscriptions_written_at_once_leave_one_preferred(
    connection: Connection, database_url: str, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    [made] = import_records(connection, clock, shop, [Record({"email": "a@b.cd"})], Options())

    def work(mine: Connection, number: int) -> None:
        for turn in range(10):
            contact = SubscriptionInput(
                news.id, "email", f"{number}@b.cd", status=turn % 2, priority=(turn + number) % 3
            )
            [outcome] = import_records(mine, clock, shop, [Record({"email": "a@b.cd"}, {}, [contact])], Options())
            assert outcome.problem is None

    together(database_url, 4, work)
    assert made.profile_id
    found = of_profile(connection, made.profile_id)
    assert len(found) == 4 and sum(s.preferred for s in found) == 1


def test_an_email_wanted_by_two_goes_to_one(
    connection: Connection, database_url: str, clock: VirtualClock, shop: Database
) -> None:
    import_records(connection, clock, shop, [Record({"email": f"{n}@b.cd"}) for n in range(4)], Options())
    outcomes: list[Outcome] = []
    together(
        database_url,
        4,
        lambda mine, n: outcomes.extend(
            import_records(mine, clock, shop, [Record({"email": f"{n}@b.cd"}, {"email": "best@b.cd"})], Options())
        ),
    )
    assert sorted(o.action for o in outcomes) == ["skipped"] * 3 + ["updated"]
    assert {o.problem.code for o in outcomes if o.problem} == {"email_taken"}


def test_files_with_the_same_new_people_at_once_make_each_of_them_once(
    connection: Connection, database_url: str, clock: VirtualClock, shop: Database, news: Resource
) -> None:
    wishes = ImportOptions(subscriptions=[ImportSubscription(resource_id=news.id, channel=1)])
    people = [(f"p{number}@b.cd", number % 7) for number in range(3_000)]
    reports: list[dict[str, Any]] = []

    def work(mine: Connection, number: int) -> None:
        rows = people if number % 2 else people[::-1]
        reader = RowsReader(["email", "bonus"], rows)
        reports.append(run_import(mine, clock, shop.id, reader, wishes, task_id=None))

    together(database_url, 3, work)
    assert sum(report["created"] for report in reports) == 3_000
    assert sum(report["unchanged"] for report in reports) == 6_000
    for table in (shop.table, "subscription"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (3_000,)
