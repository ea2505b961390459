"""A whole installation in a temporary folder, started as users start it, for tests that kill its processes."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from sojourn.kernel import Settings
from sojourn.kernel.database import DatabaseServer, connect, own_server_url

ROOT = Path(__file__).parents[2]
PARTS = ("engine", "worker", "web", "database", "backend")
"""What can be killed; `backend` is one process of the database that serves a part, whose death makes the database recover."""


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """`sojourn up` with a mail server and a call centre beside it."""

    def __init__(self, seed: int, **settings: str) -> None:
        self.random = random.Random(seed)
        self.home = Path(tempfile.mkdtemp(prefix="sojourn-crash-"))
        self.home.chmod(0o755)
        self.log = self.home / "sinks.log"
        self.sinks = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.sinks", str(self.log)], stdout=subprocess.PIPE, cwd=ROOT
        )
        assert self.sinks.stdout
        self.smtp_port, self.http_port = map(int, self.sinks.stdout.readline().split())
        self.environment = {
            **os.environ, "SOJOURN_HOME": str(self.home), "SOJOURN_PORT": str(free_port()), "SOJOURN_CONFIG": str(self.home / "none.toml"),
            "SOJOURN_SMTP_URL": f"smtp://127.0.0.1:{self.smtp_port}?starttls=never", "SOJOURN_PRIVATE_HOSTS": f'["127.0.0.1:{self.http_port}"]',
            **settings,
        }  # fmt: skip
        self.settings = Settings(home=self.home)
        self.url = own_server_url(self.settings)
        self.kills = dict.fromkeys(PARTS, 0)
        self._next: list[str] = []
        self.supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start everything and wait for the tables."""
        with (self.home / "up.log").open("ab") as output:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "sojourn", "up"],
                env=self.environment,
                stdout=output,
                stderr=output,
                cwd=self.home,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.supervisor.poll() is None, (self.home / "up.log").read_text()[-3000:]
            if self._process("engine"):
                return
            time.sleep(0.1)
        raise AssertionError("the installation does not start: " + (self.home / "up.log").read_text()[-3000:])

    def connect(self, patience: float = 60.0) -> psycopg.Connection[tuple[object, ...]]:
        """A connection, as soon as the database takes one."""
        deadline = time.monotonic() + patience
        while True:
            try:
                return connect(self.url, "test")
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def kill_something(self) -> str | None:
        """`kill -9` of one process, drawn; all parts come in turn, in a drawn order. Tells what it was, None if that part is just dead."""
        if not self._next:
            self._next = self.random.sample(PARTS, len(PARTS))
        part = self._next[-1]
        process = self._process(part)
        if process is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
            self.kills[part] += 1
            self._next.pop()
        return part

    def _process(self, part: str) -> int | None:
        assert self.supervisor
        if part == "database":
            return self._postmaster()
        if part == "backend":
            postmaster = self._postmaster()
            found = (
                [pid for pid, parent, line in _processes() if parent == postmaster and "sojourn sojourn" in line]
                if postmaster
                else []
            )
        else:
            found = [
                pid
                for pid, parent, line in _processes()
                if parent == self.supervisor.pid and line.endswith(f"sojourn {part}")
            ]
        return self.random.choice(sorted(found)) if found else None

    def _postmaster(self) -> int | None:
        """The database's first process, a child of the supervisor."""
        assert self.supervisor
        found = [pid for pid, parent, line in _processes() if parent == self.supervisor.pid and "bin/postgres" in line]
        return found[0] if found else None

    def noted(self, kind: str) -> list[str]:
        """What the sinks took, in order, repetitions and all."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.split(" ", 1)[1] for line in lines if line.startswith(kind + " ")]

    def stop(self) -> None:
        """Stop everything and leave nothing behind."""
        if self.supervisor and self.supervisor.poll() is None:
            self.supervisor.send_signal(signal.SIGTERM)
            try:
                self.supervisor.wait(60)
            except subprocess.TimeoutExpired:
                self.supervisor.kill()
        self.sinks.kill()
        self.sinks.wait()
        data = DatabaseServer(self.settings).layout.data
        if os.environ.get("SOJOURN_KEEP") != "1":
            shutil.rmtree(data, ignore_errors=True)
            shutil.rmtree(self.home, ignore_errors=True)


def _processes() -> list[tuple[int, int, str]]:
    """Process id, parent and command line of everything that runs here."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                status = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                if status[0] != "Z":
                    found.append((int(folder.name), int(status[1]), line))
    return found
