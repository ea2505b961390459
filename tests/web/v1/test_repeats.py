"""Calls that are repeated with the same Request-ID."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
from starlette.testclient import TestClient

from sojourn.access import create_token
from sojourn.access.api_tokens import token_key
from sojourn.kernel import Settings, VirtualClock
from sojourn.web.app import create_app
from tests.web.v1.integration import Integration

INCREASE = {"db_id": 1, "email": "r@example.com", "data": {"points": {"action": "incr", "value": 1}}}


def points(api: Integration) -> int:
    return int(api.profile(1, "r@example.com")["points"])


def test_a_repeat_gets_the_first_answer_and_does_nothing(api: Integration) -> None:
    first = api.send("profiles/import", INCREASE, Request_ID="call-1")
    again = api.send("profiles/import/", INCREASE, Request_ID="call-1")
    assert again.json() == first.json()
    assert again.headers["duplicate-request"] == "true" and again.headers["duplicate-key"]
    assert "duplicate-request" not in first.headers
    assert points(api) == 1
    api.send("profiles/import", INCREASE, Request_ID="call-2")
    assert points(api) == 2


def test_the_older_header_is_answered_in_its_own_form(api: Integration) -> None:
    api.send("profiles/import_batch", {"db_id": 1, "data": [{"email": "r@example.com", "points": 1}]}, X_Request_ID="x")
    again = api.send("profiles/import_batch", {"db_id": 1, "data": []}, X_Request_ID="x")
    assert again.headers["x-duplicate-request"] == "true"
    assert len(again.json()["result"]) == 1


def test_without_a_request_id_equal_calls_are_meant(api: Integration) -> None:
    api.send("profiles/import", INCREASE)
    api.send("profiles/import", INCREASE)
    assert points(api) == 2


def test_failed_calls_are_not_remembered(api: Integration) -> None:
    wrong = {**INCREASE, "data": {"points": "x"}}
    assert api.send("profiles/import", wrong, Request_ID="retry").json()["error"] == 400
    assert api.send("profiles/import", INCREASE, Request_ID="retry").json()["error"] == 0
    assert points(api) == 1


def test_another_token_has_other_calls(
    api: Integration, connection: psycopg.Connection, clock: VirtualClock, settings: Settings
) -> None:
    other = Integration(api.client, create_token(connection, clock, token_key(settings), "Shop")[1])
    api.send("profiles/import", INCREASE, Request_ID="same")
    other.send("profiles/import", INCREASE, Request_ID="same")
    assert points(api) == 2


def test_the_window_ends_after_a_day(api: Integration, clock: VirtualClock) -> None:
    api.send("profiles/import", INCREASE, Request_ID="daily")
    clock.advance(timedelta(hours=23))
    api.send("profiles/import", INCREASE, Request_ID="daily")
    assert points(api) == 1
    clock.advance(timedelta(hours=2))
    api.send("profiles/import", INCREASE, Request_ID="daily")
    assert points(api) == 2


def test_repeats_at_the_same_time_are_done_once(api: Integration) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.send("profiles/import", INCREASE, Request_ID="race"), range(8)))
    assert len({answer.text for answer in answers}) == 1
    assert sorted("duplicate-request" in answer.headers for answer in answers) == [False] + [True] * 7
    assert points(api) == 1


def test_memory_can_be_switched_off(settings: Settings, clock: VirtualClock, api: Integration) -> None:
    with TestClient(create_app(settings.model_copy(update={"repeat_window_hours": 0}), clock)) as client:
        forgetful = Integration(client, api.token)
        for _ in range(2):
            forgetful.send("profiles/import", INCREASE, Request_ID="again")
        assert points(forgetful) == 2
