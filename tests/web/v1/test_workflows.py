"""Scenarios through the integration API."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from sojourn.kernel import Settings, VirtualClock, parse_public_id
from sojourn.kernel.tasks import TaskInterrupted, get_task
from sojourn.scenarios import activate, create_scenario, publish
from sojourn.web.v1.start_many import start_many_task
from tests.web.v1.integration import OK, Integration

NODES: list[dict[str, Any]] = [
    {"id": 0, "type": "start", "title": "Start", "links": {"next": 1}},
    {"id": 1, "type": "pause", "title": "Wait", "settings": {"length": "1d"}, "links": {}},
]


@pytest.fixture
def scenario(connection: psycopg.Connection, clock: VirtualClock, settings: Settings, api: Integration) -> int:
    made = create_scenario(connection, clock, {"name": "Welcome", "database": 1, "tags": ["B2C"], "nodes": NODES})
    publish(connection, clock, made.id, settings=settings, accept_sandbox=True)
    activate(connection, clock, made.id)
    return made.id


def captures(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    return connection.execute("SELECT profile_id, scenario_id, context FROM capture ORDER BY at, profile_id").fetchall()


def test_a_profile_is_started(api: Integration, scenario: int, connection: psycopg.Connection) -> None:
    made = api.done("profiles/import", db_id=1, email="s@example.com", data={}, skip_triggers=True)["profile_id"]
    told = api.done("workflows/start", id=str(scenario), matching="profile_id", profile_id=made, content={"order": 5})
    assert told == {"profile_id": made, "data": {"started": True}}
    assert captures(connection) == [(parse_public_id(made), scenario, {"order": 5})]


def test_who_may_not_enter_again_is_told_so_without_an_error(
    api: Integration, scenario: int, connection: psycopg.Connection
) -> None:
    made = api.done("profiles/import", db_id=1, email="s@example.com", data={})["profile_id"]
    number = parse_public_id(made)
    connection.execute(
        "INSERT INTO entered (profile_id, scenario_id, lane) VALUES (%s, %s, %s)", (number, scenario, number & 63)
    )
    told = api.done("workflows/start", id=scenario, email="s@example.com")
    assert told == {"profile_id": made, "data": {"started": False, "reason": "reentry"}}


def test_start_says_why_it_did_not(api: Integration, scenario: int, connection: psycopg.Connection) -> None:
    assert api.failed("workflows/start", id=99, email="a@example.com")[0] == 404
    assert api.failed("workflows/start", id=scenario, email="nobody@example.com") == (404, "profile not found")
    assert api.failed("workflows/start", email="nobody@example.com")[0] == 400
    assert api.failed("workflows/start", id=scenario, email="a@example.com", content="text")[0] == 400
    assert api.failed("workflows/start", id=scenario, email="a@example.com", content={"x": "y" * 200_000})[0] == 400
    for name in ("subscription_filter", "custom_request"):
        assert name in api.failed("workflows/start", id=scenario, email="a@example.com", **{name: {"a": 1}})[1]
    assert api.call("workflows/deactivate", id=scenario) == {**OK, "data": None}
    assert api.failed("workflows/start", id=scenario, email="a@example.com")[0] == 400
    assert captures(connection) == []


def test_import_and_start_does_both_or_neither(api: Integration, scenario: int, connection: psycopg.Connection) -> None:
    told = api.done(
        "workflows/import_and_start",
        workflow_id=scenario,
        matching="email",
        email="i@example.com",
        data={"_fname": "I"},
        content={"a": [1]},
        skip_triggers=True,
    )
    assert told["data"] == {"started": True}
    assert captures(connection) == [(parse_public_id(told["profile_id"]), scenario, {"a": [1]})]
    assert api.profile(1, "i@example.com")["_fname"] == "I"
    assert (
        api.failed("workflows/import_and_start", workflow_id=scenario, email="bad@example.com", data={"points": "x"})[0]
        == 400
    )
    api.done("workflows/deactivate", id=scenario)
    assert api.failed("workflows/import_and_start", workflow_id=scenario, email="late@example.com", data={})[0] == 400
    assert api.failed("profiles/get", db_id=1, email="late@example.com")[0] == 404
    assert len(captures(connection)) == 1


def test_scenarios_are_listed_as_clients_expect(api: Integration, scenario: int) -> None:
    told = api.done("workflows/list")
    assert told == {
        "data": [
            {
                "id": scenario, "name": "Welcome", "list_id": 1, "is_active": True, "ui_tags": ["B2C"], "mode": "skip_in_any_case", "groups": [],
                "nodes": [{"name": "Start", "type": "start", "node_id": 0}, {"name": "Wait", "type": "delay", "node_id": 1}],
            }
        ],
        "next_from_id": scenario + 1, "total": 1, "total_count": 1,
    }  # fmt: skip
    assert api.done("workflows/list", from_id=told["next_from_id"])["data"] == []
    assert api.done("workflows/list", ui_tags=["B2B"])["data"] == []


def test_activation_is_switched(api: Integration, scenario: int) -> None:
    for method, active in (("deactivate", False), ("activate", True)):
        assert api.call(f"workflows/{method}", id=scenario) == {**OK, "data": None}
        assert api.done("workflows/list")["data"][0]["is_active"] is active
    assert api.failed("workflows/activate", id=2**40)[0] == 404


def test_an_import_starts_scenarios_that_listen_unless_triggers_are_skipped(
    api: Integration, connection: psycopg.Connection, clock: VirtualClock, settings: Settings
) -> None:
    nodes = [*NODES, {"id": 2, "type": "start_api_import", "title": "API", "links": {"next": 1}}]
    made = create_scenario(connection, clock, {"name": "Listening", "database": 1, "nodes": nodes})
    publish(connection, clock, made.id, settings=settings, accept_sandbox=True)
    activate(connection, clock, made.id)
    api.done("profiles/import", db_id=1, email="skipped@example.com", data={}, skip_triggers=True)
    first = api.done("profiles/import", db_id=1, email="caught@example.com", data={})["profile_id"]
    assert [row[:2] for row in captures(connection)] == [(parse_public_id(first), made.id)]
    api.done("profiles/import_batch", db_id=1, data=[{"email": "b1@example.com"}, {"email": "b2@example.com"}])
    assert len(captures(connection)) == 3


def test_lists_are_read_page_by_page(api: Integration, connection: psycopg.Connection, clock: VirtualClock) -> None:
    from sojourn.profiles import create_database

    for number in range(4):
        create_database(connection, clock, f"More {number}")
    seen: list[int] = []
    start = 1
    while page := api.done("databases/list", from_id=start, limit=2):
        if not page["data"]:
            break
        assert page["total_count"] == 5
        seen += [item["id"] for item in page["data"]]
        start = page["next_from_id"]
    assert seen == [1, 2, 3, 4, 5]
    assert api.failed("databases/list", limit=0)[0] == 400
    assert api.failed("databases/list", groups=["Sales"])[0] == 400


def test_many_are_imported_and_started_in_order(
    api: Integration, scenario: int, connection: psycopg.Connection
) -> None:
    data = [
        {"email": "m1@example.com", "data": {"_fname": "Ann"}},
        {"email": "no address"},
        "x",
        {"email": "m2@example.com", "content": {"order": 7}},
    ]
    answers = api.done("workflows/import_and_start_batch", workflow_id=scenario, matching="email", data=data)["result"]
    assert [answer["error"] for answer in answers] == [0, 400, 400, 0]
    rows = connection.execute("SELECT context FROM capture ORDER BY profile_id").fetchall()
    assert rows[-2:] == [(None,), ({"order": 7},)]


def test_many_are_started_in_the_background_once(
    api: Integration, scenario: int, connection: psycopg.Connection, clock: VirtualClock
) -> None:
    data = [{"email": f"t{n}@example.com"} for n in range(120)] + [{"email": "no address"}]
    task = get_task(
        connection,
        api.done("workflows/import_and_start_batch_task", workflow_id=scenario, matching="email", data=data)["data"][
            "task_id"
        ],
    )
    before = connection.execute("SELECT count(*) FROM capture").fetchone()[0]

    def interrupted(done: int, total: int | None = None) -> None:
        if done >= 50:
            raise TaskInterrupted

    with pytest.raises(TaskInterrupted):
        start_many_task()(connection, clock, task, interrupted)
    result = start_many_task()(connection, clock, task, lambda done, total=None: None)
    assert (result["total"], result["started"], result["failed"]) == (121, 120, 1)
    assert result["errors"][0]["element"] == 120
    assert connection.execute("SELECT count(*) FROM capture").fetchone()[0] - before == 120


def test_a_query_finds_who_is_started(api: Integration, scenario: int, connection: psycopg.Connection) -> None:
    made = api.done("profiles/import", db_id=1, email="q@example.com", data={"points": 41})["profile_id"]
    assert api.done("workflows/start", id=scenario, custom_request={"points": {"$gt": 40}})["profile_id"] == made
    assert api.failed("workflows/start", id=scenario, custom_request={"points": 4000})[0] == 404
    assert api.failed("workflows/start", id=scenario, custom_request={"nothing": 1})[0] == 400
