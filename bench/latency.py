"""`latency.import-to-handover`: from the call of the import API to the moment the mail server has the welcome letter.

`sojourn up` runs at its defaults, as a user starts it; customers are imported one by one at a steady rate over HTTP; a mail server in
this process notes when each one's letter is complete.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from bench.delivery_email import letter
from bench.smtp_sink import Sink
from bench.start import _await_health
from sojourn.kernel import Settings, SystemClock
from sojourn.kernel.database import DatabaseServer, connect, own_server_url
from sojourn.profiles import create_database, create_resource
from sojourn.scenarios import activate, create_scenario, publish
from sojourn.templates import TemplateContent, save_template

FIGURES = ("latency.import-to-handover",)
TOKEN = "0123456789abcdef0123456789abcdef"
NODES = [
    {"id": 0, "type": "start", "links": {"next": 2}},
    {"id": 1, "type": "start_any_import", "links": {"next": 2}},
    {"id": 2, "type": "email", "settings": {"resource": "Newsletter", "template": "Welcome"}, "links": {"next": 3}},
    {"id": 3, "type": "pause", "settings": {"length": "1d"}},
]


class _TimedSink(Sink):
    """Notes the moment at which the letter to an address is complete."""

    arrived: dict[str, float] = {}  # noqa: RUF012

    def _obey(self, line: bytes) -> bytes:
        if line[:8].upper() == b"RCPT TO:":
            self._to = line[line.index(b"<") + 1 : line.index(b">")].decode()
        return super()._obey(line)

    def _count(self, text: bytes) -> None:
        super()._count(text)
        _TimedSink.arrived[self._to] = time.perf_counter()


def _serve(ports: list[int], ready: threading.Event) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_TimedSink, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await server.serve_forever()

    asyncio.run(serve())


def _prepare(settings: Settings) -> int:
    """Database, resource, template and scenario of the running product; tells the database's id."""
    clock = SystemClock()
    with connect(own_server_url(settings), "bench") as connection:
        base = create_database(connection, clock, "Customers")
        create_resource(connection, clock, "Newsletter", channels=[1], from_email="news@shop.example.com")
        content = letter()
        plain = content.html.replace("profile.points > 100", "profile._fname == 'x'")
        simple = TemplateContent(
            subject="Welcome",
            html=plain.replace("profile.points", "profile._fname")
            .replace("profile.level", "profile._lname")
            .replace("profile.cart", "api.cart"),
        )
        save_template(connection, clock, "Welcome", 1, simple)
        made = create_scenario(connection, clock, {"name": "Welcome", "database": "Customers", "nodes": NODES})
        publish(connection, clock, made.id, settings=settings, accept_sandbox=True)
        activate(connection, clock, made.id)
        return base.id


async def _import(port: int, database_id: int, rate: int, seconds: int) -> dict[str, float]:
    """Import `rate` customers a second; tells when the call of each began."""
    begun: dict[str, float] = {}

    async def one(client: httpx.AsyncClient, number: int) -> None:
        email = f"person{number}@example.com"
        body = {
            "token": TOKEN, "db_id": database_id, "matching": "email", "email": email,
            "data": {"email": email, "_fname": "Ann", "subscriptions": [{"channel": "email", "email": email, "resource_id": 1, "status": "subscribed"}]},
        }  # fmt: skip
        begun[email] = time.perf_counter()
        answer = await client.post("/api/v1.1/profiles/import", json=body)
        assert answer.json()["error"] == 0, answer.text

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        start, calls = time.perf_counter(), []
        for number in range(rate * seconds):
            await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
            calls.append(asyncio.create_task(one(client, number)))
        await asyncio.gather(*calls)
    return begun


def measure(rate: int = 100, seconds: int = 20) -> list[dict[str, Any]]:
    """The 95th percentile over all customers after a short run-up."""
    home = Path(tempfile.mkdtemp(prefix="sojourn-bench-"))
    home.chmod(0o755)
    ports: list[int] = []
    ready = threading.Event()
    threading.Thread(target=_serve, args=(ports, ready), daemon=True).start()
    ready.wait()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
    own = {
        "SOJOURN_HOME": str(home),
        "SOJOURN_PORT": str(port),
        "SOJOURN_LOG_LEVEL": "warning",
        "SOJOURN_API_TOKEN": TOKEN,
    }
    own["SOJOURN_SMTP_URL"] = f"smtp://127.0.0.1:{ports[0]}?starttls=never"
    process = subprocess.Popen([sys.executable, "-m", "sojourn", "up"], env=kept | own, stdout=subprocess.DEVNULL)
    try:
        _await_health(process, port)
        database_id = _prepare(Settings(home=home, smtp_url=own["SOJOURN_SMTP_URL"]))
        time.sleep(2)
        asyncio.run(_import(port, database_id, 1, 1))
        _TimedSink.arrived.clear()
        begun = asyncio.run(_import(port, database_id, rate, seconds))
        begun.pop("person0@example.com")
        deadline = time.monotonic() + 60
        while len(_TimedSink.arrived.keys() & begun.keys()) < len(begun) and time.monotonic() < deadline:
            time.sleep(0.05)
        missing = begun.keys() - _TimedSink.arrived.keys()
        if missing:
            with connect(own_server_url(Settings(home=home)), "bench") as connection:
                states = connection.execute(
                    "SELECT state, reason, left(answer, 200), count(*) FROM message GROUP BY 1, 2, 3"
                ).fetchall()
            raise AssertionError(
                f"{len(missing)} letters did not arrive; ledger (state, reason, answer, letters): {states}"
            )
        waits = sorted(_TimedSink.arrived[email] - moment for email, moment in begun.items())
        cut = statistics.quantiles(waits, n=100)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        shutil.rmtree(DatabaseServer(Settings(home=home)).layout.data, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)
    settings = {
        "imports_per_second": rate,
        "seconds": seconds,
        "p50": round(cut[49], 3),
        "p99": round(cut[98], 3),
        "longest": round(waits[-1], 3),
    }
    return [{"name": FIGURES[0], "value": round(cut[94], 3), "unit": "s (p95)", "settings": settings}]


if __name__ == "__main__":
    print(json.dumps(measure()), flush=True)
