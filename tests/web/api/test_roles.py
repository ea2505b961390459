"""What the roles may do, and programs with tokens."""

from __future__ import annotations

import psycopg
from starlette.testclient import TestClient

from tests.web.api.browser import Browser


def test_a_viewer_reads_and_changes_nothing(client: TestClient) -> None:
    viewer = Browser(client).log_in("viewer")
    assert viewer.get("/scenarios") == {"items": [], "next": None}
    for path in (
        "/databases",
        "/resources",
        "/templates",
        "/promo-pools",
        "/scenarios",
        "/scenarios/1/publish",
        "/profiles",
        "/tasks/1/cancel",
    ):
        error = viewer.refused(
            "POST",
            path,
            403,
            json={"name": "X", "database": 1, "short_name": "x", "channel": "email", "content": {}, "fields": {}},
        )
        assert error["code"] == "role_missing"
    viewer.refused("POST", "/imports", 403, files={"file": ("a.csv", b"email\n")}, data={"database": "1"})


def test_only_a_master_gives_and_takes_tokens(browser: Browser, editor: Browser) -> None:
    made = Browser(browser.client).log_in("master").post("/tokens", {"name": "CRM", "role": "viewer"})
    assert len(made["token"]) == 32
    assert "token" not in browser.get("/tokens")["items"][0]
    for method, path in (("GET", "/tokens"), ("POST", "/tokens"), ("DELETE", f"/tokens/{made['id']}")):
        Browser(browser.client).log_in("editor").refused(
            method, path, 403, json={"name": "X"} if method == "POST" else None
        )


def test_a_program_calls_with_its_token_and_needs_no_other_secret(
    browser: Browser, connection: psycopg.Connection
) -> None:
    token = browser.post("/tokens", {"name": "CRM"})["token"]
    browser.client.cookies.clear()
    program = {"authorization": f"Bearer {token}"}
    made = browser.client.post("/api/v2/databases", json={"name": "Customers"}, headers=program)
    assert made.status_code == 201
    assert browser.client.get("/api/v2/session", headers=program).json()["error"]["code"] == "no_session"
    assert browser.client.get("/api/v2/tokens", headers=program).status_code == 403
    row = connection.execute(
        "SELECT action, object_kind, object_id, token_id FROM audit_entry ORDER BY id DESC LIMIT 1"
    ).fetchone()
    assert row and row[:3] == ("create", "database", "1") and row[3] is not None


def test_a_revoked_token_opens_nothing(browser: Browser) -> None:
    made = browser.post("/tokens", {"name": "CRM"})
    assert browser.call("DELETE", f"/tokens/{made['id']}").status_code == 204
    browser.client.cookies.clear()
    answer = browser.client.get("/api/v2/scenarios", headers={"authorization": f"Bearer {made['token']}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unknown_token")


def test_a_wrong_token_is_not_helped_by_a_session(browser: Browser) -> None:
    assert (
        browser.refused("GET", "/scenarios", 401, headers={"authorization": "Bearer wrong"})["code"] == "unknown_token"
    )
