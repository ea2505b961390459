"""Calculations of updatable segments, and fillings of static ones, as background tasks."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from sojourn.kernel import Clock
from sojourn.kernel.tasks import Connection, Report, Task, TaskFunction, create_task, get_task
from sojourn.kernel.wakeups import ENGINE, Bell
from sojourn.profiles.statuses import CAUSE_MANUAL
from sojourn.segments.evaluation import Question
from sojourn.segments.filling import fill, question_of_segment
from sojourn.segments.recalculating import due_segments, recalculate
from sojourn.segments.store import get_segment, next_calculation

CALCULATE, FILL = "segment_calculation", "segment_filling"
"""The kinds of these tasks."""
_RUNNING = """
SELECT id, state FROM background_task WHERE kind = %s AND state IN ('waiting', 'running') AND (arguments ->> 'segment')::int = %s ORDER BY id LIMIT 1
"""


def calculate_task() -> TaskFunction:
    """The function of the task kind `CALCULATE`; its progress is counted in lanes."""

    def run(connection: Connection, clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        result = recalculate(connection, clock, int(task.arguments["segment"]), report)
        Bell(0).ring(connection, ENGINE)
        return dict(result)

    return run


def start_calculation(connection: Connection, clock: Clock, segment_id: int) -> int:
    """Have a segment calculated; gives the task. Where one waits or runs already, that one; one that runs is followed by another if need be."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(7310013, %s)", (segment_id,))
        segment = get_segment(connection, segment_id)
        known = connection.execute(_RUNNING, (CALCULATE, segment_id)).fetchone()
        if known and known[1] == "running":
            return int(known[0])
        # Due again at the next time, so that one who cancels it has peace until then.
        following = next_calculation(connection, segment, clock.now())
        connection.execute("UPDATE segment SET next_at = %s WHERE id = %s", (following, segment_id))
        return (
            int(known[0]) if known else create_task(connection, clock, CALCULATE, segment.name, {"segment": segment_id})
        )


def start_due_calculations(connection: Connection, clock: Clock) -> int:
    """Start the calculations that are due; tells how many."""
    due = due_segments(connection, clock)
    for segment_id in due:
        start_calculation(connection, clock, segment_id)
    return len(due)


def running_calculation(connection: Connection, segment_id: int) -> Task | None:
    """The calculation that waits or runs, if one does."""
    known = connection.execute(_RUNNING, (CALCULATE, segment_id)).fetchone()
    return get_task(connection, known[0]) if known else None


class FillArguments(BaseModel):
    """The `arguments` of a filling: who fits the rules, or belongs to the segment `source`, enters or leaves."""

    segment: int
    action: Literal["add", "remove"]
    source: int | None = None
    rules: dict[str, Any] | None = None
    sample: dict[str, Any] | None = None
    most: int | None = None
    user_id: int | None = None


def fill_task() -> TaskFunction:
    """The function of the task kind `FILL`; run again it changes nothing twice."""

    def run(connection: Connection, clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        given = FillArguments.model_validate(task.arguments)
        question = Question(given.rules, given.sample, given.most)
        if given.source is not None:
            question = question_of_segment(connection, given.source, get_segment(connection, given.segment).database_id)
        changed = fill(
            connection, clock, given.segment, given.action, question, cause=CAUSE_MANUAL, cause_id=given.user_id, report=report
        )  # fmt: skip
        Bell(0).ring(connection, ENGINE)
        return {"changed": changed}

    return run


def start_filling(connection: Connection, clock: Clock, given: FillArguments) -> int:
    """Have a static segment filled or emptied; gives the task. Rules have ids in place of names."""
    title = get_segment(connection, given.segment).name
    return create_task(connection, clock, FILL, title, given.model_dump(exclude_none=True))
