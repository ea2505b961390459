"""Calls that are wrong in their form."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from sojourn.kernel import Settings, VirtualClock
from sojourn.web.app import create_app
from tests.web.api.browser import Browser


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b'{"name": "\\ud800"}', b'{"name": "a\\u0000b"}', b'{"name": NaN}'],
)
def test_a_body_that_cannot_be_read_is_the_callers_fault(browser: Browser, body: bytes) -> None:
    for path in ("/databases", "/scenarios"):
        answer = browser.call("POST", path, content=body, headers={"content-type": "application/json"})
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.json()["error"].keys() == {"code", "message", "place", "problems"}


def test_a_form_in_place_of_json_is_not_taken(client: TestClient) -> None:
    answer = client.post(
        "/api/v2/session", content=b'{"email": "a", "password": "b"}', headers={"content-type": "text/plain"}
    )
    assert answer.status_code == 422


def test_what_is_missing_is_told_by_its_place(browser: Browser) -> None:
    error = browser.refused("POST", "/promo-pools", 422, json={"name": 5, "lifetime_seconds": 0})
    assert {problem["place"] for problem in error["problems"]} == {"name", "short_name", "lifetime_seconds"}
    assert {problem["code"] for problem in error["problems"]} == {"missing", "bad_value"}


def test_a_body_beyond_ten_megabytes_is_refused_whether_its_length_is_told_or_not(browser: Browser) -> None:
    big = b'{"name": "' + b"x" * (11 << 20) + b'"}'
    for content in (big, iter([big[: 6 << 20], big[6 << 20 :]])):
        error = browser.refused(
            "POST", "/databases", 413, content=content, headers={"content-type": "application/json"}
        )
        assert error["code"] == "body_too_large"


def test_nobody_unknown_can_send_a_body_at_all(client: TestClient) -> None:
    read = []

    def chunks() -> object:
        for _ in range(20):
            read.append(1)
            yield b"x" * (1 << 20)

    assert client.post("/api/v2/imports", content=chunks()).status_code == 401


def test_unknown_addresses_and_methods_look_like_all_errors(browser: Browser) -> None:
    assert browser.refused("GET", "/nowhere", 404)["code"] == "not_found"
    assert browser.refused("DELETE", "/databases", 405)["code"] == "wrong_method"
    assert browser.refused("GET", "/scenarios/abc", 422)["place"] == "scenario_id"
    for number in (2**31, 2**63, 10**30):
        assert browser.call("GET", f"/scenarios/{number}").status_code in (400, 404)
    assert browser.client.get("/api/nowhere").json()["error"]["code"] == "not_found"


def test_a_fault_of_ours_tells_nothing_of_its_inside(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object, **more: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("sojourn.web.api.databases.list_databases", broken)
    answer = browser.call("GET", "/databases")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal" and "secret" not in answer.text


def test_while_the_database_is_away_calls_are_503(settings: Settings, clock: VirtualClock) -> None:
    gone = settings.model_copy(update={"database_url": "postgresql://127.0.0.1:1/none"})
    app = create_app(gone, clock)
    app.installation.pool.timeout = 0.2
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post("/api/v2/session", json={"email": "a@b.cd", "password": "x"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_unreachable")
        v1 = client.post("/api/v1.1/databases/list", json={"token": "x"})
        assert (v1.status_code, v1.json()["error"]) == (503, 500)
        health = client.get("/health")
        assert health.status_code == 503 and health.json()["parts"]["database"] != "ok"
