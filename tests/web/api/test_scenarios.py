"""Scenarios over HTTP: drafts, conflicts, publishing, entries, figures."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from sojourn.kernel import VirtualClock
from sojourn.scenarios.engine_loop import EngineLoop
from tests.web.api.browser import Browser

NODES: list[dict[str, Any]] = [
    {"id": 0, "type": "start", "title": "Start", "links": {"next": 1}},
    {"id": 1, "type": "pause", "title": "Wait", "settings": {"length": "1d"}, "links": {}},
]


@pytest.fixture
def database_id(browser: Browser) -> int:
    return int(browser.post("/databases", {"name": "Customers"})["id"])


@pytest.fixture
def scenario(browser: Browser, database_id: int) -> dict[str, Any]:
    made: dict[str, Any] = browser.post("/scenarios", {"name": "Welcome", "database": database_id, "nodes": NODES})
    return made


def running(browser: Browser, scenario: dict[str, Any]) -> str:
    path = f"/scenarios/{scenario['id']}"
    browser.post(f"{path}/publish", {"accept_sandbox": True}, 200)
    browser.post(f"{path}/activate", {}, 200)
    return path


def test_a_new_scenario_is_described_for_the_canvas(scenario: dict[str, Any]) -> None:
    assert (scenario["revision"], scenario["active"], scenario["changed"], scenario["problems"]) == (1, False, True, [])
    assert scenario["described"]["1"]["type_title"] == "Pause"
    assert scenario["described"]["1"]["ports"][0] == {
        "id": "next",
        "title": "Next",
        "tone": "main",
        "optional": False,
        "linkable": True,
    }


def test_the_second_of_two_who_save_the_same_revision_is_told(browser: Browser, scenario: dict[str, Any]) -> None:
    path, document = f"/scenarios/{scenario['id']}", scenario["document"]
    saved = browser.call("PUT", path, json={"revision": 1, "document": {**document, "name": "Mine"}})
    assert saved.status_code == 200 and saved.json()["revision"] == 2
    error = browser.refused("PUT", path, 409, json={"revision": 1, "document": {**document, "name": "Theirs"}})
    assert error["code"] == "stale_revision"
    assert browser.get(path)["name"] == "Mine"


def test_a_document_that_cannot_be_read_is_told_by_node(browser: Browser, scenario: dict[str, Any]) -> None:
    document = {**scenario["document"], "nodes": [{**NODES[0], "links": {"next": "x"}}]}
    error = browser.refused("PUT", f"/scenarios/{scenario['id']}", 400, json={"revision": 1, "document": document})
    assert error["problems"][0]["place"] == "node 0.links.next"
    assert browser.refused("POST", "/scenarios", 404, json={"name": "X", "database": 99})["code"] == "unknown_database"
    assert (
        browser.refused("POST", "/scenarios", 409, json={"name": "Welcome", "database": scenario["database_id"]})[
            "code"
        ]
        == "name_taken"
    )


def test_publishing_asks_about_the_sandbox_and_tells_problems(
    browser: Browser, database_id: int, connection: psycopg.Connection, clock: VirtualClock
) -> None:
    resource = browser.post("/resources", {"name": "News"})["id"]
    template = browser.post(
        "/templates",
        {
            "name": "Hi",
            "channel": "email",
            "content": {"subject": "Hi", "html": '<a href="{{ unsubscribe_url }}">x</a>'},
        },
    )["id"]
    letter = {"id": 1, "type": "email", "settings": {"resource": resource, "template": template}, "links": {}}
    made = browser.post("/scenarios", {"name": "Letters", "database": database_id, "nodes": [NODES[0], letter]})
    path = f"/scenarios/{made['id']}/publish"
    assert browser.refused("POST", path, 409)["code"] == "sandbox"
    assert browser.post(path, {"accept_sandbox": True}, 200)["published_number"] == 1
    browser.post(f"/scenarios/{made['id']}/activate", {}, 200)
    person = browser.post(
        "/profiles",
        {
            "database": database_id,
            "fields": {"email": "a@example.com"},
            "subscriptions": [{"resource_id": resource, "contact": "a@example.com"}],
        },
    )
    browser.post(f"/scenarios/{made['id']}/profiles", {"profile_id": person["id"]}, 202)
    EngineLoop(connection, clock).step()
    letters = browser.get(f"/scenarios/{made['id']}/statistics")["nodes"]["1"]["messages"]
    assert letters == {"waiting": 1, "sent": 0, "opened": 0, "clicked": 0, "not_sent": 0, "in_doubt": 0}
    assert browser.get(f"/profiles/{person['id']}/messages")["items"][0]["state"] == "planned"
    bare = browser.post("/scenarios", {"name": "Bare", "database": database_id})
    error = browser.refused("POST", f"/scenarios/{bare['id']}/publish", 400)
    assert error["code"] == "not_ready" and error["problems"]
    assert browser.refused("POST", f"/scenarios/{bare['id']}/activate", 409)["code"] == "not_published"


def test_a_profile_walks_and_figures_and_passages_tell_it(
    browser: Browser, scenario: dict[str, Any], connection: psycopg.Connection, clock: VirtualClock, database_id: int
) -> None:
    path = running(browser, scenario)
    person = browser.post(
        "/profiles", {"database": database_id, "fields": {"email": "ann@example.com", "_fname": "Ann"}}
    )["id"]
    assert browser.post(f"{path}/profiles", {"profile_id": person, "context": {"a": 1}}, 202) == {"captured": 1}
    EngineLoop(connection, clock).step()
    figures = browser.get(f"{path}/statistics")
    assert figures["totals"]["entered"] == figures["totals"]["inside"] == 1
    assert figures["nodes"]["1"]["inside"] == 1
    assert figures["links"] == [{"node": 0, "port": "next", "target": 1, "n": 1}]
    assert browser.get(f"{path}/statistics?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z")["totals"]["entered"] == 0
    inside = browser.get(f"{path}/nodes/1/profiles")["items"]
    assert [(one["profile_id"], one["name"], one["email"]) for one in inside] == [(person, "Ann", "ann@example.com")]
    passage = browser.get(f"/profiles/{person}/passages?language=ru")["items"][0]
    assert (passage["scenario_name"], passage["node_title"], passage["reason"]) == ("Welcome", "Wait", None)
    assert [(step["title"], step["output"], step["output_title"]) for step in passage["steps"]] == [
        ("Start", "next", "Далее")
    ]
    row = browser.get("/scenarios?search=welc")["items"][0]
    assert (row["entered"], row["inside"], row["active"]) == (1, 1, True)
    stopped = browser.post(f"{path}/stop", {"clear": True}, 200)
    assert stopped["active"] is False
    assert browser.get(f"{path}/statistics")["totals"]["inside"] == 0


def test_only_profiles_of_its_database_are_sent_in(browser: Browser, scenario: dict[str, Any]) -> None:
    path = running(browser, scenario)
    other = browser.post("/databases", {"name": "Others"})["id"]
    stranger = browser.post("/profiles", {"database": other, "fields": {"email": "x@example.com"}})["id"]
    assert browser.refused("POST", f"{path}/profiles", 404, json={"profile_id": stranger})["code"] == "unknown_profile"
    assert browser.refused("POST", f"{path}/profiles", 400, json={"profile_id": "xyz"})["code"] == "bad_profile_id"
    browser.post(f"{path}/stop", {}, 200)
    browser.refused("GET", "/scenarios/99/statistics", 404)
    browser.refused("GET", "/scenarios/99/statistics/stream", 404)
    browser.refused("GET", f"{path}/statistics?from=yesterday", 422)


def test_node_types_and_descriptions_come_in_both_languages(browser: Browser, scenario: dict[str, Any]) -> None:
    for language, title in (("en", "Pause"), ("ru", "Пауза")):
        types = {entry["type"]: entry for entry in browser.get(f"/node-types?language={language}")["items"]}
        assert types["pause"]["title"] == title and types["pause"]["schema"]["properties"]
        body = {"settings": {"length": "2d"}, "scenario_id": scenario["id"], "language": language}
        described = browser.post("/node-types/pause/describe", body, 200)
        assert described["type_title"] == title and described["summary"] and not described["problems"]
    assert browser.post("/node-types/pause/describe", {"settings": {"length": "soon"}}, 200)["problems"]
    assert browser.post("/node-types/nothing/describe", {}, 200)["problems"][0]["code"] == "unknown_type"


def test_the_description_of_the_interface_is_complete(browser: Browser) -> None:
    described = browser.client.get("/api/v2/openapi.json").json()
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names)) >= 40
    for operation in operations:
        success = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
        assert "content" in success or "204" in operation["responses"], operation["operationId"]
        schema = success.get("content", {}).get("application/json", {}).get("schema", {"$ref": ""})
        items = schema.get("items", {})
        assert "$ref" in schema or "$ref" in items or items.get("type") == "string", operation["operationId"]
    assert "ErrorAnswer" in described["components"]["schemas"]
    assert json.dumps(described).count("NodeTypeShape") >= 2


def test_an_edit_is_previewed_taken_along_and_undone(
    browser: Browser, scenario: dict[str, Any], connection: psycopg.Connection[Any], clock: VirtualClock
) -> None:
    path = running(browser, scenario)
    made = browser.post("/profiles", {"database": scenario["database_id"], "fields": {"email": "a@b.cd"}})
    browser.post(f"{path}/profiles", {"profile_id": made["id"]}, 202)
    EngineLoop(connection, clock).step()
    nodes = [
        {"id": 0, "type": "start", "links": {"next": 2}},
        {"id": 2, "type": "goal", "settings": {"goal": "x"}, "links": {"next": 3}},
        {"id": 3, "type": "pause"},
    ]
    saved = browser.call("PUT", path, json={"revision": 1, "document": {**scenario["document"], "nodes": nodes}})
    assert saved.status_code == 200
    preview = browser.get(f"{path}/edit-preview?language=ru")
    assert "Шаг удалён: Wait" in [change["text"] for change in preview["changes"]]
    [waiting] = preview["waiting"]
    assert (waiting["node_id"], waiting["people"], waiting["due_in_day"], waiting["fate"]) == (1, 1, 1, "gone")
    order = {"accept_sandbox": True, "take_along": True, "moves": {"1": 99}}
    error = browser.refused("POST", f"{path}/publish", 400, json=order)
    assert (error["code"], error["problems"][0]["place"]) == ("bad_moves", "moves.1")
    assert browser.get(path)["published_number"] == 1
    browser.post(f"{path}/publish", {**order, "moves": {"1": 2}}, 200)
    [batch] = browser.get(f"{path}/migrations")["items"]
    assert (batch["version"], batch["moved"], batch["undone_at"]) == (2, 1, None)
    undone = browser.post(f"{path}/migrations/{batch['id']}/undo", {}, 200)
    assert undone["undone_at"] is not None
    assert browser.refused("POST", f"{path}/migrations/{batch['id']}/undo", 409, json={})["code"] == "undone_already"
    assert browser.refused("POST", f"{path}/migrations/999/undo", 404, json={})["code"] == "unknown_migration"
    [person] = browser.get(f"{path}/nodes/1/profiles")["items"]
    whose = {"profile_id": person["profile_id"]}
    assert browser.call("POST", f"{path}/passages/{person['passage_id']}/move-on", json=whose).status_code == 204
    assert browser.call("POST", f"{path}/passages/{person['passage_id']}/remove", json=whose).status_code == 204
    assert (
        browser.refused("POST", f"{path}/passages/{person['passage_id']}/remove", 404, json=whose)["code"]
        == "unknown_passage"
    )
