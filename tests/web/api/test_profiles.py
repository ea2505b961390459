"""People over HTTP."""

from __future__ import annotations

import psycopg
import pytest

from sojourn.kernel import VirtualClock, parse_public_id
from tests.web.api.browser import Browser


@pytest.fixture
def database_id(browser: Browser) -> int:
    number = int(browser.post("/databases", {"name": "Customers"})["id"])
    browser.post(f"/databases/{number}/fields", {"name": "points", "title": "Points", "type": "integer"})
    browser.post("/resources", {"name": "News"})
    return number


def test_a_profile_made_by_hand_is_shown_with_titles_and_subscriptions(browser: Browser, database_id: int) -> None:
    subscription = {"resource_id": 1, "contact": "Ann@Example.com", "status": "unconfirmed"}
    made = browser.post(
        "/profiles",
        {
            "database": database_id,
            "fields": {"email": "ann@example.com", "points": 3, "_sex": "female"},
            "subscriptions": [subscription],
        },
    )
    assert made["fields"] == {"email": "ann@example.com", "points": 3, "_sex": "female"}
    assert made["titles"]["points"] == "Points" and made["database_name"] == "Customers"
    kept = made["subscriptions"][0]
    assert (kept["resource_name"], kept["channel"], kept["contact"], kept["status"], kept["effective"]) == (
        "News",
        "email",
        "ann@example.com",
        "unconfirmed",
        "unconfirmed",
    )
    assert browser.get(f"/profiles/{made['id']}") == made
    assert (
        browser.refused(
            "POST", "/profiles", 409, json={"database": database_id, "fields": {"email": "ANN@example.com"}}
        )["code"]
        == "profile_exists"
    )
    assert (
        browser.refused("POST", "/profiles", 400, json={"database": database_id, "fields": {"points": "x"}})["place"]
        == "points"
    )
    browser.post("/profiles", {"database": database_id, "fields": {"_fname": "Nobody"}})


def test_profiles_are_listed_newest_first_and_searched(browser: Browser, database_id: int) -> None:
    ids = [
        browser.post("/profiles", {"database": database_id, "fields": {"email": f"p{number}@example.com", "_fname": f"Name{number % 3}", "phones": [f"+7900000000{number}"]}})["id"]
        for number in range(7)
    ]  # fmt: skip
    newest = sorted(ids, reverse=True)
    seen: list[str] = []
    after = None
    while True:
        page = browser.get(
            "/profiles", params={"database": database_id, "limit": 3, **({"after": after} if after else {})}
        )
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == newest

    def found(search: str) -> set[str]:
        return {
            item["id"] for item in browser.get("/profiles", params={"database": database_id, "search": search})["items"]
        }

    assert found("P3@example.com") == {ids[3]}
    assert found("+7 900 000-00-04") == {ids[4]}
    assert found(ids[5]) == {ids[5]}
    assert found("name1") == {ids[1], ids[4]}
    assert found("000000006") == {ids[6]}
    assert found("100%") == found("p_@") == set()
    browser.refused("GET", "/profiles?database=99", 404)
    browser.refused("GET", "/profiles", 422)


def test_unknown_profiles_are_404(browser: Browser, database_id: int) -> None:
    for path in ("", "/passages", "/messages"):
        assert browser.refused("GET", f"/profiles/{5:024x}{path}", 404)["code"] == "unknown_profile"
        assert browser.refused("GET", f"/profiles/me{path}", 400)["code"] == "bad_profile_id"


def test_messages_of_a_profile_are_told_in_words(
    browser: Browser, database_id: int, connection: psycopg.Connection, clock: VirtualClock
) -> None:
    person = browser.post("/profiles", {"database": database_id, "fields": {"email": "m@example.com"}})["id"]
    number = parse_public_id(person)
    connection.execute(
        "INSERT INTO template (created_at, updated_at, name, channel) VALUES (%s, %s, 'Hello', 1)",
        (clock.now(), clock.now()),
    )
    for passage in (11, 12):
        connection.execute(
            """INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason)
               VALUES (%s, %s, %s, %s, 1, 1, 1, 3, %s, 1)""",
            (passage, number, clock.now(), clock.now(), number & 63),
        )
        for hop, state, reason in ((1, 2, None), (2, 9, 1)):
            connection.execute(
                """INSERT INTO message (passage_id, profile_id, created_at, template_id, hop, resource_id, lane, channel, state, reason)
                   VALUES (%s, %s, %s, 1, %s, 1, %s, 1, %s, %s)""",
                (passage, number, clock.now(), hop, number & 63, state, reason),
            )
    first = browser.get(f"/profiles/{person}/messages?limit=3")
    assert [(item["passage_id"], item["hop"], item["state"], item["reason"]) for item in first["items"]] == [
        (12, 2, "not_sent", "no_subscription"), (12, 1, "accepted", None), (11, 2, "not_sent", "no_subscription"),
    ]  # fmt: skip
    assert first["items"][0]["template_name"] == "Hello"
    rest = browser.get(f"/profiles/{person}/messages", params={"limit": 3, "before": first["next"]})
    assert [(item["passage_id"], item["hop"]) for item in rest["items"]] == [(11, 1)] and rest["next"] is None
    browser.refused("GET", f"/profiles/{person}/messages?before=x", 400)


def test_the_mailbox_is_listed_and_read(browser: Browser, connection: psycopg.Connection, clock: VirtualClock) -> None:
    for number in range(3):
        connection.execute(
            """INSERT INTO sandbox_message (at, passage_id, profile_id, hop, lane, channel, recipient, sender, subject, body_text, body_html)
               VALUES (%s, %s, 5, 1, 5, 1, %s, 'Shop', 'Hello', 'Text', %s)""",
            (clock.now(), number, f"p{number}@example.com", "<p>Привет</p>".encode()),
        )
    page = browser.get("/sandbox/messages?limit=2")
    assert [item["recipient"] for item in page["items"]] == ["p2@example.com", "p1@example.com"]
    rest = browser.get("/sandbox/messages", params={"before": page["next"], "limit": 2})
    assert [item["recipient"] for item in rest["items"]] == ["p0@example.com"] and rest["next"] is None
    assert len(browser.get("/sandbox/messages?search=p1@")["items"]) == 1
    letter = browser.get(f"/sandbox/messages/{page['items'][0]['id']}")
    assert (letter["html"], letter["channel"], letter["profile_id"]) == ("<p>Привет</p>", "email", f"{5:024x}")
    browser.refused("GET", "/sandbox/messages/99", 404)
