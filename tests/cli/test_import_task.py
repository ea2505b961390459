"""An import as a background task, in the process that a worker starts for it."""

from __future__ import annotations

import multiprocessing
import threading
import time
from pathlib import Path

import psycopg
import pytest

from sojourn.kernel import Settings, SystemClock, VirtualClock
from sojourn.kernel.files import FileStore
from sojourn.kernel.task_parts import noted_parts
from sojourn.kernel.task_queue import run_tasks
from sojourn.kernel.tasks import Task, create_task, get_task, perform
from sojourn.profiles import create_database
from sojourn.profiles.tasks import IMPORT, ImportArguments, import_task, list_rejections


def _run_queue_until_ended(connection: psycopg.Connection, settings: Settings, task_id: int) -> Task:
    stop = threading.Event()
    thread = threading.Thread(target=run_tasks, args=(settings, SystemClock(), stop))
    thread.start()
    try:
        deadline = time.monotonic() + 60
        while not (task := get_task(connection, task_id)).ended:
            assert time.monotonic() < deadline, task
            time.sleep(0.05)
    finally:
        stop.set()
        thread.join()
    return task


@pytest.fixture
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.database_url
    monkeypatch.setenv("SOJOURN_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("SOJOURN_HOME", str(settings.home))


@pytest.mark.usefixtures("environment")
def test_an_uploaded_file_is_imported_with_its_rejections_and_then_removed(
    connection: psycopg.Connection, settings: Settings, clock: VirtualClock
) -> None:
    base = create_database(connection, clock, "Customers")
    store = FileStore.of(settings)
    key = store.save([b"email\nada@example.org\nnobody\nbob@example.org\n"], limit=1000, suffix=".csv")
    arguments = ImportArguments(database_id=base.id, file=key).model_dump()
    task_id = create_task(connection, clock, IMPORT, "people.csv", arguments)
    connection.execute(
        "INSERT INTO import_rejection VALUES (%s, 1, NULL, 'of a run that was broken off', '')", (task_id,)
    )

    task = _run_queue_until_ended(connection, settings, task_id)

    assert (task.state, task.error, task.done, task.total) == ("completed", None, 3, 3)
    assert task.result is not None
    assert (task.result["created"], task.result["rejected"]) == (2, 1)
    assert [(row.line, row.field) for row in list_rejections(connection, task_id)] == [(3, "email")]
    assert not store.path(key).exists()


@pytest.mark.usefixtures("environment")
def test_a_file_that_cannot_be_imported_fails_the_task_with_a_sentence(
    connection: psycopg.Connection, settings: Settings, clock: VirtualClock
) -> None:
    base = create_database(connection, clock, "Customers")
    key = FileStore.of(settings).save([b"colour\nred\n"], limit=1000, suffix=".csv")
    arguments = ImportArguments(database_id=base.id, file=key).model_dump()
    task = _run_queue_until_ended(connection, settings, create_task(connection, clock, IMPORT, "x.csv", arguments))
    assert task.state == "failed"
    assert task.error and "Unexpected" not in task.error


def _perform(url: str, home: Path, task_id: int) -> None:
    perform(url, SystemClock(), task_id, function=import_task(Settings(home=home)))


def test_an_import_whose_process_is_killed_goes_on_and_applies_and_counts_nothing_twice(
    connection: psycopg.Connection, settings: Settings, clock: VirtualClock, database_url: str
) -> None:
    base = create_database(connection, clock, "Customers")
    people = "".join(f"p{number}@example.org\n" if number % 1_000 else "nobody\n" for number in range(100_000))
    key = FileStore.of(settings).save([b"email\n", people.encode()], limit=10 << 20, suffix=".upload")
    task_id = create_task(
        connection, clock, IMPORT, "people.csv", ImportArguments(database_id=base.id, file=key).model_dump()
    )
    process = multiprocessing.get_context("spawn").Process(target=_perform, args=(database_url, settings.home, task_id))
    process.start()
    deadline = time.monotonic() + 60
    while not noted_parts(connection, task_id) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.join()
    done = len(noted_parts(connection, task_id))
    assert 1 <= done < 6

    task = perform(database_url, SystemClock(), task_id, function=import_task(settings))

    assert task.state == "completed" and task.result is not None
    names = ("total", "created", "unchanged", "rejected")
    assert [task.result[name] for name in names] == [100_000, 99_900, 0, 100]
    assert connection.execute("SELECT count(*) FROM change").fetchone() == (99_900,)
    assert connection.execute("SELECT count(*) FROM import_rejection").fetchone() == (100,)
