"""An import as a background task, in the process that a worker starts for it."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from sojourn.kernel import Settings, SystemClock, VirtualClock
from sojourn.kernel.files import FileStore
from sojourn.kernel.task_queue import run_tasks
from sojourn.kernel.tasks import Task, create_task, get_task
from sojourn.profiles import create_database
from sojourn.profiles.tasks import IMPORT, ImportArguments, list_rejections


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
