"""Databases, fields, resources, templates and promo codes."""

from __future__ import annotations

from tests.web.api.browser import Browser

LEAVE = '<a href="{{ unsubscribe_url }}">Leave</a>'


def test_a_database_gets_fields(browser: Browser) -> None:
    made = browser.post("/databases", {"name": "Customers", "manager_language": "ru"})
    field = browser.post(
        f"/databases/{made['id']}/fields",
        {"name": "level", "title": "Level", "type": "enum", "options": ["gold", "silver"]},
    )
    assert field == {
        "name": "level",
        "title": "Level",
        "description": "",
        "type": "enum",
        "options": ["gold", "silver"],
        "required": False,
        "matching": False,
        "hidden": False,
        "custom": True,
    }
    kept = browser.get("/databases")["items"][0]
    assert kept["fields"][-1] == field and kept["fields"][0]["name"] == "email" and not kept["fields"][0]["custom"]
    assert browser.get(f"/databases/{made['id']}") == kept
    assert browser.refused("POST", "/databases", 409, json={"name": "Customers"})["code"] == "database_exists"
    assert (
        browser.refused(
            "POST", f"/databases/{made['id']}/fields", 400, json={"name": "Bad Name", "title": "x", "type": "line"}
        )["place"]
        == "name"
    )
    assert (
        browser.refused("POST", "/databases/99/fields", 404, json={"name": "x", "title": "x", "type": "line"})["code"]
        == "unknown_database"
    )


def test_lists_come_in_pages(browser: Browser) -> None:
    for number in range(5):
        browser.post("/databases", {"name": f"Database {number}"})
    seen: list[str] = []
    after: int | None = None
    while True:
        page = browser.get("/databases", params={"limit": 2, **({"after": after} if after else {})})
        seen += [item["name"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [f"Database {number}" for number in range(5)]
    assert len(browser.get("/databases?limit=5000")["items"]) == 5
    browser.refused("GET", "/databases?limit=0", 422)
    browser.refused("GET", "/databases?after=-1", 422)


def test_a_resource_offers_channels(browser: Browser) -> None:
    base = browser.post("/databases", {"name": "Customers"})["id"]
    made = browser.post(
        "/resources",
        {"name": "News", "channels": ["email", "sms"], "database_ids": [base], "from_email": "news@example.com"},
    )
    assert made["channels"] == ["email", "sms"] and made["database_ids"] == [base]
    browser.post("/resources", {"name": "Open"})
    assert [item["name"] for item in browser.get(f"/resources?database_id={base + 1}")["items"]] == ["Open"]
    assert (
        browser.refused("POST", "/resources", 400, json={"name": "X", "channels": ["pigeon"]})["code"]
        == "unknown_channel"
    )


def test_a_template_is_saved_in_versions(browser: Browser) -> None:
    letter = {
        "name": "Hello",
        "channel": "email",
        "content": {"subject": "Hi {{ profile.first_name }}", "html": f"<p>Hi</p>{LEAVE}"},
    }
    first = browser.post("/templates", letter)
    assert (first["version"], first["channel"], first["content"]["subject"]) == (
        1,
        "email",
        "Hi {{ profile.first_name }}",
    )
    letter["content"] = {"subject": "Hi", "html": f"<p>Ho</p>{LEAVE}"}
    assert browser.post("/templates", letter)["version"] == 2
    browser.post("/templates", {"name": "Text", "channel": "sms", "content": {"text": "Hi"}})
    assert [item["name"] for item in browser.get("/templates?channel=sms")["items"]] == ["Text"]
    assert [item["version"] for item in browser.get("/templates?search=hell")["items"]] == [2]
    assert browser.get(f"/templates/{first['id']}")["content"]["html"] == f"<p>Ho</p>{LEAVE}"
    assert browser.get("/templates?limit=1")["next"] == first["id"]
    error = browser.refused(
        "POST", "/templates", 400, json={**letter, "name": "Bad", "content": {"subject": "x", "html": "{{ oops"}}
    )
    assert error["code"] == "template_invalid" and error["problems"][0]["place"].startswith("html:1:")
    browser.refused("GET", "/templates/99", 404)


def test_promo_codes_are_loaded_all_or_none(browser: Browser) -> None:
    pool = browser.post("/promo-pools", {"name": "Welcome", "short_name": "WELCOME", "lifetime_seconds": 86_400})
    loaded = browser.post(f"/promo-pools/{pool['id']}/codes", {"codes": ["A1", "A2", "A1"]})
    assert (loaded["added"], loaded["known"], loaded["pool"]["left"]) == (2, 1, 2)
    assert (
        browser.refused("POST", f"/promo-pools/{pool['id']}/codes", 400, json={"codes": ["A3", ""]})["place"]
        == "line 2"
    )
    assert browser.get("/promo-pools")["items"] == [{**pool, "codes": 2, "left": 2}]
    browser.refused("POST", "/promo-pools/99/codes", 404, json={"codes": ["A"]})
