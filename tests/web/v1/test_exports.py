"""Exports, lists, histories and the starting of many, as integrations call them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import psycopg
import pytest

from sojourn.bulk import EXPORT, export_task
from sojourn.cli.wiring import connect_rooms
from sojourn.events import Event, EventKind, append
from sojourn.kernel import Settings, VirtualClock, parse_public_id
from sojourn.kernel.tasks import finish, get_task
from sojourn.profiles import Database
from sojourn.web.v1.start_many import start_many_task
from tests.web.v1.integration import Integration

Connection = psycopg.Connection[Any]


@pytest.fixture(autouse=True)
def _rooms() -> None:
    connect_rooms()


@pytest.fixture
def people(api: Integration, base: Database) -> list[str]:
    made = [
        api.done("profiles/import", db_id=base.id, email=f"p{n}@example.com", data={"email": f"p{n}@example.com", "points": n, "_city": "Omsk"})
        for n in range(5)
    ]  # fmt: skip
    return [one["profile_id"] for one in made]


def perform(connection: Connection, clock: VirtualClock, settings: Settings, task_id: int) -> None:
    """What the queue does."""
    task = get_task(connection, task_id)
    work = export_task(settings) if task.kind == EXPORT else start_many_task()
    connection.execute("UPDATE background_task SET state = 'running' WHERE id = %s", (task_id,))
    finish(connection, clock, task_id, "completed", result=work(connection, clock, task, lambda done, total=None: None))


def test_an_export_is_a_task_with_a_file(
    api: Integration, connection: Connection, clock: VirtualClock, settings: Settings, base: Database, people: list[str]
) -> None:
    task = api.done(
        "profiles/get_all", source_type="database", source_id=base.id, custom_request={"points": {"$gte": 3}}
    )["data"]["task_id"]
    assert api.done("tasks/status", task_id=task)["data"]["status"] == "waiting"
    perform(connection, clock, settings, task)
    told = api.done("tasks/status", task_id=task)["data"]
    assert (told["status"], told["progress"]) == ("completed", 100)
    assert told["result"] == {
        "errors": [], "source_id": base.id, "total": 2, "type": "database", "urls": [f"/api/download/data/{task}/{base.id}_database_export.csv"]
    }  # fmt: skip
    url = told["result"]["urls"][0]
    assert api.client.get(url).status_code == 401
    answer = api.client.get(url, headers={"authorization": f"Bearer {api.token}"})
    assert answer.status_code == 200
    assert {row["points"] for row in csv.DictReader(io.StringIO(answer.text))} == {"3", "4"}
    assert (
        api.client.get(url.replace("_export", "_other"), headers={"authorization": f"Bearer {api.token}"}).status_code
        == 404
    )


def test_an_export_can_be_json(
    api: Integration, connection: Connection, clock: VirtualClock, settings: Settings, base: Database, people: list[str]
) -> None:
    task = api.done("profiles/get_all", source_type="database", source_id=base.id, file_format="json")["data"][
        "task_id"
    ]
    perform(connection, clock, settings, task)
    url = api.done("tasks/status", task_id=task)["data"]["result"]["urls"][0]
    lines = api.client.get(url, headers={"authorization": f"Bearer {api.token}"}).text.splitlines()
    assert sorted(json.loads(line)["points"] for line in lines) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("query", "points"),
    [
        ({"points": 2}, {2}),
        ({"points": {"$in": [1, 4]}}, {1, 4}),
        ({"$or": [{"points": {"$lt": 1}}, {"points": {"$gt": 3}}]}, {0, 4}),
        ({"$and": [{"_city": "Omsk"}, {"points": {"$nin": [0, 1]}}]}, {2, 3, 4}),
        ({"$nor": [{"points": {"$lte": 3}}]}, {4}),
        ({"card": None, "points": {"$ne": 3}}, {0, 1, 2, 4}),
        ({"card": {"$exists": True}}, set()),
        ({"points": {"$gt": 0, "$lt": 2}}, {1}),
    ],
)
def test_queries_mean_what_clients_expect(
    api: Integration,
    connection: Connection,
    clock: VirtualClock,
    settings: Settings,
    base: Database,
    people: list[str],
    query: Any,
    points: set[int],
) -> None:
    task = api.done(
        "profiles/get_all", source_type="database", source_id=base.id, custom_request=query, file_format="json"
    )["data"]["task_id"]
    perform(connection, clock, settings, task)
    result = api.done("tasks/status", task_id=task)["data"]["result"]
    text = api.client.get(result["urls"][0], headers={"authorization": f"Bearer {api.token}"}).text
    assert {json.loads(line)["points"] for line in text.splitlines()} == points


@pytest.mark.parametrize(
    "query", [{"$where": "1"}, {"points": {"$regex": "x"}}, {"nothing": 1}, {"$or": 5}, {"points": "many"}]
)
def test_what_a_query_cannot_mean_is_refused(api: Integration, base: Database, query: Any) -> None:
    code, _ = api.failed("profiles/get_all", source_type="database", source_id=base.id, custom_request=query)
    assert code == 400


def test_profiles_are_listed_page_by_page(api: Integration, base: Database, people: list[str]) -> None:
    seen, pointer = [], ""
    while page := api.done("profiles/list", db_id=base.id, from_id=pointer, limit=2):
        if not page["data"]:
            break
        seen += [row["_id"] for row in page["data"]]
        pointer = page["next_from_id"]
    assert seen == people


def test_a_profile_can_be_deleted(api: Integration, reader: Integration, base: Database, people: list[str]) -> None:
    assert reader.failed("profiles/delete", db_id=base.id, matching="profile_id", profile_id=people[0])[0] == 403
    api.done("profiles/delete", db_id=base.id, matching="profile_id", profile_id=people[0])
    assert api.failed("profiles/get", db_id=base.id, matching="profile_id", profile_id=people[0])[0] == 404


def test_databases_and_resources_are_described(api: Integration, base: Database) -> None:
    assert api.done("databases/get", id=base.id)["data"] == {
        "id": base.id,
        "name": "Customers",
        "description": "",
        "suppress_id": None,
    }
    fields = {field["name"]: field for field in api.done("databases/fields_get", id=base.id)["data"]}
    assert fields["points"] == {
        "category": "custom",
        "title": "Points",
        "name": "points",
        "required": False,
        "type": "int",
    }
    assert fields["_sex"]["category"] == "system"
    found = api.done("resources/get", id=1)["data"]
    assert found["channels"] == ["email", "sms", "push", "telegram_bot"] and found["name"] == "News"


def test_subscriptions_are_given_and_listed(api: Integration, base: Database, people: list[str]) -> None:
    given = {"db_id": base.id, "profile_id": people[0], "resource_id": 1, "channel": "email", "email": "A@Example.com"}
    api.done("subscriptions/set", **given, status="unconfirmed", priority=3)
    api.done("subscriptions/set", **given, status=-1, priority=0)
    assert api.done("subscriptions/list", db_id=base.id, profile_id=people[0])["data"] == [
        {"resource_id": 1, "channel": "email", "email": "a@example.com", "priority": 0, "status": "unconfirmed"}
    ]
    assert api.failed("subscriptions/set", **(given | {"profile_id": "f" * 24}))[0] in (400, 404)


def test_history_is_read_for_one_and_for_all(
    api: Integration, connection: Connection, clock: VirtualClock, base: Database, people: list[str]
) -> None:
    numbers = [parse_public_id(text) for text in people]
    append(
        connection,
        clock,
        [Event(number, EventKind.OPENED, clock.now(), channel=1) for number in numbers for _ in range(2)],
    )
    one = api.done("subscribers/history_get", list_id=base.id, matching="profile_id", profile_id=people[0])["data"]
    assert [(event["action"], event["channel"], event["profile_id"]) for event in one] == [
        ("open", "email", people[0])
    ] * 2
    day = clock.now().date().isoformat()
    seen, pointer = [], ""
    while page := api.done(
        "subscribers/history_get_all", list_id=base.id, date_from=day, date_to=day, from_id=pointer, limit=3
    ):
        if not page["data"]:
            break
        seen += [event["event_id"] for event in page["data"]]
        pointer = page["next_from_id"]
    assert len(seen) == len(set(seen)) == 10
    assert (
        api.done(
            "subscribers/history_get",
            list_id=base.id,
            matching="profile_id",
            profile_id=people[0],
            date_to="2020-01-01",
        )["data"]
        == []
    )
    assert api.failed("subscribers/history_get_all", list_id=base.id)[0] == 400
    assert api.failed("subscribers/history_get_all", list_id=base.id, date_from="x", date_to=day)[0] == 400
