"""Migrations: only forward, run by Alembic, one process at a time.

Alembic and SQLAlchemy are imported when they are needed: they take 25 MB, and of all parts only the start needs them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from sojourn.kernel.database.connect import connect
from sojourn.kernel.errors import SojournError

if TYPE_CHECKING:
    import sqlalchemy
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_310_001


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    return config


def _engine(url: str) -> sqlalchemy.Engine:
    import sqlalchemy

    def creator() -> psycopg.Connection[Any]:
        return connect(url, "migrate", autocommit=False)

    return sqlalchemy.create_engine("postgresql+psycopg://", creator=creator, poolclass=sqlalchemy.pool.NullPool)


def newest_revision() -> str:
    """The newest revision that this release knows: read from the names of the files, without Alembic."""
    return max(path.name[:4] for path in (_FOLDER / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def pending(url: str) -> bool:
    """Whether the database misses migrations of this release."""
    with connect(url, "migrate") as connection:
        exists = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
        if not exists or exists[0] is None:
            return True
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return row is None or row[0] != newest_revision()


def migrate(url: str) -> None:
    """Bring the database to the newest revision; whoever comes second waits and finds nothing to do.

    Raises:
        SojournError: `database_too_old`.
    """
    with connect(url, "migrate") as guard:
        version = guard.info.server_version
        if version < 180000:
            raise SojournError(
                "database_too_old",
                f"Sojourn needs PostgreSQL 18 or newer; this server is {version // 10000}.",
                "SOJOURN_DATABASE_URL",
            )
        guard.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        if not pending(url):
            return
        from alembic import command

        config = _config()
        with _engine(url).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
