"""The way of a file through the wizard: upload, look, try, import, report."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient

from sojourn.kernel import Settings, VirtualClock
from sojourn.kernel.files import FileStore
from sojourn.kernel.tasks import perform
from sojourn.profiles import change_sets
from sojourn.profiles.past_imports import forget_uploads
from sojourn.profiles.tasks import import_task
from sojourn.segments.membership import members_of_import
from sojourn.web.app import create_app
from tests.web.api.browser import Browser

FILE = "E-mail;Имя;Born;Телефон;Odd\na@example.com;Анна;12/31/1999;8 900 000-00-01;=1+1\nwrong;Bob;01/02/2000;;\nc@example.com;Cid;;8 900 000-00-02;\n"


@pytest.fixture
def database_id(browser: Browser) -> int:
    return int(browser.post("/databases", {"name": "Customers"})["id"])


@pytest.fixture(autouse=True)
def segments() -> Iterator[None]:
    before = list(change_sets._membership)
    change_sets.register_membership(members_of_import)
    yield
    change_sets._membership[:] = before


def upload(browser: Browser, content: str | bytes = FILE, name: str = "people.csv") -> dict[str, Any]:
    data = content if isinstance(content, bytes) else content.encode()
    answer = browser.call("POST", "/imports/files", files={"file": (name, data, "text/csv")})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def begin(browser: Browser, **body: Any) -> Any:
    return browser.call("POST", "/imports", json=body)


def test_the_whole_way_of_a_file(
    browser: Browser, database_id: int, settings: Settings, clock: VirtualClock, connection: psycopg.Connection[Any]
) -> None:
    assert settings.database_url
    file = upload(browser)
    assert (file["name"], file["format"], file["earlier"]) == ("people.csv", "csv", None)
    files = [{"key": file["key"], "name": file["name"]}]
    seen = browser.call("POST", "/imports/preview", json={"database": database_id, "files": files}).json()
    assert (seen["delimiter"], seen["encoding"], seen["looked_at"], seen["whole"]) == (";", "utf-8", 3, True)
    columns = {column["name"]: column for column in seen["columns"]}
    assert [(name, (column["target"] or {}).get("field"), column["confidence"]) for name, column in columns.items()] == [
        ("E-mail", "email", "medium"), ("Имя", "_fname", "medium"), ("Born", None, None), ("Телефон", "phones", "medium"), ("Odd", None, None),
    ]  # fmt: skip
    assert columns["Телефон"]["target"]["phone_region"] == "RU"
    assert columns["E-mail"]["problems"] == [
        {"reason": "An e-mail address is needed.", "count": 1, "examples": [{"line": 3, "text": "wrong"}]}
    ]
    mapping = {name: column["target"] for name, column in columns.items() if column["target"]}
    mapping["Born"] = {"field": "_bdate", "date_format": "%m/%d/%Y"}
    options = {"mapping": mapping, "constants": {"_city": "Perm"}}
    body = {"database": database_id, "files": files, "options": options}

    tried = begin(browser, **body, test_run=True).json()
    perform(settings.database_url, clock, tried["id"], function=import_task(settings))
    assert browser.get(f"/imports/{tried['id']}")["result"]["created"] == 2
    assert browser.get(f"/profiles?database={database_id}")["items"] == [] and browser.get("/imports")["items"] == []

    task = begin(browser, **body, new_segment="Of the fair").json()
    perform(settings.database_url, clock, task["id"], function=import_task(settings))
    done = browser.get(f"/imports/{task['id']}")
    assert (done["state"], done["database_name"], done["files"]) == ("completed", "Customers", ["people.csv"])
    assert done["result"]["created"] == 2 and done["result"]["reasons"][0]["column"] == "E-mail" and done["by"]
    assert [item["id"] for item in browser.get("/imports")["items"]] == [task["id"]]
    [segment] = browser.get("/segments")["items"]
    assert (segment["name"], segment["kind"]) == ("Of the fair", "static")
    assert len(browser.get(f"/segments/{segment['id']}/members")["items"]) == 2

    answer = browser.call("GET", f"/imports/{task['id']}/rejected.csv")
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert lines[0][3:] == ["E-mail", "Имя", "Born", "Телефон", "Odd"] and lines[1][3:] == [
        "wrong",
        "Bob",
        "01/02/2000",
        "",
        "",
    ]
    assert "people" in answer.headers["content-disposition"]
    again = upload(browser)
    assert again["earlier"]["task"] == task["id"]
    assert begin(browser, **body).status_code == 404  # the file went with its import


def test_rows_of_the_clipboard_are_a_file(browser: Browser, database_id: int) -> None:
    answer = browser.call("POST", "/imports/files", data={"text": "email\tname\na@example.com\tAnn"}, files={})
    if answer.status_code == 400:  # a form without files is not sent as multipart by every client
        answer = browser.call("POST", "/imports/files", files={"text": (None, "email\tname\na@example.com\tAnn")})
    assert answer.status_code == 201, answer.text
    files = [{"key": answer.json()["key"]}]
    seen = browser.call("POST", "/imports/preview", json={"database": database_id, "files": files}).json()
    assert (seen["header"], seen["rows"], seen["delimiter"]) == (["email", "name"], [["a@example.com", "Ann"]], "\t")


def test_what_cannot_be_is_refused(browser: Browser, database_id: int) -> None:
    files = [{"key": upload(browser)["key"]}]
    for body, status in (
        ({}, 400), ({"database": database_id}, 400), ({"database": database_id, "files": []}, 400), ({"database": 99, "files": files}, 404),
        ({"database": database_id, "files": [{"key": "../../etc/passwd"}]}, 400), ({"database": database_id, "files": [{"key": "0" * 32 + ".upload"}]}, 404),
        ({"database": database_id, "files": files, "options": {"mode": "perhaps"}}, 400),
        ({"database": database_id, "files": files, "options": {"mapping": {"E-mail": {"field": "email", "date_format": "%Y%Y"}}}}, 400),
        ({"database": database_id, "files": files, "options": {"add_to_segments": [99]}}, 404), ({"database": database_id, "files": files, "options": {"resource_id": 99}}, 404),
        ({"database": database_id, "files": files, "options": {"subscriptions": [{"resource_id": 99, "channel": "email"}]}}, 404),
        ({"database": database_id, "files": files, "options": {"subscriptions": [{"resource_id": 1, "channel": "pigeon"}]}}, 400),
    ):  # fmt: skip
        answer = begin(browser, **body)
        assert answer.status_code == status, (body, answer.text)
    for content, code in ((b"", "empty_file"), (b"%PDF-1.4", "unknown_format"), (b"PK\x03\x04nonsense", "bad_archive")):
        answer = browser.call("POST", "/imports/files", files={"file": ("x", content, "text/csv")})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    for body in (
        {"reading": {"delimiter": "::"}}, {"reading": {"encoding": "ebcdic"}}, {"options": {"mapping": {"nothing": "email"}}}, {"options": {"mapping": {"E-mail": "nothing"}}},
    ):  # fmt: skip
        answer = browser.call("POST", "/imports/preview", json={"database": database_id, "files": files, **body})
        assert 400 <= answer.status_code < 500, answer.text
    browser.refused("GET", "/imports/99", 404)


def test_only_editors_upload_and_import(settings: Settings, clock: VirtualClock, people: None) -> None:
    with TestClient(create_app(settings, clock), base_url="http://sojourn.test") as client:
        viewer = Browser(client).log_in("viewer")
        assert viewer.call("POST", "/imports/files", files={"file": ("x", b"email", "text/csv")}).status_code == 403
        assert begin(viewer, database=1, files=[]).status_code == 403
        assert viewer.call("GET", "/imports").status_code == 200
        assert viewer.call("GET", "/imports/1/rejected.csv").status_code == 403


def test_uploads_that_nobody_imports_go_after_a_day(
    browser: Browser, database_id: int, settings: Settings, clock: VirtualClock, connection: psycopg.Connection[Any]
) -> None:
    store = FileStore.of(settings)
    keys = [upload(browser)["key"] for _ in range(3)]
    begin(browser, database=database_id, files=[{"key": keys[0], "name": "x"}])
    now = clock.now().timestamp()
    for key, age in zip(keys, (90_000, 90_000, 3_600), strict=True):
        os.utime(store.path(key), (now - age, now - age))
    assert forget_uploads(connection, clock, settings) == 1
    assert [store.path(key).exists() for key in keys] == [True, False, True]
