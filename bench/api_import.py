"""How many profiles a second come in over `/api/v1.1`: one a call, and 500 a call. Two web processes share a port; the caller is a third process."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.throwaway import throwaway_database
from sojourn.kernel import SystemClock
from sojourn.kernel.database import connect, ensure_partitions
from sojourn.profiles import create_database, create_resource

FIGURES = ("api.import-single", "api.import-batch")

TOKEN = "bench-token"
WEB_PROCESSES, CONNECTIONS, PER_CALL = 2, 32, 500


def measure(seconds: float = 8.0) -> list[dict[str, Any]]:
    """Single calls a second, and profiles a second in batches: new people with an e-mail subscription, durable before the answer."""
    with throwaway_database() as url:
        with connect(url, "bench") as connection:
            clock = SystemClock()
            ensure_partitions(connection, clock.now())
            create_database(connection, clock, "Bench")
            create_resource(connection, clock, "News")
        with _web_processes(url) as port:
            single = _load(port, "single", CONNECTIONS, seconds)
            batch = _load(port, "batch", 4, seconds)
        with connect(url, "bench") as connection:
            row = connection.execute("SELECT count(*) FROM profile_1").fetchone()
    sent = sum(load["profiles"] + load["warm"] for load in (single, batch))
    assert row == (sent,), f"{row} profiles are there, {sent} were sent"
    shared = {"web_processes": WEB_PROCESSES, "seconds": seconds, "fields": 4, "subscriptions": 1}
    return [
        {"name": "api.import-single", "value": round(single["profiles"] / single["seconds"]), "unit": "calls/s",
         "settings": {**shared, "connections": CONNECTIONS, "p50_ms": single["p50_ms"], "p99_ms": single["p99_ms"]}},
        {"name": "api.import-batch", "value": round(batch["profiles"] / batch["seconds"]), "unit": "profiles/s",
         "settings": {**shared, "connections": 4, "per_call": PER_CALL, "p50_ms": batch["p50_ms"], "p99_ms": batch["p99_ms"]}},
    ]  # fmt: skip


@contextmanager
def _web_processes(url: str) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tempfile.mkdtemp(prefix="sojourn-bench-")
    environment = {
        **os.environ, "SOJOURN_DATABASE_URL": url, "SOJOURN_HOME": home, "SOJOURN_PORT": str(port), "SOJOURN_API_TOKEN": TOKEN, "SOJOURN_LOG_LEVEL": "warning",
    }  # fmt: skip
    processes = [
        subprocess.Popen([sys.executable, "-m", "sojourn", "web"], env=environment) for _ in range(WEB_PROCESSES)
    ]
    try:
        _wait(url, processes)
        yield port
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(20)
        shutil.rmtree(home, ignore_errors=True)


def _wait(url: str, processes: list[subprocess.Popen[bytes]]) -> None:
    """Until all of them have given a sign of life."""
    deadline = time.monotonic() + 60
    with connect(url, "bench") as connection:
        while time.monotonic() < deadline:
            row = connection.execute("SELECT count(*) FROM part_heartbeat WHERE part = 'web'").fetchone()
            if row and row[0] == len(processes):
                return
            assert all(process.poll() is None for process in processes), "a web process ended"
            time.sleep(0.1)
    raise TimeoutError("the web processes did not start")


def _load(port: int, kind: str, connections: int, seconds: float) -> dict[str, Any]:
    """Run this module as the caller, in a process of its own."""
    command = [sys.executable, "-m", "bench.api_import", "load", str(port), kind, str(connections), str(seconds)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, check=True, timeout=seconds + 60, cwd=Path(__file__).parents[1]
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


class Caller:
    """Calls over kept connections, one after the other on each."""

    def __init__(self, port: int, kind: str, until: float) -> None:
        self._port, self._kind, self._until = port, kind, until
        self.profiles = 0
        self.times: list[float] = []

    async def run(self, number: int) -> None:
        """One connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        call = 0
        while time.perf_counter() < self._until:
            call += 1
            started = time.perf_counter()
            writer.write(self._request(number, call))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            answer = await reader.readexactly(length)
            assert head.startswith(b"HTTP/1.1 200") and answer.startswith(b'{"error":0'), head + answer
            self.times.append(time.perf_counter() - started)
            if self._kind == "batch":
                assert answer.count(b'"error":0') == PER_CALL + 1, answer[:500]
            self.profiles += PER_CALL if self._kind == "batch" else 1
        writer.close()

    def _request(self, number: int, call: int) -> bytes:
        if self._kind == "single":
            person = _person(f"s{number}-{call}")
            path, body = "import", {"db_id": 1, "matching": "email", "email": person["email"], "data": person}
        else:
            path, body = (
                "import_batch",
                {"db_id": 1, "matching": "email", "data": [_person(f"b{number}-{call}-{i}") for i in range(PER_CALL)]},
            )
        content = json.dumps(body).encode()
        head = f"POST /api/v1.1/profiles/{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {len(content)}\r\n\r\n"
        return head.encode() + content


def _person(mark: str) -> dict[str, Any]:
    email = f"{mark}@mail.example.com"
    return {
        "email": email, "_fname": "Anna", "_lname": "Lee", "_city": "Omsk",
        "subscriptions": [{"channel": "email", "resource_id": 1, "email": email}],
    }  # fmt: skip


async def _call(port: int, kind: str, connections: int, seconds: float) -> dict[str, Any]:
    warm = Caller(port, kind, time.perf_counter() + 0.5)
    await asyncio.gather(*(warm.run(10_000 + number) for number in range(connections)))
    started = time.perf_counter()
    caller = Caller(port, kind, started + seconds)
    await asyncio.gather(*(caller.run(number) for number in range(connections)))
    times = sorted(caller.times)
    percentiles = {f"p{p}_ms": round(times[min(len(times) - 1, len(times) * p // 100)] * 1000, 1) for p in (50, 99)}
    elapsed = time.perf_counter() - started
    return {"profiles": caller.profiles, "warm": warm.profiles, "seconds": elapsed, **percentiles}


if __name__ == "__main__":
    if sys.argv[1:2] == ["load"]:
        port, kind, connections, seconds = sys.argv[2:6]
        print(json.dumps(asyncio.run(_call(int(port), kind, int(connections), float(seconds)))))
    else:
        for figure in measure(float(sys.argv[1]) if len(sys.argv) > 1 else 8.0):
            print(json.dumps(figure))
