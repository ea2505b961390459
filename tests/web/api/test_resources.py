"""Resources: what people subscribe to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.api.browser import Browser


class Calls:
    """Plain calls, whatever they answer."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    def __getattr__(self, verb: str) -> Any:
        return lambda path, body=None: self._browser.call(verb.upper(), path, json=body)


@pytest.fixture
def calls(browser: Browser) -> Calls:
    return Calls(browser)


def made(calls, **more):
    return calls.post("/resources", {"name": "News", "channels": ["email", "sms"], **more}).json()


def test_a_resource_is_changed_copied_and_put_away(calls):
    first = made(calls, consent="I agree.")
    changed = calls.put(f"/resources/{first['id']}", {"name": "Letters", "channels": ["email"], "from_name": "Shop"})
    assert (
        changed.status_code == 200 and changed.json()["channels"] == ["email"] and changed.json()["from_name"] == "Shop"
    )
    categories = [{"name": "sale", "title": "Sales"}, {"name": "new", "title": "New", "hidden": True}]
    told = calls.put(f"/resources/{first['id']}/categories", {"categories": categories}).json()["categories"]
    assert [(one["name"], one["hidden"]) for one in told] == [("sale", False), ("new", True)]
    copy = calls.post(f"/resources/{first['id']}/copy", {}).json()
    assert copy["name"] == "Letters 2"
    full = calls.get(f"/resources/{copy['id']}").json()
    assert [one["title"] for one in full["categories"]] == ["Sales", "New"]
    assert calls.post(f"/resources/{copy['id']}/archive", {"archived": True}).json()["archived_at"]
    assert [one["name"] for one in calls.get("/resources").json()["items"]] == ["Letters"]
    assert [one["name"] for one in calls.get("/resources?archived=true").json()["items"]] == ["Letters 2"]


def test_categories_are_renamed_in_the_subscriptions_too_and_may_exchange_names(calls, connection):
    resource = made(calls)
    given = [{"name": "a", "title": "A"}, {"name": "b", "title": "B"}]
    told = calls.put(f"/resources/{resource['id']}/categories", {"categories": given}).json()["categories"]
    connection.execute(
        "INSERT INTO subscription (profile_id, created_at, resource_id, lane, channel, status, effective, contact, cats)"
        " VALUES (64, now(), %s, 0, 1, 0, 0, 'x@example.com', '{a}')",
        (resource["id"],),
    )
    told[0]["name"], told[1]["name"] = "b", "a"
    again = calls.put(f"/resources/{resource['id']}/categories", {"categories": told})
    assert [one["name"] for one in again.json()["categories"]] == ["b", "a"]
    assert connection.execute("SELECT cats FROM subscription").fetchone() == (["b"],)


def test_wrong_categories_and_fields_are_told_with_their_place(calls):
    resource = made(calls)["id"]
    for categories, place in (
        ([{"name": "no space", "title": "A"}], "categories.0.name"),
        ([{"name": "a", "title": " "}], "categories.0.title"),
        ([{"name": "a", "title": "A"}, {"name": "a", "title": "B"}], "categories.1.name"),
    ):
        answer = calls.put(f"/resources/{resource}/categories", {"categories": categories})
        assert answer.status_code in (400, 409, 422) and answer.json()["error"]["place"] == place
    field = {"channel": "email", "name": "size", "title": "Size", "type": "integer"}
    assert calls.put(f"/resources/{resource}/fields", {"fields": [field]}).status_code == 200
    fixed = calls.put(f"/resources/{resource}/fields", {"fields": [field | {"type": "line"}]})
    assert fixed.status_code == 409 and fixed.json()["error"]["code"] == "type_fixed"


def test_a_channel_with_subscribers_stays(calls, connection):
    resource = made(calls)["id"]
    connection.execute(
        "INSERT INTO subscription (profile_id, created_at, resource_id, lane, channel, status, effective, contact)"
        " VALUES (64, now(), %s, 0, 2, 0, 0, '+12015550100')",
        (resource,),
    )
    answer = calls.put(f"/resources/{resource}", {"name": "News", "channels": ["email"]})
    assert answer.status_code == 409 and answer.json()["error"]["code"] == "channel_in_use"


def test_an_archived_resource_takes_no_new_subscribers(calls):
    database = calls.post("/databases", {"name": "People"}).json()["id"]
    resource = made(calls)["id"]
    calls.post(f"/resources/{resource}/archive", {"archived": True})
    given = {"resource_id": resource, "channel": "email", "contact": "a@example.com"}
    answer = calls.post(
        "/profiles", {"database": database, "fields": {"email": "a@example.com"}, "subscriptions": [given]}
    )
    assert answer.status_code == 400 and answer.json()["error"]["code"] == "resource_not_offered"


def test_a_subscription_is_deleted_and_restored_by_hand(calls):
    database = calls.post("/databases", {"name": "People"}).json()["id"]
    given = {"resource_id": made(calls)["id"], "channel": "email", "contact": "a@example.com", "status": "unsubscribed"}
    person = calls.post(
        "/profiles", {"database": database, "fields": {"email": "a@example.com"}, "subscriptions": [given]}
    ).json()
    path = f"/profiles/{person['id']}/subscriptions/{person['subscriptions'][0]['id']}"
    assert calls.delete(path).json()["deleted_at"]
    restored = calls.post(f"{path}/restore", {}).json()
    assert (restored["status"], restored["deleted_at"]) == ("unsubscribed", None)
    assert calls.post(f"{path}/restore", {}).status_code == 409


def test_everybody_in_a_database_is_suspended_in_the_background(calls):
    database = calls.post("/databases", {"name": "People"}).json()["id"]
    answer = calls.post(f"/databases/{database}/suspension", {"channel": "email"})
    assert answer.status_code == 202 and answer.json()["kind"] == "suspend_subscriptions"
    assert calls.post(f"/databases/{database}/suspension", {}).status_code == 409
    assert calls.post("/databases/99/suspension", {}).status_code == 404


def test_marketers_look_at_the_page_of_recipients(calls):
    database = calls.post("/databases", {"name": "People", "manager_title": "Your letters"}).json()["id"]
    made(calls)
    answer = calls.get(f"/databases/{database}/manager-page?lang=ru")
    assert answer.status_code == 200 and "Your letters" in answer.text and "Отписаться" in answer.text
    assert "<fieldset disabled>" in answer.text
