"""The background form of `workflows/import_and_start_batch`: as many elements are done as a run before has left.

How far it came is kept with the task, in the same transaction as each element, so nobody is started twice when the task is run again.
"""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.access import Caller
from sojourn.kernel import Clock
from sojourn.kernel.tasks import Report, Task, TaskFunction, note_progress, progress_of
from sojourn.kernel.wakeups import ENGINE, Bell
from sojourn.profiles.importing import in_transaction
from sojourn.web.v1.method import V1Call
from sojourn.web.v1.parameters import Parameters
from sojourn.web.v1.workflows import import_and_start_batch

_AT_ONCE = 50
_MOST_ERRORS = 100


def start_many_task() -> TaskFunction:
    """The function of the task kind `workflows.START_MANY`."""

    def run(connection: psycopg.Connection[Any], clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        given = dict(task.arguments["call"])
        elements = given.pop("data")
        caller = Caller("editor", token_id=task.arguments["token"])
        bell = Bell()
        told = progress_of(connection, task.id) or {"done": 0, "started": 0, "failed": 0, "errors": []}
        report(told["done"], len(elements))
        while told["done"] < len(elements):
            part = elements[told["done"] : told["done"] + _AT_ONCE]

            def work(part: list[Any] = part, before: dict[str, Any] = told) -> dict[str, Any]:
                answers = import_and_start_batch(V1Call(clock, connection, caller), Parameters({**given, "data": part}))
                after = _counted(before, answers["result"])
                note_progress(connection, task.id, after)
                return after

            told = in_transaction(connection, work)
            bell.ring(connection, ENGINE)
            report(told["done"], len(elements))
        return {"total": len(elements), **{name: told[name] for name in ("started", "failed", "errors")}}

    return run


def _counted(before: dict[str, Any], answers: list[dict[str, Any]]) -> dict[str, Any]:
    failed = [
        {"element": before["done"] + number, "error_text": answer["error_text"]}
        for number, answer in enumerate(answers)
        if answer["error"]
    ]
    return {
        "done": before["done"] + len(answers),
        "started": before["started"] + len(answers) - len(failed),
        "failed": before["failed"] + len(failed),
        "errors": [*before["errors"], *failed][:_MOST_ERRORS],
    }
