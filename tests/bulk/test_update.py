"""Bulk updates: everybody of an audience once, whatever happens in between."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from sojourn.bulk import Audience, Changes, UpdateArguments, update_task
from sojourn.bulk.update import NewSubscription, SubscriptionChange, prepared
from sojourn.cli.wiring import connect_rooms
from sojourn.kernel import SojournError, VirtualClock
from sojourn.kernel.tasks import TaskCancelled, create_task, get_task
from sojourn.profiles import Database, Options, Record, Resource, SubscriptionInput, import_records
from sojourn.scenarios import Catalogue

Connection = psycopg.Connection[Any]


@pytest.fixture
def people(connection: Connection, clock: VirtualClock, shop: Database) -> list[int]:
    """A hundred people, half of them from Omsk."""
    connect_rooms()
    records = [
        Record({}, {"email": f"p{n}@example.com", "_city": "Omsk" if n % 2 else "Tomsk", "bonus": n, "phones": [f"+7900{n:07d}"]})
        for n in range(100)
    ]  # fmt: skip
    outcomes = import_records(connection, clock, shop, records, Options())
    return [outcome.profile_id for outcome in outcomes if outcome.profile_id]


def run(
    connection: Connection, clock: VirtualClock, given: UpdateArguments, stop_after: int | None = None
) -> dict[str, Any]:
    """Run an update as the queue does; `stop_after` breaks it off at so many profiles and runs it again."""
    ready = prepared(connection, given, Catalogue(connection))
    task = get_task(
        connection, create_task(connection, clock, "bulk_update", "x", ready.model_dump(mode="json"), queued=False)
    )

    def report(done: int, total: int | None = None) -> None:
        if stop_after is not None and done >= stop_after:
            raise TaskCancelled

    if stop_after is not None:
        with pytest.raises(TaskCancelled):
            update_task()(connection, clock, task, report)
    result = update_task()(connection, clock, task, lambda done, total=None: None)
    assert result
    return result


def audience(shop: Database, **more: Any) -> Audience:
    return Audience(database_id=shop.id, **more)


OMSK = {"rule": "field", "field": "_city", "operator": "eq", "value": "Omsk"}


def test_fields_of_an_audience_change_and_nobody_else(
    connection: Connection, clock: VirtualClock, shop: Database, people: list[int]
) -> None:
    changes = Changes(fields={"vip": True, "likes": {"action": "add", "value": ["tea"]}, "level": "gold"})
    result = run(connection, clock, UpdateArguments(audience=audience(shop, rules=OMSK), changes=changes))
    assert result == {"total": 50, "updated": 50}
    vip, likes = shop.field("vip").column, shop.field("likes").column
    rows = connection.execute(
        f"SELECT city, {vip}, {likes}, count(*) FROM {shop.table} GROUP BY 1, 2, 3 ORDER BY 1"
    ).fetchall()
    assert rows == [("Omsk", True, ["tea"], 50), ("Tomsk", None, None, 50)]


def test_a_sum_is_added_once_though_the_task_was_broken_off(
    connection: Connection, clock: VirtualClock, shop: Database, people: list[int]
) -> None:
    changes = Changes(fields={"bonus": {"action": "incr", "value": 1000}})
    result = run(connection, clock, UpdateArguments(audience=audience(shop), changes=changes), stop_after=20)
    assert result["updated"] == 100
    bonus = shop.field("bonus").column
    assert connection.execute(f"SELECT min({bonus}), max({bonus}), count(*) FROM {shop.table}").fetchone() == (
        1000,
        1099,
        100,
    )
    assert connection.execute("SELECT count(*) FROM bulk_target").fetchone() == (0,)


def test_who_begins_to_fit_meanwhile_is_left_alone(
    connection: Connection, clock: VirtualClock, shop: Database, people: list[int]
) -> None:
    result = run(
        connection,
        clock,
        UpdateArguments(audience=audience(shop, rules=OMSK), changes=Changes(fields={"_city": "Tomsk"})),
        stop_after=1,
    )
    assert result["updated"] == 50


def test_a_range_is_stable_and_halves_are_disjoint(
    connection: Connection, clock: VirtualClock, shop: Database, people: list[int]
) -> None:
    low = run(
        connection,
        clock,
        UpdateArguments(
            audience=audience(shop, range={"start": 0, "end": 50}), changes=Changes(fields={"level": "gold"})
        ),
    )
    high = run(
        connection,
        clock,
        UpdateArguments(
            audience=audience(shop, range={"start": 50, "end": 100}), changes=Changes(fields={"level": "silver"})
        ),
    )
    assert low["total"] + high["total"] == 100 and 30 < low["total"] < 70
    again = run(
        connection,
        clock,
        UpdateArguments(
            audience=audience(shop, range={"start": 0, "end": 50}), changes=Changes(fields={"level": "gold"})
        ),
    )
    assert again == {"total": low["total"], "unchanged": low["total"]}


def test_a_limit_comes_last(connection: Connection, clock: VirtualClock, shop: Database, people: list[int]) -> None:
    result = run(
        connection,
        clock,
        UpdateArguments(audience=audience(shop, rules=OMSK, most=7), changes=Changes(fields={"vip": True})),
    )
    assert result["total"] == 7


def test_everybody_subscribes_with_the_own_address(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource, people: list[int]
) -> None:
    changes = Changes(subscribe=NewSubscription(resource_id=news.id, channel="email", status="unconfirmed"))
    assert (
        run(connection, clock, UpdateArguments(audience=audience(shop, rules=OMSK), changes=changes))["updated"] == 50
    )
    assert connection.execute("SELECT status, count(*) FROM subscription GROUP BY 1").fetchall() == [(4, 50)]
    changes = Changes(subscriptions=SubscriptionChange(resource_id=news.id, status="unsubscribed"))
    assert run(connection, clock, UpdateArguments(audience=audience(shop), changes=changes)) == {
        "total": 100,
        "updated": 50,
        "unchanged": 50,
    }
    assert connection.execute("SELECT status, count(*) FROM subscription GROUP BY 1").fetchall() == [(1, 50)]


def test_the_global_status_goes_above_subscriptions(
    connection: Connection, clock: VirtualClock, shop: Database, news: Resource, people: list[int]
) -> None:
    import_records(
        connection,
        clock,
        shop,
        [Record({"profile_id": people[0]}, {}, [SubscriptionInput(news.id, "email", "a@example.com")])],
        Options(matching="profile_id"),
    )
    run(
        connection, clock, UpdateArguments(audience=audience(shop), changes=Changes(fields={"_status": "unsubscribed"}))
    )
    assert connection.execute("SELECT effective FROM subscription").fetchone() == (1,)


def test_profiles_can_be_deleted(
    connection: Connection, clock: VirtualClock, shop: Database, people: list[int]
) -> None:
    result = run(
        connection,
        clock,
        UpdateArguments(audience=audience(shop, rules=OMSK), changes=Changes(delete=True)),
        stop_after=10,
    )
    assert result["deleted"] == 50
    assert connection.execute(f"SELECT count(*) FROM {shop.table}").fetchone() == (50,)


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({}, "nothing_to_do", "changes"),
        ({"fields": {"nothing": 1}}, "bad_update", "changes.fields.nothing"),
        ({"fields": {"bonus": "many"}}, "bad_update", "changes.fields.bonus"),
        ({"fields": {"email": "a@example.com"}}, "bad_update", "changes.fields.email"),
        ({"fields": {"vip": True}, "delete": True}, "nothing_to_do", "changes.delete"),
        ({"subscriptions": {"status": "happy"}}, "bad_update", "changes.subscriptions.status"),
        ({"subscribe": {"resource_id": 77}}, "unknown_resource", "resource_id"),
        ({"add_to_segments": [5]}, "segment_not_static", "changes.add_to_segments"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_changes(
    connection: Connection, clock: VirtualClock, shop: Database, changes: dict[str, Any], code: str, place: str
) -> None:
    with pytest.raises(SojournError) as refused:
        prepared(
            connection, UpdateArguments(audience=audience(shop), changes=Changes(**changes)), Catalogue(connection)
        )
    assert (refused.value.code, refused.value.place) == (code, place)


def test_rules_that_do_not_fit_are_refused(connection: Connection, clock: VirtualClock, shop: Database) -> None:
    given = UpdateArguments(
        audience=audience(shop, rules={"rule": "field", "field": "x", "operator": "eq", "value": 1}),
        changes=Changes(fields={"vip": True}),
    )
    with pytest.raises(SojournError, match="no field"):
        prepared(connection, given, Catalogue(connection))
