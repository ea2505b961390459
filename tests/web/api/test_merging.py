"""Merging, splitting and relating profiles through the API."""

from __future__ import annotations

from typing import Any

import pytest

from sojourn.cli.wiring import connect_rooms
from tests.web.api.browser import Browser


@pytest.fixture
def base(browser: Browser) -> int:
    connect_rooms()
    browser.post("/resources", {"name": "News"})
    return int(browser.post("/databases", {"name": "People"})["id"])


def person(browser: Browser, base: int, email: str, **fields: Any) -> dict[str, Any]:
    letters = {"resource_id": 1, "channel": "email", "contact": "same@a.test", "status": fields.pop("status", None)}
    made: dict[str, Any] = browser.post(
        "/profiles", {"database": base, "fields": {"email": email, **fields}, "subscriptions": [letters]}
    )
    return made


def test_two_profiles_are_looked_at_merged_and_taken_apart_again(browser: Browser, base: int) -> None:
    one = person(browser, base, "ann@a.test", _sex="female")
    two = person(browser, base, "anne@b.test", _lname="Lee", _sex="male", status="unsubscribed")
    seen = browser.get(f"/profiles/{one['id']}/merge-preview?with={two['id']}")
    assert {d["name"]: d["settled"] for d in seen["differences"]} == {
        "email": "ann@a.test",
        "_lname": "Lee",
        "_sex": "female",
    }
    assert [(j["contact"], j["holds"]) for j in seen["joining"]] == [("same@a.test", "unsubscribed")]
    merged = browser.post(f"/profiles/{one['id']}/merge", {"profile_id": two["id"], "choices": {"_sex": "merged"}}, 200)
    assert (merged["fields"]["_sex"], merged["fields"]["_lname"]) == ("male", "Lee")
    assert browser.get(f"/profiles/{two['id']}")["id"] == one["id"]
    assert [m["undoable"] for m in browser.get(f"/profiles/{one['id']}/merged")] == [True]
    back = browser.post(f"/profiles/{one['id']}/undo-merge", {"profile_id": two["id"]}, 200)
    assert back["id"] == two["id"] and back["fields"]["email"] == "anne@b.test"


def test_wrong_merges_are_told(browser: Browser, base: int) -> None:
    one = person(browser, base, "ann@a.test")["id"]
    other = browser.post("/databases", {"name": "Others"})["id"]
    stranger = browser.post("/profiles", {"database": other, "fields": {"email": "x@y.test"}})["id"]
    for body, status, code in (
        ({"profile_id": one}, 400, "same_profile"),
        ({"profile_id": stranger}, 404, "unknown_profile"),
        ({"profile_id": "zz"}, 400, "bad_profile_id"),
        ({"profile_id": stranger, "choices": {"none": "merged"}}, 400, "unknown_field"),
    ):
        answer = browser.call("POST", f"/profiles/{one}/merge", json=body)
        assert answer.status_code == status, answer.text
        assert answer.json()["error"]["code"] == code
    assert (
        browser.refused("POST", f"/profiles/{one}/undo-merge", 404, json={"profile_id": stranger})["code"]
        == "not_merged"
    )


def test_a_part_is_split_off(browser: Browser, base: int) -> None:
    one = person(browser, base, "ann@a.test", phones=["+12015550100", "+12015550101"])
    order = {"phones": ["+12015550101"], "subscriptions": [one["subscriptions"][0]["id"]]}
    new = browser.post(f"/profiles/{one['id']}/split", order)
    assert new["fields"]["phones"] == ["+12015550101"] and new["subscriptions"][0]["contact"] == "same@a.test"
    assert browser.refused("POST", f"/profiles/{one['id']}/split", 400, json={})["code"] == "nothing_to_split"


def test_relations_are_made_listed_paged_and_ended(browser: Browser, base: int) -> None:
    people = [person(browser, base, f"p{number}@a.test", _fname=f"P{number}")["id"] for number in range(4)]
    order = {
        "name": "Friends",
        "database_a": base,
        "database_b": base,
        "properties": [{"name": "likes", "title": "Likes", "type": "number"}],
    }
    kind = browser.post("/relation-types", order)["id"]
    assert browser.refused("POST", "/relation-types", 409, json=order)["code"] == "relation_type_exists"
    path = f"/profiles/{people[0]}/relations"
    for other, direction in ((people[1], "from"), (people[2], "from"), (people[3], "to")):
        body = {"type": kind, "other": other, "direction": direction, "weights": {"likes": 1}}
        assert browser.call("PUT", path, json=body).json() == {"weights": {"likes": 1}}
    more = {"type": "Friends", "other": people[1], "weights": {"likes": 2}, "add": True}
    assert browser.call("PUT", path, json=more).json() == {"weights": {"likes": 3}}
    page = browser.get(f"{path}?limit=2")
    rest = browser.get(f"{path}?limit=2&after={page['next']}")
    found = [(r["other"], r["direction"], r["other_name"]) for r in page["items"] + rest["items"]]
    assert found == [(people[1], "from", "P1"), (people[2], "from", "P2"), (people[3], "to", "P3")]
    assert rest["next"] is None
    ended = browser.call("POST", f"{path}/end", json={"type": kind, "other": people[1]})
    assert ended.status_code == 204
    assert (
        browser.refused("POST", f"{path}/end", 404, json={"type": kind, "other": people[1]})["code"]
        == "unknown_relation"
    )
    assert browser.call("DELETE", f"/relation-types/{kind}").status_code == 409
    assert browser.call("DELETE", f"/profiles/{people[0]}").status_code == 204
    assert browser.get(f"/profiles/{people[3]}/relations")["items"] == []
