"""A whole product for a browser: seeded database, web server on a free port, engine and delivery worker that move when asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import uvicorn

from demo.customers import customers
from demo.seed import import_first, seed
from sojourn.access import create_user
from sojourn.cli.wiring import connect_rooms
from sojourn.delivery.worker import Worker
from sojourn.kernel import Settings, VirtualClock
from sojourn.kernel.database import connect
from sojourn.scenarios import files
from sojourn.scenarios.engine_loop import EngineLoop
from sojourn.web.app import create_app

EMAIL, PASSWORD = "anna@sojourn.test", "a long enough password"
WELCOME = Path(__file__).parents[2] / "demo" / "welcome.yaml"
_MOST_TURNS = 50


@dataclass
class Product:
    """What a test may touch beside the browser."""

    address: str
    connection: psycopg.Connection[Any]
    clock: VirtualClock
    settings: Settings
    database_url: str
    scenario_id: int = 0

    def shop(self, people: int) -> None:
        """The demo's shop, its welcome scenario running, and as many customers imported."""
        shop = seed(self.connection, self.clock, codes=200)
        scenario = files.apply(
            self.connection, self.clock, WELCOME, settings=self.settings, activate_it=True, accept_sandbox=True
        )  # fmt: skip
        self.scenario_id = scenario.id
        self.settings.data.mkdir(parents=True, exist_ok=True)
        import_first(self.connection, self.clock, shop, customers()[:people], self.settings.data / "customers.csv")
        self.move()

    def move(self, **ahead: float) -> None:
        """Let time pass, then let everybody go on until nothing is due."""
        self.clock.advance(timedelta(**ahead))
        with connect(self.database_url, "engine") as engine, connect(self.database_url, "worker") as hands:
            loop, worker = EngineLoop(engine, self.clock), Worker(self.settings, self.clock, hands)
            for _ in range(_MOST_TURNS):
                if not loop.step() + worker.step() and not worker.busy:
                    break


@contextmanager
def serve(settings: Settings, clock: VirtualClock, listener: socket.socket) -> Iterator[None]:
    """The web application in a thread."""
    application = create_app(settings, clock)
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        application.installation.stopping.set()
        server.should_exit = True
        thread.join(10)


@contextmanager
def run_product(
    settings: Settings, clock: VirtualClock, connection: psycopg.Connection[Any], database_url: str
) -> Iterator[Product]:
    """A product with one user and nothing else."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = settings.model_copy(update={"public_url": address})
        connect_rooms()
        create_user(connection, clock, EMAIL, PASSWORD, "master", name="Anna Kern")
        with serve(settings, clock, listener):
            yield Product(address, connection, clock, settings, database_url)
