"""`sojourn up`: the database and all parts as children of one small process, which starts, watches and stops them."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from types import FrameType

import structlog

from sojourn.cli.children import BackOff, Child, stop_children
from sojourn.kernel.child_process import child_environment, product_command
from sojourn.kernel.database.server import DatabaseServer
from sojourn.kernel.errors import Conflict, SojournError, Unavailable
from sojourn.kernel.instance import InstanceLock
from sojourn.kernel.settings import Settings

STOP_ORDER = ("web", "engine", "worker")
PATIENCE = {"web": 10.0, "engine": 15.0, "worker": 30.0}
"""Seconds that a part has to finish what it holds. A worker flushes what it has handed over."""
_TICK = 0.1
log = structlog.get_logger("supervisor")


class _StopAsked(Exception):
    """A signal came while something lasts that does not look for signals."""


def part_children(settings: Settings) -> list[Child]:
    """The processes that the settings ask for."""
    counts = {"web": settings.web_processes, "engine": settings.engine_processes, "worker": settings.worker_processes}
    return [Child(part, product_command(part)) for part, count in counts.items() for _ in range(count)]


class Supervisor:
    """Runs an installation until SIGTERM or SIGINT; a second signal hurries. Must run in the main thread."""

    def __init__(self, settings: Settings, children: Sequence[Child], *, prepare: Sequence[str] = ()) -> None:
        """`prepare` is a command that runs once before the children start, and must end well."""
        self._settings = settings
        self._children = list(children)
        self._prepare = prepare
        self._database = None if settings.database_url else DatabaseServer(settings)
        self._lock = InstanceLock(settings.data)
        self._signals: list[int] = []
        self._starting = False

    def run(self) -> None:
        """Start everything, keep it alive, stop it in order.

        Raises:
            Conflict: another instance runs on the data folder, or the port is taken.
            Unavailable: the preparation failed. SojournError: the database did not start.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note_signal)
        try:
            self._start()
            self._keep()
        except _StopAsked:
            pass
        finally:
            self._stop()

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals.append(number)
        if self._starting:
            raise _StopAsked

    def _start(self) -> None:
        self._starting = True  # recovery of a database can last minutes: a signal then breaks off
        if self._database is None:
            self._lock.take()
        else:
            self._database.start()
        check_port(self._settings)
        if self._prepare and subprocess.run(self._prepare, env=child_environment()).returncode:
            raise Unavailable("preparation_failed", "The database could not be prepared; see the lines above.")
        self._starting = False

    def _keep(self) -> None:
        database_since, database_wait = time.monotonic(), BackOff()
        announced = not any(child.part == "web" for child in self._children)
        while not self._signals:
            if self._database and self._database.poll() is not None:
                self._restart_database(database_wait.after(time.monotonic() - database_since))
                database_since = time.monotonic()
            for child in self._children:
                child.tend()
            announced = announced or self._announce()
            time.sleep(_TICK)

    def _restart_database(self, wait: float) -> None:
        """Parts wait for the database by themselves; recovery brings back everything that was committed."""
        assert self._database
        log.error("the database ended, starting it again", seconds=wait)
        self._starting = True
        try:
            time.sleep(wait)
            self._database.start()
            log.info("the database is back")
        except SojournError as error:
            log.error("the database did not start", reason=str(error))
        finally:
            self._starting = False

    def _announce(self) -> bool:
        if not healthy(self._settings):
            return False
        print(f"Sojourn is ready: {self._settings.base_url}", flush=True)
        return True

    def _stop(self) -> None:
        self._starting = False
        asked = len(self._signals)
        for part in dict.fromkeys([*STOP_ORDER, *(child.part for child in self._children)]):
            group = [child for child in self._children if child.part == part]
            stop_children(group, PATIENCE.get(part, 10.0), lambda: len(self._signals) > asked)
        if self._database:
            self._database.stop()
        self._lock.release()


def check_port(settings: Settings, patience: float = 3.0) -> None:
    """Make sure that the web part will be able to listen; an instance that has just died may need a moment to let go.

    Raises:
        Conflict: `port_taken`.
    """
    deadline = time.monotonic() + patience
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    while True:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.host, settings.port))
                return
            except OSError as error:
                reason = error.strerror or str(error)
        if time.monotonic() > deadline:
            raise Conflict("port_taken", f"Cannot listen on {settings.host}:{settings.port}: {reason}.", "SOJOURN_PORT")
        time.sleep(0.1)


def healthy(settings: Settings) -> bool:
    """Whether the web part answers `/health` with 200."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=1.0)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
