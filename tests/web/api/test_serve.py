"""Web processes as they run: real sockets, a shared port, streams, and the end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from sojourn.access import create_user
from sojourn.kernel import Settings, SystemClock
from sojourn.profiles import create_database
from sojourn.scenarios import create_scenario

PASSWORD = "correct horse battery"


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def processes(settings: Settings, connection: psycopg.Connection, port: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two web processes on one port."""
    clock = SystemClock()
    create_user(connection, clock, "ann@example.test", PASSWORD, "master")
    create_database(connection, clock, "Customers")
    create_scenario(connection, clock, {"name": "Welcome", "database": 1})
    environment = {
        **os.environ,
        "SOJOURN_HOME": str(settings.home),
        "SOJOURN_DATABASE_URL": settings.database_url or "",
        "SOJOURN_PORT": str(port),
    }
    found = [subprocess.Popen([sys.executable, "-m", "sojourn", "web"], env=environment) for _ in range(2)]
    try:
        deadline = time.monotonic() + 60
        while connection.execute("SELECT count(*) FROM part_heartbeat WHERE part = 'web'").fetchone() != (2,):
            assert time.monotonic() < deadline and all(process.poll() is None for process in found)
            time.sleep(0.1)
        yield found
    finally:
        for process in found:
            process.kill()
            process.wait()


def test_two_processes_share_a_port_and_a_session_and_end_while_somebody_listens(
    processes: list[subprocess.Popen[bytes]], port: int, connection: psycopg.Connection
) -> None:
    address = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=address, timeout=20) as client:
        session = client.post("/api/v2/session", json={"email": "ann@example.test", "password": PASSWORD}).json()
        for _ in range(10):  # each on a connection of its own, so both processes get some
            assert httpx.get(f"{address}/api/v2/session", cookies=dict(client.cookies)).json() == session
        with client.stream("GET", "/api/v2/scenarios/1/statistics/stream") as stream:
            lines = stream.iter_lines()
            first = [next(lines) for _ in range(4)]
            assert first[0] == "retry: 2000" and first[2] == "event: statistics"
            assert json.loads(first[3].removeprefix("data: "))["totals"]["entered"] == 0
            connection.execute(
                "INSERT INTO scenario_version (scenario_id, number, published_at, graph, draft) SELECT 1, 1, updated_at, draft, draft FROM scenario"
            )
            connection.execute(
                "INSERT INTO route (version_id, nodes, outputs, entry, exit, exit_node) VALUES (1, '{0}', '{0}', 1, 3, 0)"
            )
            connection.execute(
                "INSERT INTO counter (hour, n, route_id, lane) SELECT date_trunc('hour', updated_at), 7, 1, 0 FROM scenario"
            )
            changed = next(line for line in lines if line.startswith("data: "))
            assert json.loads(changed.removeprefix("data: "))["totals"]["entered"] == 7
            began = time.monotonic()
            for process in processes:
                process.send_signal(signal.SIGTERM)
            assert [process.wait(10) for process in processes] == [0, 0]
            assert time.monotonic() - began < 4
    assert connection.execute("SELECT count(*) FROM part_heartbeat").fetchone() == (0,)


def test_a_port_that_is_taken_is_told(settings: Settings, port: int) -> None:
    from sojourn.kernel.errors import Conflict
    from sojourn.web.serve import listening_socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(Conflict, match="Cannot listen"):
            listening_socket(settings.model_copy(update={"port": port}))
