"""Connections, scheduled imports and outside tables through the API."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from sojourn.kernel import Settings
from tests.web.api.browser import Browser


@pytest.fixture
def link(browser: Browser, settings: Settings) -> int:
    folder = settings.data / "sqlite"
    folder.mkdir(exist_ok=True)
    with sqlite3.connect(folder / "crm.db") as file:
        file.execute("CREATE TABLE crm (id integer, email text, first_name text)")
        file.execute("INSERT INTO crm VALUES (1, 'a@x.test', 'Ann'), (2, 'b@x.test', NULL)")
    file.close()
    made = browser.post(
        "/connections", {"name": "CRM", "kind": "sql", "settings": {"system": "sqlite", "database": "crm.db"}}
    )
    return int(made["id"])


def draft(link: int, **more: Any) -> dict[str, Any]:
    return {
        "name": "From the CRM", "database_id": 1, "connection_id": link, "source": {"kind": "table", "table": "crm"},
        "schedule": {"kind": "weekly", "at": "03:00", "weekdays": [1, 4]}, "time_zone": "Europe/Berlin", **more,
    }  # fmt: skip


def test_masters_make_connections_and_no_answer_tells_a_secret(browser: Browser, link: int) -> None:
    kinds = {kind["code"]: kind for kind in browser.get("/connection-kinds")}
    assert set(kinds) == {"sql", "http", "s3", "ftp", "sftp"} and "password" in kinds["sql"]["secret"]["properties"]
    assert browser.post(f"/connections/{link}/test", status=200)["found"]["tables"] == ["crm"]
    body = {
        "name": "Depot",
        "kind": "ftp",
        "settings": {"host": "ftp.example.com"},
        "secret": {"password": "very-secret"},
    }
    made = browser.post("/connections", body)
    assert made["has_secret"]
    changed = browser.call("PUT", f"/connections/{made['id']}", json={"name": "Depot 2", "settings": made["settings"]})
    assert changed.json()["has_secret"]
    everything = browser.call("GET", "/connections").text + changed.text + browser.call("GET", "/status").text
    assert "very-secret" not in everything
    wrong = browser.refused(
        "POST", "/connections", 400, json={"name": "X", "kind": "http", "settings": {"url": "ftp://x"}}
    )
    assert (wrong["code"], wrong["place"]) == ("bad_connection", "settings.url")
    tried = {"name": "X", "kind": "http", "settings": {"url": "http://127.0.0.1:1/"}}
    assert browser.refused("POST", "/connections/test", 400, json=tried)["code"] == "private_host"
    assert browser.call("DELETE", f"/connections/{made['id']}").status_code == 204


def test_editors_use_connections_and_make_none(editor: Browser, client: Any) -> None:
    body = {"name": "CRM", "kind": "sql", "settings": {"system": "sqlite", "database": "crm.db"}}
    assert editor.call("POST", "/connections", json=body).status_code == 403
    assert editor.get("/connections")["items"] == []


def test_a_scheduled_import_is_looked_at_made_changed_and_run(browser: Browser, link: int) -> None:
    browser.post("/databases", {"name": "People"})
    seen = browser.post("/import-plans/preview", draft(link), 200)
    assert seen["header"] == ["id", "email", "first_name"] and seen["rows"][1] == ["2", "b@x.test", ""]
    assert seen["mapping"]["email"] == "email"
    mapping = {"mapping": {"email": "email", "first_name": "_fname"}}
    made = browser.post("/import-plans", draft(link, options=mapping))
    assert made["connection_name"] == "CRM" and made["next_at"] and made["last_run"] is None
    assert browser.refused("POST", "/import-plans", 409, json=draft(link))["code"] == "plan_exists"
    path = f"/import-plans/{made['id']}"
    changed = browser.call("PUT", path, json=draft(link, active=False, revision=made["revision"]))
    assert changed.json()["next_at"] is None
    assert browser.call("PUT", path, json=draft(link, revision=made["revision"])).status_code == 409
    task = browser.post(f"{path}/run-now", status=202)
    assert task["kind"] == "import_plan"
    assert browser.refused("POST", f"{path}/run-now", 409)["code"] == "task_running"
    [run] = browser.get(f"{path}/runs")["items"]
    assert (run["state"], run["task_id"]) == ("running", task["id"])
    assert (
        browser.refused(
            "POST", "/import-plans/preview", 400, json=draft(link, source={"kind": "query", "query": "SELECT x"})
        )["code"]
        == "query_failed"
    )
    assert browser.call("DELETE", path).status_code == 204
    assert browser.call("DELETE", f"/connections/{link}").status_code == 204


def test_outside_tables_are_made_of_lists_files_and_fetches(browser: Browser, link: int) -> None:
    made = browser.post(
        "/external-tables", {"name": "VIP", "short_name": "vip", "kind": "list", "values": ["a@x.test"]}
    )
    assert made["usable"] and made["row_count"] == 1
    file = browser.call("POST", "/external-tables/file", files={"file": ("v.csv", b"mail\na@x.test\n")}).json()
    body = {"name": "File", "short_name": "file", "kind": "file", **file}
    assert browser.post("/external-tables", body)["columns"] == ["mail"]
    query = {"name": "CRM", "short_name": "crm", "kind": "sql", "connection_id": link, "query": "SELECT email FROM crm"}
    fetched = browser.post("/external-tables", query)
    assert not fetched["usable"]
    assert browser.post(f"/external-tables/{fetched['id']}/fetch", status=202)["kind"] == "external_fetch"
    assert browser.refused("POST", f"/external-tables/{made['id']}/fetch", 409)["code"] == "not_fetched"
    assert browser.refused("DELETE", f"/connections/{link}", 409)["code"] == "connection_in_use"
    for wrong, place in (
        ({"short_name": "No"}, "short_name"), ({"kind": "sql", "connection_id": None}, "connection_id"), ({"kind": "list", "values": []}, "values"),
        ({"kind": "http"}, "connection_id"), ({"kind": "sql", "query": " "}, "query"),
    ):  # fmt: skip
        assert (
            browser.refused("POST", "/external-tables", 400, json=query | {"name": "W", "short_name": "w"} | wrong)[
                "place"
            ]
            == place
        )
    assert browser.call("DELETE", f"/external-tables/{made['id']}").status_code == 204
