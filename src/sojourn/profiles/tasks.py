"""The import of a file as a background task, and the rows that it refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg
from pydantic import BaseModel, ConfigDict, field_validator

from sojourn.kernel import Clock, Settings
from sojourn.kernel.files import FileStore
from sojourn.kernel.tasks import Report, Task, TaskCancelled, TaskFunction, TaskInterrupted
from sojourn.profiles.csv_import import FileOptions, Rejection, SubscribeAll, import_csv
from sojourn.profiles.databases import database
from sojourn.profiles.matching import Matching
from sojourn.profiles.records import Mode, Options
from sojourn.profiles.statuses import CAUSE_FILE, STATUS_NUMBERS

__all__ = ["IMPORT", "ImportArguments", "Rejection", "all_rejections", "import_file", "import_task", "list_rejections"]

IMPORT = "profile_import"
"""The kind of this task."""
Connection = psycopg.Connection[Any]


class ImportArguments(BaseModel):
    """What an import is to do: the `arguments` of its task. `file` is a key of the file store; None values are detected."""

    model_config = ConfigDict(extra="forbid")

    database_id: int
    file: str | None = None
    mapping: dict[str, str] | None = None
    mode: Mode = "create_update"
    matching: Matching = "email"
    field_name: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    has_header: bool = True
    date_format: str | None = None
    phone_region: str | None = None
    clear_empty: list[str] = []
    resource_id: int | None = None
    channels: list[int] = [1]
    status: str | None = None
    """Status of the subscriptions, as a word: `unconfirmed` begins a double opt-in. None: subscribed if new, else as it is."""
    skip_triggers: bool = False

    @field_validator("status")
    @classmethod
    def _known_status(cls, word: str | None) -> str | None:
        if word is not None and word not in STATUS_NUMBERS:
            raise ValueError(f"A status is one of {', '.join(STATUS_NUMBERS)}")
        return word

    def file_options(self, task_id: int) -> FileOptions:
        """As the import itself wants them."""
        return FileOptions(
            options=Options(
                mode=self.mode, matching=self.matching, field_name=self.field_name, cause=CAUSE_FILE, cause_id=task_id,
                skip_triggers=self.skip_triggers, source="file",
            ),
            mapping=self.mapping, encoding=self.encoding, delimiter=self.delimiter, has_header=self.has_header, date_format=self.date_format,
            phone_region=self.phone_region, clear_empty=frozenset(self.clear_empty),
            subscribe=self._subscribe(), task_id=task_id,
        )  # fmt: skip

    def _subscribe(self) -> SubscribeAll | None:
        if self.resource_id is None:
            return None
        return SubscribeAll(
            self.resource_id, tuple(self.channels), STATUS_NUMBERS[self.status] if self.status else None
        )


def import_task(settings: Settings) -> TaskFunction:
    """The function of the task kind `IMPORT`. The file goes when the import has ended."""

    def run(connection: Connection, clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        store, key = FileStore.of(settings), str(task.arguments["file"])
        try:
            result = import_file(connection, clock, task, store.path(key), report)
        except TaskInterrupted:
            raise
        except BaseException:
            store.delete(key)
            raise
        store.delete(key)
        return result

    return run


def import_file(connection: Connection, clock: Clock, task: Task, path: Path, report: Report) -> dict[str, Any]:
    """Import the file at `path`; gives the counts of rows. Progress is in rows, their total estimated from the bytes read."""
    arguments = ImportArguments.model_validate(task.arguments)
    connection.execute("DELETE FROM import_rejection WHERE task_id = %s", (task.id,))  # of a run that was broken off
    ended: list[TaskCancelled | TaskInterrupted] = []

    def progress(rows: int, total_bytes: int, done_bytes: int) -> None:
        try:
            report(rows, max(rows, round(rows * total_bytes / done_bytes)) if done_bytes else None)
        except (TaskCancelled, TaskInterrupted) as end:
            ended.append(end)

    outcome = import_csv(
        connection, clock, database(connection, arguments.database_id), path, arguments.file_options(task.id),
        progress=progress, cancelled=lambda: bool(ended),
    )  # fmt: skip
    result = asdict(outcome)
    if outcome.cancelled:
        raise TaskCancelled(result) if isinstance(ended[0], TaskCancelled) else ended[0]
    report(outcome.total, outcome.total)
    return result


def list_rejections(connection: Connection, task_id: int, *, after: int = 0, limit: int = 1_000) -> list[Rejection]:
    """The refused rows of an import in the order of their lines, after the line `after`, 1,000 at most."""
    rows = connection.execute(
        "SELECT line, field, reason, row_text FROM import_rejection WHERE task_id = %s AND line > %s ORDER BY line LIMIT %s",
        (task_id, after, max(1, min(limit, 1_000))),
    )
    return [Rejection(line, field, reason, text or "") for line, field, reason, text in rows]


def all_rejections(connection: Connection, task_id: int) -> Iterator[Rejection]:
    """All refused rows, page by page."""
    after = 0
    while page := list_rejections(connection, task_id, after=after):
        yield from page
        after = page[-1].line
