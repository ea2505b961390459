"""The import of files as a background task."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Any

import psycopg

from sojourn.kernel import Clock, Settings
from sojourn.kernel.files import FileStore
from sojourn.kernel.tasks import Report, Task, TaskFunction, TaskInterrupted
from sojourn.profiles.import_arguments import ImportArguments
from sojourn.profiles.opening_files import Named, open_files
from sojourn.profiles.reading_rows import Rejection
from sojourn.profiles.rejections import list_rejections
from sojourn.profiles.run_import import run_import

__all__ = [
    "IMPORT",
    "TEST_RUN",
    "ImportArguments",
    "Rejection",
    "import_file",
    "import_task",
    "list_rejections",
]

IMPORT, TEST_RUN = "profile_import", "profile_import_test"
"""Kinds of this task. A test run writes nothing."""
Connection = psycopg.Connection[Any]


def import_task(settings: Settings) -> TaskFunction:
    """The function of the task kinds `IMPORT` and `TEST_RUN`. The files go when the import has ended; those of a test run stay, to be imported then."""

    def run(connection: Connection, clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        arguments = ImportArguments.model_validate(task.arguments)
        store = FileStore.of(settings)
        files = [Named(store.path(file.key), file.name) for file in arguments.all_files()]
        needed = arguments.test_run
        try:
            return _import(connection, clock, task, arguments, files, report)
        except TaskInterrupted:
            needed = True  # it will be run again
            raise
        finally:
            if not needed:
                for file in arguments.all_files():
                    store.delete(file.key)

    return run


def import_file(connection: Connection, clock: Clock, task: Task, path: Path, report: Report) -> dict[str, Any]:
    """Import the file at `path` by the arguments of a task; gives the counts of rows. Progress is in rows, their total estimated."""
    return _import(
        connection,
        clock,
        task,
        ImportArguments.model_validate(task.arguments),
        [Named(path, path.name)],
        report,
    )


def _import(
    connection: Connection, clock: Clock, task: Task, arguments: ImportArguments, files: Sequence[Named], report: Report
) -> dict[str, Any]:
    reader = open_files(files, arguments)
    try:
        result = run_import(
            connection, clock, arguments.database_id, reader, arguments, task_id=task.id, report=report, resume=True,
            test_run=arguments.test_run,
        )  # fmt: skip
    finally:
        reader.close()
    return result | {"digests": [digest_of(file.path) for file in files if file.path.exists()]}


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, by which it is known again."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
