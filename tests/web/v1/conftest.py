"""The integration API in the test's process, over a real database."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from starlette.testclient import TestClient

from sojourn.access import create_token
from sojourn.access.api_tokens import token_key
from sojourn.kernel import Settings, VirtualClock
from sojourn.profiles import Database, add_field, create_database, create_resource, database
from sojourn.web.app import create_app
from tests.web.v1.integration import Integration


@pytest.fixture
def base(connection: psycopg.Connection, clock: VirtualClock) -> Database:
    """A database of profiles with some fields, and a resource with e-mail and SMS."""
    made = create_database(connection, clock, "Customers")
    for name, kind in (("points", "integer"), ("labels", "tags"), ("car", "object")):
        add_field(connection, clock, made.id, name, name.title(), kind)
    add_field(connection, clock, made.id, "card", "Card", "line", matching=True)
    create_resource(connection, clock, "News", channels=["email", "sms", "push", "telegram"])
    return database(connection, made.id)


@pytest.fixture
def client(settings: Settings, clock: VirtualClock, base: Database) -> Iterator[TestClient]:
    with TestClient(
        create_app(settings, clock), base_url="http://sojourn.test", raise_server_exceptions=False
    ) as client:
        yield client


@pytest.fixture
def api(client: TestClient, connection: psycopg.Connection, clock: VirtualClock, settings: Settings) -> Integration:
    """An integration with an editor's token."""
    return Integration(client, create_token(connection, clock, token_key(settings), "CRM")[1])


@pytest.fixture
def reader(client: TestClient, connection: psycopg.Connection, clock: VirtualClock, settings: Settings) -> Integration:
    """An integration that may only read."""
    return Integration(client, create_token(connection, clock, token_key(settings), "BI", "viewer")[1])
