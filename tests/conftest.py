"""What all tests share: a real PostgreSQL for the run, and a fresh migrated database for each test that asks for one."""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql

from sojourn.kernel import Settings, VirtualClock
from sojourn.kernel.database import DatabaseServer, connect, ensure_partitions, migrate, with_database

# The same examples in every run; `HYPOTHESIS_PROFILE=search` looks for new ones, as the long tests do.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", deadline=None, max_examples=1000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def no_loop_of_another_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """The browser of earlier tests in this process leaves its event loop marked as running in this thread, though it stands still; hide it from
    tests without a browser, which may run loops of their own."""
    left = None if "browser" in request.fixturenames else asyncio._get_running_loop()
    if left is not None:
        asyncio._set_running_loop(None)
    yield
    if left is not None:
        asyncio._set_running_loop(left)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    """The PostgreSQL of this run, with a migrated template database."""
    home = Path(tempfile.mkdtemp(prefix="sojourn-test-"))
    home.chmod(0o755)
    server = DatabaseServer(
        Settings(home=home), extra={"fsync": "off", "max_connections": "200", "autovacuum_naptime": "60s"}
    )
    server.start()
    try:
        admin = with_database(server.url, "postgres")
        with connect(admin, "test") as connection:
            connection.execute("CREATE DATABASE template_sojourn")
        template = with_database(server.url, "template_sojourn")
        migrate(template)
        with connect(template, "test") as connection:
            ensure_partitions(connection, START)
        yield server
    finally:
        server.stop()


@pytest.fixture
def database_url(server: DatabaseServer) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    name = f"test_{next(_numbers)}"
    admin = with_database(server.url, "postgres")
    with connect(admin, "test") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template_sojourn").format(sql.Identifier(name)))
    try:
        yield with_database(server.url, name)
    finally:
        with connect(admin, "test") as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    """An open connection (autocommit) to the fresh database."""
    with connect(database_url, "test") as connection:
        yield connection


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that stands at a Monday morning."""
    return VirtualClock(START)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of an installation that uses the fresh database."""
    return Settings(home=tmp_path / "home", database_url=database_url, public_url="http://sojourn.test")
