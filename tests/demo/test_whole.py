"""`python -m demo` as people start it: it comes up by itself, goes on where it was, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.demo.free_ports import free_port_pair

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0


@pytest.fixture
def home() -> Iterator[Path]:
    """A data folder that the database's user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="sojourn-demo-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class RunningDemo:
    """The demo as a process of its own."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{port}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
        environment = {**clean, "SOJOURN_HOME": str(home), "SOJOURN_PORT": str(port)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "demo"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )  # fmt: skip

    def wait_until(self, done: Any) -> None:
        """Ask again and again until `done()` says so."""
        deadline = time.monotonic() + PATIENCE
        while not done():
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < deadline, "it took too long"
            time.sleep(0.2)

    def ask(self, path: str) -> dict[str, Any]:
        """A call of the JSON API; empty as long as it cannot be answered."""
        try:
            token = json.loads((self.home / "demo-secrets.json").read_text())["SOJOURN_API_TOKEN"]
            answer = httpx.get(self.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=5)
        except (FileNotFoundError, httpx.HTTPError):
            return {}
        found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
        return found

    def entered(self) -> int:
        """How many people have entered the welcome scenario."""
        items = self.ask("/api/v2/scenarios").get("items") or [{"entered": 0}]
        return int(items[0]["entered"])

    def stop(self) -> tuple[int, str]:
        """Ctrl-C; gives the exit code and what was printed."""
        self.process.send_signal(signal.SIGINT)
        printed, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, printed


def processes_of(home: Path) -> list[str]:
    """Command lines of processes that know the data folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            known = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            if str(home).encode() in known and int(process.name) != os.getpid():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except (OSError, ProcessLookupError):
            continue
    return found


@pytest.mark.timeout(400)
def test_the_demo_lives_goes_on_and_leaves_nothing_behind(home: Path) -> None:
    port = free_port_pair()
    demo = RunningDemo(home, port)
    try:
        demo.wait_until(lambda: demo.entered() > 510)
        demo.wait_until(lambda: len(demo.ask("/api/v2/sandbox/messages").get("items", ())) > 10)
    finally:
        code, printed = demo.stop()
    assert code == 0, printed
    secrets = json.loads((home / "demo-secrets.json").read_text())
    assert demo.url in printed
    assert secrets["SOJOURN_ADMIN_PASSWORD"] in printed
    assert "Traceback" not in printed
    assert processes_of(home) == []
    before = json.loads((home / "demo-registered.json").read_text())["registered"]

    again = RunningDemo(home, port)
    try:
        again.wait_until(lambda: again.entered() > before)
    finally:
        code, printed = again.stop()
    assert code == 0, printed
    assert secrets["SOJOURN_ADMIN_PASSWORD"] in printed
    assert processes_of(home) == []
