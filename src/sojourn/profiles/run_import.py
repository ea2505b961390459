"""An import under a task: with its progress, its end on demand and its report. Everybody who imports rows by a task comes through here."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import psycopg

from sojourn.kernel import Clock
from sojourn.kernel.tasks import Report, TaskCancelled, TaskInterrupted
from sojourn.profiles.databases import database
from sojourn.profiles.import_arguments import ImportOptions
from sojourn.profiles.reading_rows import Reader
from sojourn.profiles.rejections import reasons
from sojourn.profiles.row_import import import_rows


def run_import(
    connection: psycopg.Connection[Any], clock: Clock, database_id: int, reader: Reader, wishes: ImportOptions, *, task_id: int | None,
    report: Report | None = None, resume: bool = False, test_run: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """Import all rows of `reader` into a database as `wishes` say, and give the counts: what becomes the `result` of the task.

    `reader` is any `reading_rows.Reader`: a file, or `RowsReader(header, rows)` over the rows of a query; the caller closes it. Chunks of 4,000
    rows are transactions of their own. `task_id`: the running task under which refused rows are kept and whose id is the cause in histories.
    `report(done, total)` of the task is called after each chunk. `resume`: a second run of the task passes over what the first one applied; only
    for readers that give the same chunks each time, so not for queries. `test_run`: everything is checked, nothing is written.

    The result has `total`, `created`, `updated`, `unchanged`, `skipped`, `rejected` (these five add up to the total), `repeated`, `several`,
    `left_out`, `cancelled`, `header` (columns of the source), `reasons` (what was refused: field, column, reason, count; the most frequent 50).

    Raises:
        TaskCancelled: with the result so far. TaskInterrupted: what was applied stays.
        SojournError: the options cannot work with this source (see `import_rows`), or it could not be read further.
    """
    ended: list[TaskCancelled | TaskInterrupted] = []

    def progress(rows: int, total_bytes: int, done_bytes: int) -> None:
        if report:
            try:
                report(rows, max(rows, round(rows * total_bytes / done_bytes)) if done_bytes and total_bytes else None)
            except (TaskCancelled, TaskInterrupted) as end:
                ended.append(end)

    options = replace(wishes.options(task_id), resume=resume, test_run=test_run)
    outcome = import_rows(
        connection, clock, database(connection, database_id), reader, options,
        progress=progress, cancelled=lambda: bool(ended),
    )  # fmt: skip
    result = asdict(outcome) | {"header": reader.header, "test_run": test_run}
    result["reasons"] = reasons(connection, task_id) if task_id is not None and outcome.rejected else []
    if outcome.cancelled:
        raise TaskCancelled(result) if isinstance(ended[0], TaskCancelled) else ended[0]
    if report:
        report(outcome.total, outcome.total)
    return result
