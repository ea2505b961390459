"""Databases and fields change through the API."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from sojourn.cli.wiring import connect_rooms
from sojourn.kernel import VirtualClock
from sojourn.profiles import Options, Record, database, import_records
from tests.web.api.browser import Browser


@pytest.fixture
def base(browser: Browser, connection: psycopg.Connection[Any], clock: VirtualClock) -> int:
    connect_rooms()
    made = browser.post("/databases", {"name": "Customers"})["id"]
    browser.post(f"/databases/{made}/fields", {"name": "card", "title": "Card", "type": "line"})
    records = [
        Record(fields={"email": f"p{number}@example.com", "card": card}) for number, card in enumerate(["1", "2", "x"])
    ]
    import_records(connection, clock, database(connection, made), records, Options(matching="email"))
    return int(made)


def changed_by(browser: Browser, method: str, path: str, **more: Any) -> Any:
    answer = browser.call(method, path, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_field_is_changed_found_by_and_deleted(browser: Browser, base: int) -> None:
    fields = f"/databases/{base}/fields"
    changed = changed_by(
        browser, "PATCH", f"{fields}/card", json={"title": "Loyalty card", "matching": True, "hidden": True}
    )
    assert (changed["title"], changed["matching"], changed["hidden"], changed["name"]) == (
        "Loyalty card", True, True, "card"
    )  # fmt: skip
    renamed = changed_by(browser, "PATCH", f"{fields}/card", json={"name": "loyalty_card", "matching": False})
    assert (renamed["name"], renamed["matching"]) == ("loyalty_card", False)
    assert browser.get(f"{fields}/loyalty_card/uses") == []
    assert browser.refused("PATCH", f"{fields}/card", 404, json={"title": "x"})["code"] == "unknown_field"
    assert browser.refused("PATCH", f"{fields}/email", 404, json={"title": "x"})["code"] == "unknown_field"
    browser.refused("PATCH", f"{fields}/loyalty_card", 422, json={"type": "integer"})
    assert browser.call("DELETE", f"{fields}/loyalty_card").status_code == 204
    assert "loyalty_card" not in [field["name"] for field in browser.get(f"/databases/{base}")["fields"]]


def test_a_conversion_is_shown_beforehand_and_ordered(browser: Browser, base: int) -> None:
    address = f"/databases/{base}/fields/card/conversion"
    told = browser.post(f"{address}/preview", {"type": "integer"}, 200)
    assert (told["fits"], told["misfits"], told["exact"]) == (2, 1, True)
    assert [example["value"] for example in told["examples"]] == ["x"]
    task = browser.post(address, {"type": "integer", "misfits": "clear"}, 202)
    assert (task["kind"], task["state"]) == ("field_conversion", "waiting")
    assert browser.refused("POST", address, 409, json={"type": "float"})["code"] == "task_running"
    assert browser.refused("POST", address, 400, json={"type": "line"})["code"] == "same_type"
    assert browser.refused("POST", address, 400, json={"type": "number"})["code"] == "bad_field_type"
    assert browser.refused("POST", f"{address}/preview", 400, json={"type": "enum"})["code"] == "bad_options"


def test_a_database_is_changed_counted_wiped_and_deleted(browser: Browser, base: int) -> None:
    address = f"/databases/{base}"
    changed = changed_by(browser, "PUT", address, json={"name": "Clients", "manager_title": "Shop", "manager_fields": ["email", "card"]})  # fmt: skip
    assert (changed["name"], changed["manager_title"], changed["manager_fields"], changed["about"]) == (
        "Clients", "Shop", ["email", "card"], 3
    )  # fmt: skip
    browser.refused("PUT", address, 400, json={"name": "Clients", "manager_fields": ["nothing"]})
    figures = browser.get(f"{address}/statistics")
    assert figures["known"]["profiles"] == 3 and figures["counting"] is None
    counting = browser.post(f"{address}/statistics", {}, 202)
    assert browser.get(f"{address}/statistics")["counting"]["id"] == counting["id"]
    assert browser.refused("DELETE", address, 409)["code"] == "database_not_empty"
    assert browser.refused("POST", f"{address}/wipe", 400, json={"name": "clients"})["code"] == "wrong_name"
    assert browser.post(f"{address}/wipe", {"name": "Clients"}, 202)["kind"] == "bulk_update"
    empty = browser.post("/databases", {"name": "Empty"})["id"]
    assert browser.call("DELETE", f"/databases/{empty}").status_code == 204
    browser.refused("GET", f"/databases/{empty}", 404)


def test_an_editor_neither_wipes_nor_deletes(editor: Browser) -> None:
    made = editor.post("/databases", {"name": "Customers"})["id"]
    assert editor.refused("POST", f"/databases/{made}/wipe", 403, json={"name": "Customers"})
    assert editor.refused("DELETE", f"/databases/{made}", 403)


def test_an_audience_is_counted_before_it_is_changed(browser: Browser, base: int) -> None:
    def count(**audience: Any) -> Any:
        return browser.post("/audiences/count", {"database_id": base, **audience}, 200)["people"]

    assert count() == 3
    rule = {"rule": "field", "field": "card", "operator": "eq", "value": "x"}
    assert count(rules={"all": [rule]}) == 1
    segment = browser.post("/segments", {"name": "X", "database_id": base, "kind": "dynamic", "rules": {"all": [rule]}})
    assert count(segment_id=segment["id"], rules={"all": [{"rule": "segment", "segment": segment["id"]}]}) == 1
    assert count(most=2) == 2
    told = browser.refused("POST", "/audiences/count", 400, json={"database_id": base, "rules": {"all": [{}]}})
    assert told["code"] == "bad_rules"
