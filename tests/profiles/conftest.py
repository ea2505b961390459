"""A database with a field of every type, and resources, for the tests of profiles."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from sojourn.kernel import Clock
from sojourn.profiles import Database, Resource, add_field, create_database, create_resource, database


@pytest.fixture
def shop(connection: psycopg.Connection[Any], clock: Clock) -> Database:
    made = create_database(connection, clock, "Shop")
    for name, kind, options, matching in (
        ("bonus", "integer", None, False), ("weight", "float", None, False), ("card", "line", None, True), ("seen", "date", None, False),
        ("vip", "boolean", None, False), ("level", "enum", ["bronze", "silver", "gold"], False), ("host", "ip", None, False),
        ("likes", "tags", None, True), ("car", "object", None, False), ("orders", "objects", None, False),
    ):  # fmt: skip
        add_field(connection, clock, made.id, name, name.title(), kind, options=options, matching=matching)
    return database(connection, made.id)


@pytest.fixture
def news(connection: psycopg.Connection[Any], clock: Clock, shop: Database) -> Resource:
    return create_resource(
        connection, clock, "News", channels=["email", "sms", "push", "telegram"], database_ids=[shop.id]
    )
