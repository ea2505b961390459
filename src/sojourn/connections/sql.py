"""SQL databases, through SQLAlchemy: PostgreSQL, MySQL, MariaDB, SQLite, and whatever driver is installed beside Sojourn."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, Literal

from pydantic import Field
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from sojourn.connections.kind import CONNECT_SECONDS, KindSettings, Opened, RowKind, Rows, Text
from sojourn.kernel.errors import SojournError

_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite",
}
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "mssql": 1433, "oracle": 1521}
_AT_ONCE = 2_000


class SqlSettings(KindSettings):
    """Where a database is. For SQLite only its file, which lies in the folder `sqlite` of the installation."""

    system: str = Field(
        "postgresql", title="System", description="postgresql, mysql, mariadb, sqlite, or dialect+driver of an installed SQLAlchemy dialect.",
        pattern=r"^[a-z0-9]+(\+[a-z0-9_]+)?$", max_length=60,
    )  # fmt: skip
    host: str = Field("", title="Host", max_length=253)
    port: int | None = Field(None, title="Port", ge=1, le=65_535)
    database: str = Field(
        title="Database", description="Name of the database, or of the SQLite file.", min_length=1, max_length=200
    )
    user: str = Field("", title="User", max_length=200)
    encryption: Literal["prefer", "require", "off"] = Field("prefer", title="Encryption")
    query_seconds: int = Field(600, title="Longest query, seconds", ge=1, le=86_400)


class SqlSecret(KindSettings):
    """The password."""

    password: str = Field("", title="Password", max_length=1_000)


class Sql(RowKind):
    """A database that is queried."""

    code: ClassVar[str] = "sql"
    title: ClassVar[Text] = {"en": "SQL database", "ru": "База данных SQL"}
    settings: ClassVar[type[KindSettings]] = SqlSettings
    secret: ClassVar[type[KindSettings]] = SqlSecret

    def test(self, opened: Opened) -> dict[str, Any]:
        with _connected(opened) as connection:
            version = ".".join(map(str, connection.dialect.server_version_info or ()))
            try:
                tables = inspect(connection).get_table_names()
            except SQLAlchemyError:
                tables = []
        return {"system": connection.dialect.name, "version": version, "tables": sorted(tables)[:200]}

    @contextmanager
    def rows(self, opened: Opened, query: str, values: dict[str, Any], *, most: int | None = None) -> Iterator[Rows]:
        if not query.strip() or "\x00" in query:
            raise SojournError("query_failed", "The query is empty.", "query")
        with _connected(opened) as connection:
            try:
                statement = text(query)
                bound = {name: value for name, value in values.items() if name in statement._bindparams}
                result = connection.execution_options(stream_results=True, max_row_buffer=_AT_ONCE).execute(
                    statement, bound
                )
            except SQLAlchemyError as error:
                raise _failed(opened, error) from None
            if not result.returns_rows:
                raise SojournError("query_failed", "The query gives no rows; it has to select something.", "query")
            yield Rows(list(result.keys()), _rows(opened, result, most))

    def table_query(self, opened: Opened, table: str, cursor: str | None) -> str:
        preparer = _engine(opened, connecting=False).dialect.identifier_preparer
        name = ".".join(preparer.quote_identifier(part) for part in table.split("."))
        if cursor is None:
            return f"SELECT * FROM {name}"
        column = preparer.quote_identifier(cursor)
        return f"SELECT * FROM {name} WHERE {column} > :cursor ORDER BY {column}"


def _rows(opened: Opened, result: Any, most: int | None) -> Iterator[Sequence[Any]]:
    count = 0
    try:
        for part in result.partitions(_AT_ONCE):
            for row in part:
                if most is not None and count >= most:
                    return
                count += 1
                yield row
    except SQLAlchemyError as error:
        raise _failed(opened, error) from None
    finally:
        result.close()


def _failed(opened: Opened, error: SQLAlchemyError) -> SojournError:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return SojournError("query_failed", opened.scrubbed(str(cause)), "query")


def _engine(opened: Opened, *, connecting: bool = True) -> Engine:
    given: SqlSettings = opened.settings
    family = given.system.partition("+")[0]
    driver = _DRIVERS.get(given.system, given.system)
    try:
        make_url(f"{driver}://").get_dialect().import_dbapi()
    except (NoSuchModuleError, ImportError, SQLAlchemyError):
        raise SojournError(
            "unknown_system", f"No driver for “{given.system}” is installed beside Sojourn.", "settings.system"
        ) from None
    arguments: dict[str, Any] = {}
    if family == "sqlite":
        arguments = {"timeout": CONNECT_SECONDS}
        url = make_url(f"{driver}:///").set(database=f"file:{_file(opened)}", query={"mode": "ro", "uri": "true"})
    else:
        if "=" in given.database or "://" in given.database:
            raise SojournError("bad_database", "This is not the name of a database.", "settings.database")
        port = given.port or _PORTS.get(family)
        if not given.host or port is None:
            raise SojournError("host_needed", "Host and port are needed.", "settings.host")
        address = opened.around.address(given.host, port) if connecting else given.host
        url = URL.create(driver, given.user or None, opened.secret.password or None, address, port, given.database)
        if family == "postgresql" and driver.endswith("psycopg"):
            mode = {"prefer": "prefer", "require": "require", "off": "disable"}[given.encryption]
            arguments = {
                "connect_timeout": int(CONNECT_SECONDS), "sslmode": mode,
                "options": f"-c default_transaction_read_only=on -c statement_timeout={given.query_seconds * 1000}",
            }  # fmt: skip
        elif driver.endswith("pymysql"):
            arguments = {
                "connect_timeout": int(CONNECT_SECONDS),
                "read_timeout": given.query_seconds,
                "charset": "utf8mb4",
            }
            if given.encryption == "require":
                arguments["ssl"] = {"check_hostname": False}
    return create_engine(url, poolclass=NullPool, connect_args=arguments)


def _file(opened: Opened) -> str:
    folder = opened.around.folder.resolve()
    path = (folder / opened.settings.database).resolve()
    if folder not in path.parents or any(sign in str(path) for sign in "?#%"):
        raise SojournError("bad_database", f"SQLite files lie in the folder {folder}.", "settings.database")
    if not path.is_file():
        raise SojournError(
            "connection_failed", f"There is no file “{opened.settings.database}” in {folder}.", "settings.database"
        )
    return str(path)


@contextmanager
def _connected(opened: Opened) -> Iterator[Connection]:
    engine = _engine(opened)
    try:
        try:
            connection = engine.connect()
        except SQLAlchemyError as error:
            cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
            raise SojournError("connection_failed", opened.scrubbed(str(cause)), "settings") from None
        with connection:
            _read_only(connection, opened.settings.query_seconds)
            yield connection
    finally:
        engine.dispose()


def _read_only(connection: Connection, seconds: int) -> None:
    """As far as the system knows how to promise it."""
    name = connection.dialect.name
    if name in ("mysql", "mariadb"):
        with suppress(SQLAlchemyError):
            connection.execute(text("SET SESSION TRANSACTION READ ONLY"))
        connection.rollback()
    elif name == "sqlite":
        connection.execute(text("PRAGMA query_only = ON"))
        raw = connection.connection.dbapi_connection
        if isinstance(raw, sqlite3.Connection):
            end = time.monotonic() + seconds
            raw.set_progress_handler(lambda: time.monotonic() > end, 100_000)
