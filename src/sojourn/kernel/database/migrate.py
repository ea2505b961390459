"""Migrations: only forward, run by Alembic, one process at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from sojourn.kernel.database.connect import connect

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_310_001


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    return config


def _engine(url: str) -> sqlalchemy.Engine:
    def creator() -> psycopg.Connection[Any]:
        return connect(url, "migrate", autocommit=False)

    return sqlalchemy.create_engine("postgresql+psycopg://", creator=creator, poolclass=sqlalchemy.pool.NullPool)


def pending(url: str) -> bool:
    """Whether the database misses migrations of this release."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    with _engine(url).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() != head


def migrate(url: str) -> None:
    """Bring the database to the newest revision; whoever comes second waits and finds nothing to do."""
    with connect(url, "migrate") as guard:
        version = guard.info.server_version
        if version < 180000:
            from sojourn.kernel.errors import SojournError

            raise SojournError(
                "database_too_old",
                f"Sojourn needs PostgreSQL 18 or newer; this server is {version // 10000}.",
                "SOJOURN_DATABASE_URL",
            )
        guard.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        config = _config()
        with _engine(url).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
