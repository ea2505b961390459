"""`start.seconds` and `idle.memory`: from the command `sojourn up` to the first 200 of /health, and the memory of all its processes.

The first start makes the database; the figure is the median of starts on the folder that is there then. Memory is the proportional
share (PSS), which counts pages that processes share once, a while after the start with nobody asking for anything.
"""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sojourn.kernel import Settings
from sojourn.kernel.database import DatabaseServer

FIGURES = (
    "start.seconds",
    "idle.memory",
)

PATIENCE = 120.0


def measure(starts: int = 3, rest: float = 20.0) -> list[dict[str, Any]]:
    """Start `starts` times on an existing folder; look at the memory `rest` seconds after the last start."""
    home = Path(tempfile.mkdtemp(prefix="sojourn-bench-"))
    home.chmod(0o755)
    try:
        first, _ = _one_start(home)
        times, memory = [], {}
        for number in range(starts):
            seconds, memory = _one_start(home, rest if number == starts - 1 else 0.0)
            times.append(seconds)
    finally:
        shutil.rmtree(DatabaseServer(Settings(home=home)).layout.data, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)
    return [
        {
            "name": "start.seconds",
            "value": round(statistics.median(times), 2),
            "unit": "s",
            "settings": {"starts": [round(seconds, 2) for seconds in times], "first_start": round(first, 2)},
        },
        {
            "name": "idle.memory",
            "value": round(sum(memory.values()) / 1024, 1),
            "unit": "MB PSS",
            "settings": {"rest_seconds": rest, **{name: round(kilobytes / 1024, 1) for name, kilobytes in memory.items()}},
        },
    ]  # fmt: skip


def _one_start(home: Path, rest: float = 0.0) -> tuple[float, dict[str, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
    environment = kept | {"SOJOURN_HOME": str(home), "SOJOURN_PORT": str(port), "SOJOURN_LOG_LEVEL": "warning"}
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "sojourn", "up"], env=environment, stdout=subprocess.DEVNULL)
    try:
        _await_health(process, port)
        seconds = time.monotonic() - started
        time.sleep(rest)
        memory = _memory(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    assert code == 0, f"sojourn up ended with exit code {code}"
    return seconds, memory


def _await_health(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, "sojourn up ended"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.02)
    raise TimeoutError(f"not healthy after {PATIENCE:.0f} seconds")


def _memory(root: int) -> dict[str, int]:
    """PSS in kB of a process and everything below it, by what it is."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    sums: dict[str, int] = {}
    for pid in family:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        name = "database" if "postgres" in words[0] else words[3] if len(words) > 3 else words[0]
        pss = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        sums[name] = sums.get(name, 0) + pss
    return sums


if __name__ == "__main__":
    import json

    for figure in measure():
        print(json.dumps(figure), flush=True)
