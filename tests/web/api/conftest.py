"""The web application as a browser meets it: served in the test's process, over a real database."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from starlette.testclient import TestClient

from sojourn.access import create_user
from sojourn.kernel import Settings, VirtualClock
from sojourn.web.app import create_app
from tests.web.api.browser import PASSWORD, Browser


@pytest.fixture
def people(connection: psycopg.Connection, clock: VirtualClock) -> None:
    for role in ("master", "editor", "viewer"):
        create_user(connection, clock, f"{role}@example.test", PASSWORD, role, name=role.title())


@pytest.fixture
def client(settings: Settings, clock: VirtualClock, people: None) -> Iterator[TestClient]:
    with TestClient(
        create_app(settings, clock), base_url="http://sojourn.test", raise_server_exceptions=False
    ) as client:
        yield client


@pytest.fixture
def browser(client: TestClient) -> Browser:
    """A browser in which the master is logged in."""
    return Browser(client).log_in("master")


@pytest.fixture
def editor(client: TestClient) -> Browser:
    return Browser(client).log_in("editor")
