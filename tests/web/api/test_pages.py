"""Health, the application's files, and the headers of all answers."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from sojourn.kernel import Settings, VirtualClock
from sojourn.kernel.heartbeat import Heartbeat
from sojourn.web.app import create_app
from sojourn.web.static_files import static_routes


def wait_for_web(client: TestClient) -> None:
    import time

    for _ in range(100):
        if client.get("/health").json()["parts"].get("web") == "ok":
            return
        time.sleep(0.05)
    raise AssertionError("the web part gives no sign of life")


def test_health_is_503_until_every_part_lives(client: TestClient, database_url: str, clock: VirtualClock) -> None:
    wait_for_web(client)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json()["parts"]["engine"] == answer.json()["parts"]["worker"] == "No sign of life for 15 seconds."
    with Heartbeat(database_url, "engine", clock):
        assert client.get("/health").status_code == 503
        with Heartbeat(database_url, "worker", clock):
            answer = client.get("/health")
            assert (answer.status_code, answer.json()["status"]) == (200, "ok")
            assert answer.json()["parts"] == dict.fromkeys(["database", "migrations", "web", "engine", "worker"], "ok")
        assert client.get("/health").status_code == 503


def test_health_asks_only_for_parts_that_the_settings_want(settings: Settings, clock: VirtualClock) -> None:
    alone = settings.model_copy(update={"engine_processes": 0, "worker_processes": 0})
    with TestClient(create_app(alone, clock)) as client:
        wait_for_web(client)
        assert client.get("/health").status_code == 200


def test_health_tells_tables_of_another_release(client: TestClient, connection: psycopg.Connection) -> None:
    wait_for_web(client)
    connection.execute("UPDATE alembic_version SET version_num = '0000'")
    answer = client.get("/health")
    assert answer.status_code == 503 and "migrate" in answer.json()["parts"]["migrations"]


def test_a_token_of_the_settings_is_valid_from_the_start(settings: Settings, clock: VirtualClock) -> None:
    with TestClient(create_app(settings.model_copy(update={"api_token": "chosen"}), clock)) as client:
        wait_for_web(client)
        assert client.post("/api/v1.1/databases/list", json={"token": "chosen"}).json()["error"] == 0


@pytest.fixture
def built(tmp_path: Path) -> TestClient:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>Sojourn</title>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-abc.js").write_text("1")
    (folder / "assets" / "large-abc.js").write_text("x" * 10_000)
    (tmp_path / "secret.key").write_text("secret")
    return TestClient(Starlette(routes=static_routes(folder)))


def test_hashed_files_are_kept_for_ever_and_the_page_is_not(built: TestClient) -> None:
    assert built.get("/assets/index-abc.js").headers["cache-control"] == "public, max-age=31536000, immutable"
    assert built.get("/assets/index-abc.js").headers.get("content-encoding") is None
    assert built.get("/assets/large-abc.js").headers["content-encoding"] == "gzip"
    assert built.get("/").headers["cache-control"] == built.get("/favicon.svg").headers["cache-control"] == "no-cache"


def test_addresses_of_the_application_lead_to_its_page(built: TestClient) -> None:
    for path in ("/", "/scenarios/3", "/profiles/5f4f", "/no.file"):
        assert built.get(path).text == "<title>Sojourn</title>"
    assert built.get("/assets/gone.js").status_code == 404
    assert built.post("/scenarios/3").status_code == 405


def test_nothing_outside_the_folder_is_served(built: TestClient) -> None:
    for path in (
        "/../secret.key",
        "/..%2fsecret.key",
        "/%2e%2e/secret.key",
        "/assets/../../secret.key",
        "/assets/..%2f..%2fsecret.key",
        "/.%00",
    ):
        assert "secret" not in built.get(path).text


def test_without_a_build_the_page_says_so(tmp_path: Path) -> None:
    answer = TestClient(Starlette(routes=static_routes(tmp_path))).get("/")
    assert answer.status_code == 503 and "not built" in answer.text


def test_browsers_are_told_what_they_must_not_do(client: TestClient) -> None:
    for path in ("/health", "/scenarios", "/api/v2/session"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "script-src 'self';" in headers["content-security-policy"]
    assert "sandbox" not in client.get("/u/unknown").headers["content-security-policy"]
    assert client.get("/u/unknown").status_code == 404
