"""Background tasks: run, cancelled, failed, and run in a process of their own out of the queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from sojourn.kernel import Settings, SystemClock, VirtualClock, task_queue, tasks
from sojourn.kernel.errors import NotFound, SojournError
from sojourn.kernel.tasks import create_task, get_task, list_tasks, perform, register, request_cancel

# What the process of a task runs in these tests, in place of `python -m sojourn task`.
_TASK_PROGRAM = """
import sys, threading, time, os, signal
from pathlib import Path
from sojourn.kernel.child_process import follow_parent
follow_parent()
from sojourn.kernel import SystemClock
from sojourn.kernel.tasks import perform, register

def count(connection, clock, task, report):
    for step in range(task.arguments["steps"]):
        report(step, task.arguments["steps"])
        time.sleep(0.01)
    return {"counted": task.arguments["steps"]}

def die(connection, clock, task, report):
    deaths = Path(task.arguments["deaths"])
    deaths.write_text(deaths.read_text() + "x")
    if len(deaths.read_text()) <= task.arguments["times"]:
        os.kill(os.getpid(), signal.SIGKILL)

def deaf(connection, clock, task, report):
    time.sleep(60)

register("count", count); register("die", die); register("deaf", deaf)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
sys.exit(0 if perform(sys.argv[1], SystemClock(), int(sys.argv[2]), stop=stop).ended else 75)
"""


@pytest.fixture(autouse=True)
def own_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_kinds", {})


@contextmanager
def running_queue(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """A worker's queue in a thread; gives the function that stops it."""
    import sys

    url = settings.database_url
    assert url
    monkeypatch.setattr(
        task_queue, "product_command", lambda _, number: [sys.executable, "-c", _TASK_PROGRAM, url, number]
    )
    stop = threading.Event()
    thread = threading.Thread(target=task_queue.run_tasks, args=(settings, SystemClock(), stop))
    thread.start()

    def end() -> None:
        stop.set()
        thread.join(30)
        assert not thread.is_alive(), "the queue does not stop"

    try:
        yield end
    finally:
        end()


def wait_for(connection: psycopg.Connection, task_id: int, *states: str, seconds: float = 30) -> tasks.Task:
    deadline = time.monotonic() + seconds
    while (task := get_task(connection, task_id)).state not in states:
        assert time.monotonic() < deadline, f"still {task.state}"
        time.sleep(0.05)
    return task


def test_a_task_that_is_performed_notes_progress_and_result(
    connection: psycopg.Connection, database_url: str, clock: VirtualClock
) -> None:
    def work(own, time, task, report):  # type: ignore[no-untyped-def]
        report(1, 4)
        assert get_task(connection, task.id).state == "running"
        report(4, 4)
        return {"rows": task.arguments["rows"]}

    register("copy", work)
    task_id = create_task(connection, clock, "copy", "Copy", {"rows": 4}, queued=False)
    seen: list[tuple[int, int | None]] = []
    task = perform(database_url, clock, task_id, watch=lambda done, total: seen.append((done, total)))
    assert (task.state, task.done, task.total, task.result) == ("completed", 4, 4, {"rows": 4})
    assert seen == [(1, 4), (4, 4)]


def test_an_error_for_people_stands_in_the_task_and_a_surprise_is_named(
    connection: psycopg.Connection, database_url: str, clock: VirtualClock
) -> None:
    def refuse(*_: object) -> None:
        raise SojournError("bad_header", "The header is empty.", "line 1")

    def break_down(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    for function, text in (
        (refuse, "line 1: The header is empty."),
        (break_down, "Unexpected error: ZeroDivisionError: by zero"),
    ):
        register("x", function)
        task = perform(database_url, clock, create_task(connection, clock, "x", "X", {}, queued=False))
        assert (task.state, task.error) == ("failed", text)


def test_a_task_is_cancelled_while_it_waits_and_while_it_runs(
    connection: psycopg.Connection, database_url: str, clock: VirtualClock
) -> None:
    waiting = create_task(connection, clock, "x", "X", {})
    assert request_cancel(connection, clock, waiting).state == "cancelled"

    def endless(own, time_, task, report):  # type: ignore[no-untyped-def]
        request_cancel(connection, clock, task.id)
        for step in range(1000):
            report(step)
            time.sleep(0.01)

    register("x", endless)
    task = perform(database_url, clock, create_task(connection, clock, "x", "X", {}, queued=False))
    assert task.state == "cancelled"
    assert request_cancel(connection, clock, task.id).state == "cancelled"


def test_tasks_are_listed_newest_first_in_pages(connection: psycopg.Connection, clock: VirtualClock) -> None:
    ids = [create_task(connection, clock, "x", f"T{number}", {}, queued=False) for number in range(5)]
    assert [task.id for task in list_tasks(connection, limit=2)] == ids[:2:-1]
    assert [task.id for task in list_tasks(connection, limit=2, before=ids[3])] == [ids[2], ids[1]]
    assert list_tasks(connection, kind="y") == []
    with pytest.raises(NotFound):
        get_task(connection, 10_000)


def test_a_task_is_queued_in_the_same_transaction_as_it_is_written(
    connection: psycopg.Connection, clock: VirtualClock
) -> None:
    with pytest.raises(RuntimeError), connection.transaction():
        create_task(connection, clock, "x", "X", {})
        raise RuntimeError
    assert connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)


def test_the_queue_runs_a_task_in_a_process_of_its_own(
    connection: psycopg.Connection, settings: Settings, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = create_task(connection, clock, "count", "Count", {"steps": 3})
    with running_queue(settings, monkeypatch):
        task = wait_for(connection, task_id, "completed")
        later = create_task(connection, clock, "count", "Count", {"steps": 2})
        assert wait_for(connection, later, "completed").result == {"counted": 2}
    assert task.result == {"counted": 3}


def test_cancelling_ends_a_running_process_even_one_that_never_reports(
    connection: psycopg.Connection, settings: Settings, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_queue, "CANCEL_PATIENCE", 1.0)
    monkeypatch.setattr(task_queue, "_KILL_AFTER", 1.0)
    with running_queue(settings, monkeypatch):
        counting = create_task(connection, clock, "count", "Count", {"steps": 100_000})
        deaf = create_task(connection, clock, "deaf", "Deaf", {})
        for task_id in (counting, deaf):
            wait_for(connection, task_id, "running")
            request_cancel(connection, clock, task_id)
        for task_id in (counting, deaf):
            assert wait_for(connection, task_id, "cancelled").error is None


@pytest.mark.parametrize(("times", "state"), [(1, "completed"), (9, "failed")])
def test_a_task_whose_process_died_is_run_once_more_and_then_fails_with_the_reason(
    connection: psycopg.Connection, settings: Settings, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, times: int, state: str
) -> None:  # fmt: skip
    deaths = tmp_path / "deaths"
    deaths.write_text("")
    with running_queue(settings, monkeypatch):
        task = wait_for(
            connection, create_task(connection, clock, "die", "Die", {"deaths": str(deaths), "times": times}), state
        )
    assert len(deaths.read_text()) == 2
    if state == "failed":
        assert task.error and "SIGKILL" in task.error


def test_a_task_that_runs_when_the_worker_stops_is_run_again_by_the_next(
    connection: psycopg.Connection, settings: Settings, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_queue(settings, monkeypatch) as end:
        task_id = create_task(connection, clock, "count", "Count", {"steps": 300})
        wait_for(connection, task_id, "running")
        end()
    assert get_task(connection, task_id).state == "waiting"
    with running_queue(settings, monkeypatch):
        wait_for(connection, task_id, "completed")


def test_an_interrupted_task_waits_again(
    connection: psycopg.Connection, database_url: str, clock: VirtualClock
) -> None:
    stop = threading.Event()

    def work(own, time_, task, report):  # type: ignore[no-untyped-def]
        stop.set()
        report(1)

    register("x", work)
    task = perform(database_url, clock, create_task(connection, clock, "x", "X", {}, queued=False), stop=stop)
    assert task.state == "waiting" and not task.ended
