"""Logging in and out over HTTP."""

from __future__ import annotations

from datetime import timedelta

from starlette.testclient import TestClient

from sojourn.kernel import Settings, VirtualClock
from sojourn.web.app import create_app
from tests.web.api.browser import PASSWORD, Browser

LOGIN = {"email": "Editor@example.test ", "password": PASSWORD}


def test_who_logs_in_is_told_who_he_is_and_the_secret_of_his_session(client: TestClient) -> None:
    answer = client.post("/api/v2/session", json=LOGIN)
    assert answer.status_code == 201
    assert answer.json()["user"] | {"id": 0} == {
        "id": 0,
        "email": "editor@example.test",
        "name": "Editor",
        "role": "editor",
        "language": "en",
    }
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie and "Max-Age=1209600" in cookie
    assert client.get("/api/v2/session").json() == answer.json()


def test_over_https_the_cookie_is_for_https_alone(settings: Settings, clock: VirtualClock, people: None) -> None:
    app = create_app(settings.model_copy(update={"public_url": "https://sojourn.test"}), clock)
    with TestClient(app, base_url="https://sojourn.test") as client:
        answer = client.post("/api/v2/session", json=LOGIN)
        assert "Secure" in answer.headers["set-cookie"]
        assert "max-age" in answer.headers["strict-transport-security"]


def test_nobody_is_served_without_logging_in(client: TestClient) -> None:
    for path in ("/session", "/status", "/scenarios", "/profiles?database=1", "/nowhere"):
        answer = client.get(f"/api/v2{path}")
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "not_logged_in"


def test_a_wrong_password_and_an_unknown_user_look_the_same(client: TestClient) -> None:
    known = client.post("/api/v2/session", json={**LOGIN, "password": "wrong password"})
    unknown = client.post("/api/v2/session", json={"email": "nobody@example.test", "password": "wrong password"})
    assert known.status_code == unknown.status_code == 401
    assert known.json() == unknown.json()


def test_after_five_failures_the_address_waits(client: TestClient, clock: VirtualClock) -> None:
    wrong = {**LOGIN, "password": "wrong password"}
    for _ in range(5):
        assert client.post("/api/v2/session", json=wrong).status_code == 401
        clock.advance(timedelta(seconds=10))
    answer = client.post("/api/v2/session", json=LOGIN)
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "too_many_attempts"
    assert int(answer.headers["retry-after"]) == 15 * 60 - 50
    clock.advance(timedelta(minutes=15))
    assert client.post("/api/v2/session", json=LOGIN).status_code == 201


def test_a_call_that_changes_something_without_the_secret_is_refused(browser: Browser) -> None:
    for headers in ({"x-csrf-token": ""}, {"x-csrf-token": "guessed"}):
        assert browser.refused("POST", "/databases", 403, json={"name": "Forged"}, headers=headers)["code"] == "csrf"
        assert browser.refused("DELETE", "/session", 403, headers=headers)["code"] == "csrf"
    assert browser.get("/databases")["items"] == []


def test_the_language_is_kept(browser: Browser) -> None:
    assert browser.call("PATCH", "/session", json={"language": "ru"}).json()["user"]["language"] == "ru"
    assert browser.get("/session")["user"]["language"] == "ru"
    titles = {entry["type"]: entry["title"] for entry in browser.get("/node-types")["items"]}
    assert titles["pause"] == "Пауза"
    browser.refused("PATCH", "/session", 422, json={"language": "tlh"})


def test_a_session_ends_at_log_out_and_after_two_weeks_without_use(browser: Browser, clock: VirtualClock) -> None:
    clock.advance(timedelta(days=13))
    assert browser.call("GET", "/session").status_code == 200
    clock.advance(timedelta(days=13))
    assert browser.call("GET", "/session").status_code == 200
    clock.advance(timedelta(days=15))
    assert browser.call("GET", "/session").status_code == 401
    browser.log_in("master")
    assert browser.call("DELETE", "/session").status_code == 204
    assert browser.call("GET", "/session").status_code == 401
