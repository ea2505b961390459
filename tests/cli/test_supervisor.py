"""`sojourn up` with parts that are stand-ins: it keeps them alive, refuses a second instance, and stops in order."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from sojourn.cli.children import LONGEST_DELAY, BackOff
from sojourn.kernel import Settings
from sojourn.kernel.database import DatabaseServer, own_server_url

# Stand-ins write their process id when they start and their name when they are asked to end.
_PART = """
import http.server, os, signal, sys, threading, time
from pathlib import Path
from sojourn.kernel.child_process import follow_parent
follow_parent()
name, folder, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
def end(*_):
    with (folder / "ends").open("a") as file: file.write(name + "\\n")
    if name != "deaf": os._exit(0)
signal.signal(signal.SIGTERM, end)
(folder / (name + ".pid")).write_text(str(os.getpid()))
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
if name == "web":
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Health).serve_forever()
while True: time.sleep(1)
"""
_UP = """
import sys
from sojourn.cli import app, supervisor
from sojourn.kernel import child_process
part, folder, names = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
child_process.product_command = lambda *words: [sys.executable, "-c", "import sys; sys.exit(%d)" % ("unprepared" in names)]
supervisor.part_children = lambda settings: [
    supervisor.Child(name, [sys.executable, "-c", part, name, folder, str(settings.port)]) for name in names if name != "unprepared"
]
sys.argv = ["sojourn", "up"]
sys.exit(app.run())
"""


class Installation:
    """One `sojourn up` on a folder."""

    def __init__(self, folder: Path, environment: dict[str, str], names: str = "worker,web,engine") -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", _UP, _PART, str(folder), names],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def await_ready(self) -> None:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line.startswith("Sojourn is ready: http://"), (line, self.process.stderr and self.process.stderr.read())

    def pid(self, part: str) -> int:
        path = self.folder / f"{part}.pid"
        wait(lambda: path.exists() and path.read_text() != "")
        return int(path.read_text())

    def finish(self, seconds: float = 30) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=seconds)
        return self.process.returncode, errors


def wait(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def folder() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="sojourn-up-"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(DatabaseServer(Settings(home=home)).layout.data, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
    return kept | {"SOJOURN_HOME": str(folder), "SOJOURN_PORT": str(port)}


@pytest.fixture
def start(folder: Path, environment: dict[str, str]) -> Iterator[Callable[..., Installation]]:
    started: list[Installation] = []

    def begin(**options: str) -> Installation:
        started.append(Installation(folder, environment, **options))
        return started[-1]

    yield begin
    for installation in started:
        if installation.process.poll() is None:
            installation.process.kill()
        installation.process.communicate()


@pytest.fixture
def beside(environment: dict[str, str], database_url: str) -> None:
    """Use the database of this test run instead of an own one, where the database is not what the test is about."""
    environment["SOJOURN_DATABASE_URL"] = database_url


@pytest.mark.usefixtures("beside")
def test_a_part_that_is_killed_is_started_again(start: Callable[..., Installation]) -> None:
    up = start()
    up.await_ready()
    first = up.pid("engine")
    os.kill(first, signal.SIGKILL)
    wait(lambda: up.pid("engine") != first)
    assert alive(up.pid("engine"))
    up.process.send_signal(signal.SIGTERM)
    code, errors = up.finish()
    assert code == 0
    assert "supervisor: part ended, starting it again  name=engine  reason=signal SIGKILL  seconds=0.2" in errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.usefixtures("beside")
def test_a_signal_stops_web_then_engine_then_workers_and_is_a_clean_end(
    start: Callable[..., Installation], number: int
) -> None:
    up = start()
    up.await_ready()
    pids = [up.pid(part) for part in ("web", "engine", "worker")]
    up.process.send_signal(number)
    code, errors = up.finish()
    assert code == 0, errors
    assert (up.folder / "ends").read_text().split() == ["web", "engine", "worker"]
    assert not any(map(alive, pids))


@pytest.mark.usefixtures("beside")
def test_a_second_signal_hurries_a_part_that_does_not_end(start: Callable[..., Installation]) -> None:
    up = start(names="web,deaf")
    up.await_ready()
    deaf = up.pid("deaf")
    up.process.send_signal(signal.SIGTERM)
    wait(lambda: (up.folder / "ends").exists() and "deaf" in (up.folder / "ends").read_text())
    started = time.monotonic()
    up.process.send_signal(signal.SIGTERM)
    code, _ = up.finish()
    assert code == 0
    assert time.monotonic() - started < 5
    assert not alive(deaf)


@pytest.mark.usefixtures("beside")
def test_parts_do_not_outlive_a_supervisor_that_is_killed(start: Callable[..., Installation]) -> None:
    up = start()
    up.await_ready()
    pids = [up.pid(part) for part in ("web", "engine", "worker")]
    up.process.kill()
    wait(lambda: not any(map(alive, pids)))


@pytest.mark.usefixtures("beside")
def test_a_port_that_is_taken_is_told_before_anything_starts(
    start: Callable[..., Installation], environment: dict[str, str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(environment["SOJOURN_PORT"])))
        other.listen()
        code, errors = start().finish()
    assert code == 1
    assert "SOJOURN_PORT: Cannot listen on 127.0.0.1" in errors


@pytest.mark.usefixtures("beside")
def test_a_preparation_that_fails_stops_the_start(start: Callable[..., Installation]) -> None:
    up = start(names="unprepared,web")
    code, errors = up.finish()
    assert code == 1
    assert "could not be prepared" in errors
    assert not (up.folder / "web.pid").exists()


def test_a_second_instance_on_the_same_folder_is_refused_and_the_database_recovers_from_a_kill(
    start: Callable[..., Installation], environment: dict[str, str], folder: Path
) -> None:
    up = start()
    up.await_ready()
    second = start()
    code, errors = second.finish()
    assert code == 1
    assert f"Another Sojourn already runs on the data folder {folder} (process {up.process.pid})" in errors

    url = own_server_url(Settings(home=folder))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS x")
        backend = connection.info.backend_pid
    worker = up.pid("worker")
    layout = DatabaseServer(Settings(home=folder)).layout
    postmaster = int((layout.data / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)

    def back() -> bool:
        try:
            with psycopg.connect(url) as connection:
                return connection.execute("SELECT x FROM kept").fetchone() == (1,) and backend > 0
        except psycopg.OperationalError:
            return False

    wait(lambda: not alive(postmaster) and back())
    assert alive(worker), "parts wait for the database by themselves"
    up.process.send_signal(signal.SIGTERM)
    code, errors = up.finish()
    assert code == 0, errors
    assert "the database ended, starting it again" in errors
    assert not (layout.data / "postmaster.pid").exists()


def test_a_start_right_after_a_kill_of_everything_comes_up(start: Callable[..., Installation]) -> None:
    first = start()
    first.await_ready()
    first.process.kill()
    again = start()
    again.await_ready()
    again.process.send_signal(signal.SIGTERM)
    code, errors = again.finish()
    assert code == 0, errors


def test_waits_between_starts_double_up_to_a_limit_and_a_long_life_is_forgiven() -> None:
    back_off = BackOff()
    assert [round(back_off.after(1), 1) for _ in range(8)] == [
        0.2,
        0.4,
        0.8,
        1.6,
        3.2,
        6.4,
        LONGEST_DELAY,
        LONGEST_DELAY,
    ]
    assert back_off.after(31) == 0.2
    assert back_off.after(1) == 0.4
