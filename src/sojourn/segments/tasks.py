"""The calculation of an updatable segment as a background task."""

from __future__ import annotations

from typing import Any

from sojourn.kernel import Clock
from sojourn.kernel.tasks import Connection, Report, Task, TaskFunction, create_task
from sojourn.kernel.wakeups import ENGINE, Bell
from sojourn.segments.recalculating import due_segments, recalculate
from sojourn.segments.store import get_segment

CALCULATE = "segment_calculation"
"""The kind of this task."""
_RUNNING = "SELECT 1 FROM background_task WHERE kind = %s AND state IN ('waiting', 'running') AND (arguments ->> 'segment')::int = %s"


def calculate_task() -> TaskFunction:
    """The function of the task kind `CALCULATE`; its progress is counted in lanes."""

    def run(connection: Connection, clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        result = recalculate(connection, clock, int(task.arguments["segment"]), report)
        Bell(0).ring(connection, ENGINE)
        return dict(result)

    return run


def start_calculation(connection: Connection, clock: Clock, segment_id: int) -> int:
    """Have a segment calculated; gives the task. Where one waits or runs already, that one."""
    segment = get_segment(connection, segment_id)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(7310013, %s)", (segment_id,))
        known = connection.execute(_RUNNING.replace("SELECT 1", "SELECT id"), (CALCULATE, segment_id)).fetchone()
        return (
            int(known[0]) if known else create_task(connection, clock, CALCULATE, segment.name, {"segment": segment_id})
        )


def start_due_calculations(connection: Connection, clock: Clock) -> int:
    """Start the calculations that are due; tells how many."""
    due = due_segments(connection, clock)
    for segment_id in due:
        start_calculation(connection, clock, segment_id)
    return len(due)
