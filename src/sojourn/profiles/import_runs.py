"""Runs of scheduled imports: started when they are due or by hand, done by a task, remembered with what came of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import psycopg
from psycopg.types.json import Jsonb

from sojourn.connections import FileKind, Opened, RowKind, opened
from sojourn.kernel import Clock, Settings
from sojourn.kernel.errors import Conflict, SojournError
from sojourn.kernel.files import FileStore
from sojourn.kernel.tasks import Report, Task, TaskCancelled, TaskFunction, TaskInterrupted, create_task, open_task
from sojourn.profiles.cursor import Cursor, cursor_of
from sojourn.profiles.import_plans import MOST_FAILURES, Plan, PlanSource, note_read, plan
from sojourn.profiles.opening_files import MOST_FILES, Named, open_files
from sojourn.profiles.reading_rows import RowsReader
from sojourn.profiles.run_import import run_import

RUN = "import_plan"
"""The kind of the task; its arguments: `plan` and `run`."""
Connection = psycopg.Connection[Any]
_MOST_DUE = 50
_MOST_MARKS = 20_000


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `state`: running, completed, failed or cancelled."""

    id: int
    plan_id: int
    started_at: datetime
    finished_at: datetime | None
    task_id: int | None
    state: str
    counts: dict[str, Any] | None
    error: str | None
    cursor_before: Any
    cursor_after: Any


_RUN = "id, plan_id, started_at, finished_at, task_id, state, counts, error, cursor_before, cursor_after"


def list_runs(connection: Connection, plan_id: int, *, before: int | None = None, limit: int = 50) -> list[Run]:
    """Runs of a plan, the latest first, before the number `before`."""
    rows = connection.execute(
        f"SELECT {_RUN} FROM import_run WHERE plan_id = %s AND (%s::bigint IS NULL OR id < %s) ORDER BY id DESC LIMIT %s",
        (plan_id, before, before, max(0, min(limit, 1_000))),
    )
    return [Run(*row) for row in rows]


def latest_runs(connection: Connection, plan_ids: Sequence[int]) -> dict[int, Run]:
    """The latest run of each plan that has one."""
    rows = connection.execute(
        f"SELECT r.* FROM unnest(%s::int[]) p(id), LATERAL (SELECT {_RUN} FROM import_run WHERE plan_id = p.id ORDER BY id DESC LIMIT 1) r",
        (list(plan_ids),),
    )
    return {row[1]: Run(*row) for row in rows}


def start_due_plans(connection: Connection, clock: Clock) -> int:
    """Start the scheduled imports whose time has come; tells how many. What was missed while nothing ran is done once."""
    due = connection.execute(
        "SELECT id FROM import_plan WHERE active AND next_at <= %s ORDER BY next_at LIMIT %s", (clock.now(), _MOST_DUE)
    ).fetchall()
    started = 0
    for (plan_id,) in due:
        with connection.transaction():
            connection.execute("SELECT FROM import_plan WHERE id = %s FOR UPDATE", (plan_id,))
            known = plan(connection, plan_id)
            following = known.schedule.next_after(clock.now(), ZoneInfo(known.time_zone))
            connection.execute(
                "UPDATE import_plan SET next_at = %s, active = active AND %s WHERE id = %s",
                (following, following is not None, plan_id),
            )
            if open_task(connection, RUN, {"plan": plan_id}) is None:
                _start(connection, clock, known)
                started += 1
    return started


def start_plan(connection: Connection, clock: Clock, plan_id: int) -> int:
    """Start a run at once; gives its task.

    Raises:
        NotFound: `unknown_plan`. Conflict: `task_running`.
    """
    with connection.transaction():
        connection.execute("SELECT FROM import_plan WHERE id = %s FOR UPDATE", (plan_id,))
        known = plan(connection, plan_id)
        if open_task(connection, RUN, {"plan": plan_id}):
            raise Conflict("task_running", "This import is running already.", "plan_id")
        return _start(connection, clock, known)


def _start(connection: Connection, clock: Clock, known: Plan) -> int:
    row = connection.execute(
        "INSERT INTO import_run (plan_id, started_at, state, cursor_before) VALUES (%s, %s, 'running', %s) RETURNING id",
        (known.id, clock.now(), Jsonb(known.cursor.as_json()) if known.cursor else None),
    ).fetchone()
    assert row
    task_id = create_task(connection, clock, RUN, known.name, {"plan": known.id, "run": row[0]})
    connection.execute("UPDATE import_run SET task_id = %s WHERE id = %s", (task_id, row[0]))
    return task_id


def plan_task(settings: Settings) -> TaskFunction:
    """The function of the task kind `RUN`."""

    def run(connection: Connection, clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        run_id = int(task.arguments["run"])
        try:
            known = plan(connection, int(task.arguments["plan"]))
            result, cursor, marks = _do(connection, clock, settings, known, task, report)
        except TaskInterrupted:
            raise  # it will be run again
        except TaskCancelled as end:
            _finish(connection, clock, run_id, "cancelled", counts=end.result)
            raise
        except Exception as error:
            reason = error.message if isinstance(error, SojournError) else f"{type(error).__name__}"
            _finish(connection, clock, run_id, "failed", error=reason)
            _stop_if_hopeless(connection, int(task.arguments["plan"]))
            raise
        with connection.transaction():
            note_read(connection, known.id, cursor, marks)
            _finish(connection, clock, run_id, "completed", counts=result, cursor=cursor)
        return result

    return run


def _do(
    connection: Connection, clock: Clock, settings: Settings, known: Plan, task: Task, report: Report
) -> tuple[dict[str, Any], Cursor | None, dict[str, str]]:
    kind, ready = opened(connection, settings, known.connection_id)
    if isinstance(kind, RowKind):
        result, cursor = _rows(connection, clock, kind, ready, known, task, report)
        return result, cursor, known.marks
    result, marks = _files(connection, clock, settings, cast("FileKind", kind), ready, known, task, report)
    return result, known.cursor, marks


def _rows(
    connection: Connection, clock: Clock, kind: RowKind, ready: Opened, known: Plan, task: Task, report: Report
) -> tuple[dict[str, Any], Cursor | None]:
    with kind.rows(
        ready, query_of(kind, ready, known.source, known.cursor_column, known.cursor), _bound(known.cursor)
    ) as found:
        largest = _Largest(found.columns, known.cursor_column, known.cursor)
        reader = RowsReader(found.columns, largest.watch(found.rows))
        result = run_import(connection, clock, known.database_id, reader, known.options, task_id=task.id, report=report)
    return result, largest.cursor


def query_of(kind: RowKind, ready: Opened, source: PlanSource, column: str | None, cursor: Cursor | None) -> str:
    """The query of a source, with `:cursor` where it goes on from one."""
    if source.kind == "query":
        return source.query
    return kind.table_query(ready, source.table, column if cursor else None)


def _bound(cursor: Cursor | None) -> dict[str, Any]:
    return {"cursor": cursor.value} if cursor else {}


class _Largest:
    """Watches the column that an import goes on by."""

    def __init__(self, columns: Sequence[str], column: str | None, cursor: Cursor | None) -> None:
        self.cursor = cursor
        self._at: int | None = None
        if column is not None:
            names = [name.lower() for name in columns]
            if column.lower() not in names:
                raise SojournError("cursor_missing", f"The result has no column “{column}”.", "cursor_column")
            self._at = names.index(column.lower())

    def watch(self, rows: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        if self._at is None:
            yield from rows
            return
        largest: Any = None
        for row in rows:
            value = row[self._at]
            if value is not None:
                try:
                    largest = value if largest is None or value > largest else largest
                except TypeError:
                    raise SojournError(
                        "bad_cursor",
                        "The column that the import goes on by has values that cannot be compared.",
                        "cursor_column",
                    ) from None
            yield row
        if largest is not None:
            self.cursor = cursor_of(largest)


def _files(
    connection: Connection, clock: Clock, settings: Settings, kind: FileKind, ready: Opened, known: Plan, task: Task, report: Report
) -> tuple[dict[str, Any], dict[str, str]]:  # fmt: skip
    store = FileStore.of(settings)
    source = known.source
    fresh = [one for one in kind.files(ready, source.mask) if not one.mark or known.marks.get(one.name) != one.mark][
        :MOST_FILES
    ]
    if not fresh:
        return {"total": 0, "files": []}, known.marks
    with ExitStack() as stack:
        named = []
        for one in fresh:
            with store.create(settings.upload_limit << 20) as writer:
                kind.fetch(ready, one.name, writer.write)
            stack.callback(store.delete, writer.key)
            named.append(Named(store.path(writer.key), one.name))
        reader = open_files(named, source.reading)
        stack.callback(reader.close)
        result = run_import(connection, clock, known.database_id, reader, known.options, task_id=task.id, report=report)
    for one in fresh:
        if source.after == "delete":
            kind.remove(ready, one.name)
        elif source.after == "move":
            kind.move(ready, one.name, source.folder)
    marks = dict(known.marks) | {one.name: one.mark for one in fresh if one.mark}
    while len(marks) > _MOST_MARKS:
        marks.pop(next(iter(marks)))
    return result | {"files": [one.name for one in fresh]}, marks


def _finish(
    connection: Connection, clock: Clock, run_id: int, state: str, *, counts: Any = None, error: str | None = None, cursor: Cursor | None = None
) -> None:  # fmt: skip
    connection.execute(
        "UPDATE import_run SET state = %s, finished_at = %s, counts = %s, error = %s, cursor_after = %s WHERE id = %s",
        (state, clock.now(), Jsonb(counts) if counts else None, error[:1_000] if error else None, Jsonb(cursor.as_json()) if cursor else None, run_id),
    )  # fmt: skip


def _stop_if_hopeless(connection: Connection, plan_id: int) -> None:
    states = [run.state for run in list_runs(connection, plan_id, limit=MOST_FAILURES)]
    if len(states) == MOST_FAILURES and set(states) == {"failed"}:
        connection.execute("UPDATE import_plan SET active = false WHERE id = %s", (plan_id,))
