"""Queries against a real MariaDB and a real PostgreSQL over TCP."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from sojourn.connections import KINDS, RowKind, draft
from sojourn.kernel import Settings
from sojourn.kernel.errors import SojournError


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A MariaDB of our own: its port; reader / secret may read the database `shop`."""
    server, install = shutil.which("mariadbd") or "/usr/sbin/mariadbd", shutil.which("mariadb-install-db")
    if not Path(server).exists() or not install:
        pytest.skip("There is no MariaDB here; `make test` installs it as root on Debian.")
    folder = tmp_path_factory.mktemp("mariadb")
    data, port = folder / "data", free_port()
    who = ["--user=root"] if os.geteuid() == 0 else []
    subprocess.run(
        [
            install,
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *who,
        ],
        check=True,
        capture_output=True,
    )
    arguments = [
        f"--datadir={data}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--socket={folder / 's'}",
        f"--pid-file={folder / 'pid'}",
        "--skip-log-bin",
    ]
    process = subprocess.Popen(
        [server, "--no-defaults", *arguments, *who], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        root = _root(port)
        with root.cursor() as cursor:
            for statement in (
                "CREATE DATABASE shop CHARACTER SET utf8mb4", "CREATE TABLE shop.crm (id int, email varchar(100), born date, `odd ``name` decimal(8,2))",
                "INSERT INTO shop.crm VALUES (1, 'a@x.test', '1990-02-28', 1.50), (2, 'ж@x.test', NULL, NULL)",
                "CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'secret'", "GRANT ALL ON shop.* TO reader@'127.0.0.1'",
            ):  # fmt: skip
                cursor.execute(statement)
        root.commit()
        root.close()
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _root(port: int) -> Any:
    for _ in range(300):
        try:
            return pymysql.connect(host="127.0.0.1", port=port, user="root")
        except pymysql.Error:
            time.sleep(0.1)
    raise AssertionError("MariaDB does not answer")


def test_a_mariadb_is_queried_read_only_with_bound_values(settings: Settings, mariadb: int) -> None:
    kind = KINDS["sql"]
    assert isinstance(kind, RowKind)
    allowing = settings.model_copy(update={"private_hosts": [f"127.0.0.1:{mariadb}"]})
    given = {"system": "mariadb", "host": "127.0.0.1", "port": mariadb, "database": "shop", "user": "reader"}
    ready = draft(kind, allowing, given, {"password": "secret"})
    assert kind.test(ready)["tables"] == ["crm"]
    with kind.rows(ready, "SELECT email FROM crm WHERE id > :cursor", {"cursor": 1}) as found:
        assert [tuple(row) for row in found.rows] == [("ж@x.test",)]
    with kind.rows(ready, kind.table_query(ready, "crm", "odd `name"), {"cursor": 1}) as found:
        assert found.columns == ["id", "email", "born", "odd `name"] and len(list(found.rows)) == 1
    for query in ("INSERT INTO crm VALUES (3, 'x', NULL, NULL)", "SELECT 1; SELECT 2", "SELECT nothing"):
        with pytest.raises(SojournError) as caught, kind.rows(ready, query, {}) as found:
            list(found.rows)
        assert caught.value.code == "query_failed"
    with kind.rows(ready, "SELECT count(*) FROM crm", {}) as found:
        assert [tuple(row) for row in found.rows] == [(2,)]
    with pytest.raises(SojournError) as caught:
        kind.test(draft(kind, allowing, given, {"password": "wrong-password"}))
    assert "wrong-password" not in caught.value.message and caught.value.code == "connection_failed"
