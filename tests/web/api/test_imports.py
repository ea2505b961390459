"""Files of profiles over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from sojourn.kernel import Settings, VirtualClock
from sojourn.kernel.tasks import perform
from sojourn.profiles.tasks import import_task
from sojourn.web.app import create_app
from tests.web.api.browser import Browser

FILE = b"email,first_name\na@example.com,Ann\nwrong,Bob\nc@example.com,Cid\n"


@pytest.fixture
def database_id(browser: Browser) -> int:
    return int(browser.post("/databases", {"name": "Customers"})["id"])


def upload(browser: Browser, content: bytes = FILE, **form: Any) -> Any:
    return browser.call(
        "POST",
        "/imports",
        files={"file": ("people.csv", content, "text/csv")},
        data={name: str(value) for name, value in form.items()},
    )


def stored(settings: Settings) -> list[Path]:
    return [path for path in (settings.home / "files").rglob("*") if path.is_file()]


def test_a_file_is_taken_and_imported_in_the_background(
    browser: Browser, database_id: int, settings: Settings, clock: VirtualClock
) -> None:
    resource = browser.post("/resources", {"name": "News"})["id"]
    answer = upload(browser, database=database_id, resource=resource)
    assert answer.status_code == 202
    task = answer.json()
    assert (task["state"], task["title"], task["kind"]) == ("waiting", "people.csv", "profile_import")
    assert [path.read_bytes() for path in stored(settings)] == [FILE]
    assert settings.database_url
    perform(settings.database_url, clock, task["id"], function=import_task(settings))
    done = browser.get(f"/tasks/{task['id']}")
    assert done["state"] == "completed" and done["result"]["created"] == 2 and done["result"]["rejected"] == 1
    assert [(item["line"], item["field"]) for item in browser.get(f"/tasks/{task['id']}/rejections")["items"]] == [
        (3, "email")
    ]
    people = browser.get(f"/profiles?database={database_id}")["items"]
    assert {person["fields"]["_fname"] for person in people} == {"Ann", "Cid"}
    assert [item["id"] for item in browser.get("/tasks")["items"]] == [task["id"]]


def test_subscriptions_of_a_file_can_begin_unconfirmed(
    browser: Browser, database_id: int, settings: Settings, clock: VirtualClock
) -> None:
    resource = browser.post("/resources", {"name": "News"})["id"]
    options = json.dumps({"status": "unconfirmed", "channels": ["email"]})
    task = upload(browser, database=database_id, resource=resource, options=options).json()
    assert settings.database_url
    perform(settings.database_url, clock, task["id"], function=import_task(settings))
    found = browser.get(f"/profiles?database={database_id}")["items"][0]
    assert browser.get(f"/profiles/{found['id']}")["subscriptions"][0]["status"] == "unconfirmed"
    refused = upload(browser, database=database_id, resource=resource, options='{"status": "maybe"}')
    assert (refused.status_code, refused.json()["error"]["place"]) == (400, "status")


def test_the_stream_of_a_task_ends_with_the_task(browser: Browser, database_id: int) -> None:
    task = upload(browser, database=database_id).json()
    assert browser.call("POST", f"/tasks/{task['id']}/cancel").json()["state"] == "cancelled"
    with browser.client.stream("GET", f"/api/v2/tasks/{task['id']}/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in answer.iter_lines() if line]
    assert lines[0].startswith("retry:") and lines[1] == "event: task"
    assert json.loads(lines[2].removeprefix("data: "))["state"] == "cancelled"
    browser.refused("GET", "/tasks/99/stream", 404)


def test_options_are_checked_before_anything_is_kept(browser: Browser, database_id: int, settings: Settings) -> None:
    for form, place in (
        ({}, "database"), ({"database": "x"}, "database"), ({"database": database_id, "options": "{"}, "options"), ({"database": database_id, "options": "[]"}, "options"),
        ({"database": database_id, "options": '{"mode": "perhaps"}'}, "mode"), ({"database": database_id, "options": '{"colour": 1}'}, "colour"),
        ({"database": database_id, "options": '{"channels": ["pigeon"]}'}, "channel"), ({"database": database_id, "resource": "x"}, "resource"),
    ):  # fmt: skip
        answer = upload(browser, **form)
        assert answer.status_code == 400 and answer.json()["error"]["place"] == place, answer.text
    assert upload(browser, database=99).status_code == 404
    assert upload(browser, database=database_id, resource=99).status_code == 404
    assert browser.call("POST", "/imports", json={"database": database_id}).status_code == 400
    assert browser.call("POST", "/imports", data={"database": "1"}, files={"other": ("x", b"y")}).status_code == 400
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        assert browser.call("POST", "/imports", content=b"nonsense", headers={"content-type": kind}).status_code == 400
    assert stored(settings) == []


def test_a_file_beyond_the_limit_is_refused_and_not_kept(settings: Settings, clock: VirtualClock, people: None) -> None:
    small = settings.model_copy(update={"upload_limit": 1})
    with TestClient(create_app(small, clock), base_url="http://sojourn.test") as client:
        browser = Browser(client).log_in("editor")
        base = browser.post("/databases", {"name": "Customers"})["id"]
        for size in ((1 << 20) + 1, 5 << 20):
            assert upload(browser, b"x" * size, database=base).status_code == 413
        assert upload(browser, b"email\n" + b"a@example.com\n" * 50_000, database=base).status_code == 202
    assert len(stored(settings)) == 1
