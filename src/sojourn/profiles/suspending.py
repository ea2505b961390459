"""Suspends or resumes the subscriptions of a whole database: the brake for everybody, and its release."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg

from sojourn.kernel import Clock
from sojourn.kernel.statement import quoted
from sojourn.kernel.tasks import Report, Task, TaskFunction
from sojourn.profiles.databases import database
from sojourn.profiles.importing import in_transaction
from sojourn.profiles.resources import channel_number, resource
from sojourn.profiles.statuses import CAUSE_API, CAUSE_MANUAL, SUBSCRIBED, SUSPENDED
from sojourn.profiles.subscriptions import change_statuses

SUSPEND = "suspend_subscriptions"
"""The kind of the task; its arguments: `database`, `resume`, and perhaps `channel` and `resource`."""
_AT_ONCE = 2_000
_PAGE = """
SELECT s.profile_id, s.id FROM subscription s JOIN {table} p ON p.lane = s.lane AND p.id = s.profile_id
 WHERE s.lane = %(lane)s AND s.id > %(after)s AND s.status = %(from)s AND s.suspended_until IS NULL AND s.deleted_at IS NULL
   AND (%(channel)s::smallint IS NULL OR s.channel = %(channel)s) AND (%(resource)s::int IS NULL OR s.resource_id = %(resource)s)
 ORDER BY s.id LIMIT %(limit)s
"""


def suspend_all(
    connection: psycopg.Connection[Any], clock: Clock, database_id: int, *, channel: int | str | None = None, resource_id: int | None = None,
    resume: bool = False, cause: int = CAUSE_API, cause_id: int | None = None, report: Callable[[int], None] | None = None,
) -> int:  # fmt: skip
    """Suspend all that are subscribed in a database, in one channel or resource only if asked; or `resume` all that are suspended
    without an end: who paused for some days comes back by himself.

    Batch by batch: what was done stays if it is broken off, and a repeat goes on. Tells how many changed.

    Raises:
        NotFound: `unknown_database`, `unknown_resource`. SojournError: `unknown_channel`.
    """
    base = database(connection, database_id)
    number = None if channel is None else channel_number(channel)
    if resource_id is not None:
        resource(connection, resource_id)
    before, after = (SUSPENDED, SUBSCRIBED) if resume else (SUBSCRIBED, SUSPENDED)
    statement = _PAGE.format(table=quoted(base.table))
    changed = 0
    for lane in range(64):
        last = 0
        while True:
            values = {
                "lane": lane,
                "after": last,
                "from": before,
                "channel": number,
                "resource": resource_id,
                "limit": _AT_ONCE,
            }
            pairs = connection.execute(statement, values).fetchall()
            if not pairs:
                break
            change = partial(change_statuses, connection, clock, base.id, pairs, after, (before,), cause, cause_id)
            changed += in_transaction(connection, change)
            last = pairs[-1][1]
            if report:
                report(changed)
    return changed


def suspend_task() -> TaskFunction:
    """The function behind the kind `SUSPEND`."""

    def work(connection: psycopg.Connection[Any], clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        given = task.arguments
        changed = suspend_all(
            connection, clock, int(given["database"]), channel=given.get("channel"), resource_id=given.get("resource"), resume=bool(given["resume"]),
            cause=CAUSE_MANUAL, cause_id=given.get("user"), report=lambda done: report(done, None),
        )  # fmt: skip
        return {"updated": changed}

    return work
