"""Background tasks: long work with progress, such as imports. A row of `background_task` tells people how it stands.

Whoever needs a task creates it; the workers take it from the queue (sojourn.kernel.task_queue) and run it in a process of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol

import psycopg
import structlog
from psycopg.types.json import Jsonb

from sojourn.kernel.clock import Clock
from sojourn.kernel.database.connect import connect
from sojourn.kernel.errors import NotFound, SojournError

Connection = psycopg.Connection[Any]
log = structlog.get_logger("tasks")

_COLUMNS = "id, kind, title, state, arguments, created_at, started_at, finished_at, done, total, cancel_requested, error, result"
_REPORT_SECONDS = 0.5
PAGE = 200
"""Largest page of `list_tasks`."""


@dataclass(frozen=True, slots=True)
class Task:
    """One background task. `state`: waiting, running, completed, failed or cancelled; `total` is None while unknown."""

    id: int
    kind: str
    title: str
    state: str
    arguments: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    done: int
    total: int | None
    cancel_requested: bool
    error: str | None
    result: dict[str, Any] | None

    @property
    def ended(self) -> bool:
        return self.state in ("completed", "failed", "cancelled")

    def as_dict(self) -> dict[str, Any]:
        """The shape that `--json` prints."""
        return asdict(self)


class TaskCancelled(Exception):
    """Somebody asked for the end of this task; raised by `report`, let it pass, or raise another with what was done so far."""

    def __init__(self, result: dict[str, Any] | None = None) -> None:
        super().__init__("cancelled")
        self.result = result


class TaskInterrupted(Exception):
    """The process has to end, the task is to be run again; raised by `report`, let it pass."""


class Report(Protocol):
    """Tells how far a task is: `report(done, total)`, as often as one likes; also the place where a task is stopped."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Raises: TaskCancelled, TaskInterrupted."""
        ...


TaskFunction = Callable[[Connection, Clock, Task, Report], dict[str, Any] | None]
_kinds: dict[str, TaskFunction] = {}


def register(kind: str, function: TaskFunction) -> None:
    """Offer a kind of task.

    `function(connection, clock, task, report)` does the work and gives what stands in `result`. It must bear being run again from
    the start, since a task whose process died is repeated once.
    """
    _kinds[kind] = function


def create_task(
    connection: Connection, clock: Clock, kind: str, title: str, arguments: dict[str, Any], *, queued: bool = True
) -> int:
    """Write a task and queue it, in one transaction; tells its id. `queued=False`: the caller runs it with `perform`."""
    with connection.transaction():
        row = connection.execute(
            "INSERT INTO background_task (created_at, kind, title, arguments) VALUES (%s, %s, %s, %s) RETURNING id",
            (clock.now(), kind, title, Jsonb(arguments)),
        ).fetchone()
        assert row
        task_id = int(row[0])
        if queued:
            from sojourn.kernel.task_queue import enqueue

            enqueue(connection, task_id)
    return task_id


def get_task(connection: Connection, task_id: int) -> Task:
    """How a task stands.

    Raises:
        NotFound: `unknown_task`.
    """
    row = connection.execute(f"SELECT {_COLUMNS} FROM background_task WHERE id = %s", (task_id,)).fetchone()
    if row is None:
        raise NotFound("unknown_task", "There is no such task.", str(task_id))
    return Task(*row)


def open_task(connection: Connection, kind: str, arguments: dict[str, Any]) -> Task | None:
    """The task of that kind, with at least those arguments, that waits or runs."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM background_task WHERE kind = %s AND state IN ('waiting', 'running') AND arguments @> %s ORDER BY id LIMIT 1",
        (kind, Jsonb(arguments)),
    ).fetchone()
    return Task(*row) if row else None


def list_tasks(
    connection: Connection, *, limit: int = 50, before: int | None = None, kind: str | None = None
) -> list[Task]:
    """The newest tasks, or those older than the task `before`; at most `PAGE`."""
    rows = connection.execute(
        f"""SELECT {_COLUMNS} FROM background_task WHERE (%(before)s::bigint IS NULL OR id < %(before)s)
              AND (%(kind)s::text IS NULL OR kind = %(kind)s) ORDER BY id DESC LIMIT %(limit)s""",
        {"before": before, "kind": kind, "limit": max(1, min(limit, PAGE))},
    )
    return [Task(*row) for row in rows]


def note_progress(connection: Connection, task_id: int, progress: dict[str, Any]) -> None:
    """Keep with a running task what it needs to go on after a crash, in the transaction of the work itself."""
    connection.execute(
        "UPDATE background_task SET result = jsonb_build_object('progress', %s::jsonb) WHERE id = %s",
        (Jsonb(progress), task_id),
    )


def progress_of(connection: Connection, task_id: int) -> dict[str, Any] | None:
    """What `note_progress` kept last, if anything."""
    row = connection.execute("SELECT result -> 'progress' FROM background_task WHERE id = %s", (task_id,)).fetchone()
    return row[0] if row else None


def files_before(connection: Connection, kinds: Sequence[str], before: datetime) -> list[tuple[int, str]]:
    """Tasks that ended before a moment and still have a file in the store: (task, key of the file)."""
    return connection.execute(
        "SELECT id, result ->> 'file' FROM background_task WHERE kind = ANY(%s) AND finished_at < %s AND result ? 'file' ORDER BY id",
        (list(kinds), before),
    ).fetchall()


def forget_file(connection: Connection, task_id: int) -> None:
    """A task's file is gone; what else it told stays."""
    connection.execute("UPDATE background_task SET result = result - 'file' WHERE id = %s", (task_id,))


def request_cancel(connection: Connection, clock: Clock, task_id: int) -> Task:
    """Ask for the end of a task: one that waits is cancelled at once, one that runs at its next report. Ended tasks stay as they are."""
    connection.execute(
        """UPDATE background_task SET cancel_requested = true, state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE state END,
             finished_at = CASE state WHEN 'waiting' THEN %s ELSE finished_at END
           WHERE id = %s AND state IN ('waiting', 'running')""",
        (clock.now(), task_id),
    )
    return get_task(connection, task_id)


def finish(
    connection: Connection,
    clock: Clock,
    task_id: int,
    state: str,
    *,
    error: str | None = None,
    result: dict[str, Any] | None = None,
) -> None:
    """Note how a task ended; a task that has ended already stays as it is."""
    connection.execute(
        """UPDATE background_task SET state = %s, finished_at = %s, error = %s, result = %s
           WHERE id = %s AND state IN ('waiting', 'running')""",
        (state, clock.now(), error, Jsonb(result) if result is not None else None, task_id),
    )


def put_back(connection: Connection, task_id: int) -> None:
    """A running task waits again, to be run from the start."""
    connection.execute("UPDATE background_task SET state = 'waiting' WHERE id = %s AND state = 'running'", (task_id,))


def perform(
    url: str,
    clock: Clock,
    task_id: int,
    *,
    stop: threading.Event | None = None,
    watch: Callable[[int, int | None], None] | None = None,
    function: TaskFunction | None = None,
) -> Task:
    """Run a task in this process and note its outcome, which is also given back.

    `stop`, once set, interrupts the task at its next report: it waits again. `watch` sees the progress. `function` takes
    the place of the one registered for the task's kind.
    An error of the work is noted, not raised; a lost database is raised, the task is then run again by the queue.
    """
    with connect(url, "task") as connection:
        task = _start(connection, clock, task_id)
        if task.ended:
            return task
        try:
            with _Progress(url, task_id, stop, watch) as progress:
                function = function or _kinds.get(task.kind)
                if function is None:
                    raise SojournError(
                        "unknown_task_kind", f"This release does not know tasks of the kind {task.kind}.", "kind"
                    )
                result = function(connection, clock, task, progress)
                progress.write()
            finish(connection, clock, task_id, "completed", result=result)
        except TaskCancelled as end:
            finish(connection, clock, task_id, "cancelled", result=end.result)
        except TaskInterrupted:
            put_back(connection, task_id)
        except SojournError as error:
            finish(connection, clock, task_id, "failed", error=str(error))
        except Exception as error:
            if connection.closed:
                raise
            log.exception("task failed", task=task_id, kind=task.kind)
            finish(connection, clock, task_id, "failed", error=f"Unexpected error: {type(error).__name__}: {error}")
        return get_task(connection, task_id)


def _start(connection: Connection, clock: Clock, task_id: int) -> Task:
    connection.execute(
        """UPDATE background_task SET state = 'running', started_at = coalesce(started_at, %s), done = 0
           WHERE id = %s AND state IN ('waiting', 'running')""",
        (clock.now(), task_id),
    )
    return get_task(connection, task_id)


class _Progress:
    """Writes progress over a connection of its own, so that it shows while the work is inside a transaction."""

    def __init__(
        self, url: str, task_id: int, stop: threading.Event | None, watch: Callable[[int, int | None], None] | None
    ) -> None:
        self._url, self._task_id, self._stop, self._watch = url, task_id, stop, watch
        self._written = 0.0
        self._done = 0
        self._total: int | None = None

    def __enter__(self) -> _Progress:
        self._connection = connect(self._url, "task progress")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def __call__(self, done: int, total: int | None = None) -> None:
        self._done, self._total = done, total
        if self._watch:
            self._watch(done, total)
        if self._stop and self._stop.is_set():
            raise TaskInterrupted
        if time.monotonic() - self._written >= _REPORT_SECONDS and self.write():
            raise TaskCancelled

    def write(self) -> bool:
        """Write how far the task is; tells whether it is to be cancelled."""
        self._written = time.monotonic()
        row = self._connection.execute(
            "UPDATE background_task SET done = %s, total = coalesce(%s, total) WHERE id = %s RETURNING cancel_requested",
            (self._done, self._total, self._task_id),
        ).fetchone()
        return bool(row and row[0])
