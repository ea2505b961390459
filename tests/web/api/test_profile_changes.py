"""Profiles changed by hand, found by filters, and their history."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from sojourn.cli.wiring import connect_rooms
from sojourn.kernel import VirtualClock
from tests.web.api.browser import Browser


@pytest.fixture
def base(browser: Browser) -> int:
    connect_rooms()
    made = browser.post("/databases", {"name": "Customers"})["id"]
    for name, kind, matching in (("points", "integer", False), ("card", "line", True), ("likes", "tags", False)):
        field = {"name": name, "title": name.title(), "type": kind, "matching": matching}
        browser.post(f"/databases/{made}/fields", field)
    return int(made)


def person(browser: Browser, base: int, **fields: Any) -> str:
    return str(browser.post("/profiles", {"database": base, "fields": fields})["id"])


def change(browser: Browser, profile: str, status: int = 200, **fields: Any) -> Any:
    answer = browser.call("PATCH", f"/profiles/{profile}", json={"fields": fields})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_fields_are_changed_and_cleared(browser: Browser, base: int) -> None:
    ada = person(browser, base, email="ada@example.com", points=5, likes=["tea"])
    changed = change(browser, ada, points=7, _city="Omsk", likes=None)["fields"]
    assert (changed["points"], changed["_city"], changed["email"]) == (7, "Omsk", "ada@example.com")
    assert "likes" not in changed
    moved = change(browser, ada, email="Ada@New.example.com")["fields"]
    assert moved["email"] == "ada@new.example.com"
    assert browser.get("/profiles", params={"database": base, "search": "ada@new.example.com"})["items"][0]["id"] == ada


def test_what_does_not_fit_is_named_and_changes_nothing(browser: Browser, base: int) -> None:
    ada = person(browser, base, email="ada@example.com", points=5)
    person(browser, base, email="bob@example.com")
    assert change(browser, ada, 400, points="many", _city="Omsk")["error"]["place"] == "points"
    assert change(browser, ada, 400, nothing=1)["error"]["place"] == "nothing"
    assert change(browser, ada, 400, email="not an address")["error"]["place"] == "email"
    taken = browser.call("PATCH", f"/profiles/{ada}", json={"fields": {"email": "bob@example.com"}})
    assert taken.status_code in (400, 409) and taken.json()["error"]["place"] == "email"
    assert browser.get(f"/profiles/{ada}")["fields"].get("_city") is None
    assert browser.call("PATCH", f"/profiles/{'0' * 24}", json={"fields": {"points": 1}}).status_code == 404


def test_profiles_are_found_by_a_field_by_rules_and_by_a_segment(browser: Browser, base: int) -> None:
    people = [person(browser, base, email=f"p{n}@example.com", points=n, card=f"K{n}") for n in range(6)]

    def found(**query: Any) -> list[str]:
        return [row["id"] for row in browser.get("/profiles", params={"database": base, **query})["items"]]

    assert found(search="card:K3") == [people[3]]
    rule = {"rule": "field", "field": "points", "operator": "ge", "value": 4}
    assert found(rules=json.dumps({"all": [rule]})) == [people[5], people[4]]
    assert found(rules=json.dumps({"all": [rule]}), search="p4@example.com") == [people[4]]
    assert found(rules=json.dumps({"all": [rule]}), search="p1@example.com") == []
    assert found(rules=json.dumps({"not": rule}), search="example", limit=2) == [people[3], people[2]]
    segment = browser.post(
        "/segments", {"name": "Rich", "database_id": base, "kind": "dynamic", "rules": {"all": [rule]}}
    )
    assert found(segment=segment["id"]) == [people[5], people[4]]
    browser.refused("GET", "/profiles", 400, params={"database": base, "rules": "{"})
    assert browser.refused("GET", "/profiles", 400, params={"database": base, "rules": '{"all": [{}]}'})["code"] == "bad_rules"  # fmt: skip


def test_a_history_is_told_in_pages_that_miss_and_repeat_nothing(
    browser: Browser, base: int, clock: VirtualClock
) -> None:
    resource = browser.post("/resources", {"name": "News"})["id"]
    ada = person(browser, base, email="ada@example.com")
    for number in range(9):
        clock.advance(timedelta(minutes=1) if number % 3 else timedelta(0))
        change(browser, ada, points=number)
    browser.post(f"/profiles/{ada}/subscriptions", {"resource_id": resource, "contact": "ada@example.com"})
    segment = browser.post("/segments", {"name": "By hand", "database_id": base, "kind": "static"})["id"]
    browser.post(f"/segments/{segment}/members", {"profiles": [ada]}, 200)
    whole = browser.get(f"/profiles/{ada}/history", params={"limit": 200})
    assert whole["next"] is None
    kinds = [(one["group"], one["kind"]) for one in whole["items"]]
    assert kinds.count(("profile", "updated")) == 9 and kinds[-1] == ("profile", "created")
    assert ("subscription", "added") in kinds and ("segment", "entered") in kinds
    newest = next(one for one in whole["items"] if one["kind"] == "updated")
    assert newest["detail"]["fields"] == {"points": {"old": 7, "new": 8}}
    assert (newest["detail"]["cause"], newest["detail"]["by"]) == ("manual", "Master")
    for size in (1, 2, 5):
        items: list[Any] = []
        after = None
        while True:
            page = browser.get(
                f"/profiles/{ada}/history", params={"limit": size, **({"after": after} if after else {})}
            )
            items += page["items"]
            after = page["next"]
            if after is None:
                break
        assert items == whole["items"]
    only = browser.get(f"/profiles/{ada}/history", params={"group": ["segment", "subscription"]})["items"]
    assert {one["group"] for one in only} == {"segment", "subscription"}
    assert [one["name"] for one in browser.get(f"/profiles/{ada}/segments")] == ["By hand"]
    browser.refused("GET", f"/profiles/{ada}/history", 400, params={"after": "x"})
    browser.refused("GET", f"/profiles/{ada}/history", 422, params={"group": "nothing"})


def test_a_subscription_is_suspended_until_a_day_and_a_profile_is_deleted(
    browser: Browser, base: int, clock: VirtualClock, connection: psycopg.Connection[Any]
) -> None:
    resource = browser.post("/resources", {"name": "News"})["id"]
    ada = person(browser, base, email="ada@example.com")
    told = browser.post(f"/profiles/{ada}/subscriptions", {"resource_id": resource, "contact": "ada@example.com"})
    [subscription] = told["subscriptions"]
    address = f"/profiles/{ada}/subscriptions/{subscription['id']}"
    until = (clock.now() + timedelta(days=14)).isoformat()
    answer = browser.call("PATCH", address, json={"status": "suspended", "suspended_until": until}).json()
    assert answer["status"] == "suspended" and answer["suspended_until"].startswith(until[:10])
    browser.refused("PATCH", address, 400, json={"status": "nothing"})
    browser.refused("PATCH", address, 400, json={"status": "suspended", "suspended_until": "2020-01-01T00:00:00Z"})
    browser.refused("PATCH", f"/profiles/{ada}/subscriptions/999", 404, json={"status": "subscribed"})
    browser.refused("POST", f"/profiles/{ada}/subscriptions", 400, json={"resource_id": resource, "contact": "nobody"})
    assert browser.call("DELETE", f"/profiles/{ada}").status_code == 204
    browser.refused("GET", f"/profiles/{ada}", 404)
    browser.refused("GET", f"/profiles/{ada}/history", 404)
