"""What is due by the clock: users' schedules and the work list of segments. A thread of each worker offers itself, one at a time does it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import structlog

from sojourn.kernel import Clock, Settings
from sojourn.kernel.database import connect, own_server_url
from sojourn.kernel.wakeups import ENGINE, Bell

SECONDS = 2.0
_PATIENCE = 10.0
_RETRY = timedelta(minutes=1)
_LOCK = 7_310_004
log = structlog.get_logger("schedules")
Duty = Callable[[psycopg.Connection[Any], Clock, Settings], object]


def keep_segments(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> None:
    """Bring updatable segments up to date, for as long as the other duties can wait."""
    from sojourn.segments.incremental import catch_up

    catch_up(connection, clock, seconds=_PATIENCE)


def calculate_segments(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> None:
    """Start calculations that are due."""
    from sojourn.segments.tasks import start_due_calculations

    start_due_calculations(connection, clock)


def tend_static_segments(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> None:
    """Count static segments that were filled, and empty those that were deleted."""
    from sojourn.segments.membership import forget_archived, note_changed_sizes

    note_changed_sizes(connection, clock)
    forget_archived(connection)


def start_imports(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> None:
    """Start scheduled imports that are due."""
    from sojourn.profiles.import_runs import start_due_plans

    start_due_plans(connection, clock)


def fetch_external_tables(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> None:
    """Fetch outside tables that are due; let steps try again whose rules could not be answered."""
    from sojourn.scenarios.failures import retry_refused
    from sojourn.segments.external_tables import start_due_fetches

    start_due_fetches(connection, clock)
    if retry_refused(connection, clock.now() - _RETRY):
        Bell(0).ring(connection, ENGINE)


def start_by_clock(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> None:
    """Start scenarios for whom the clock does."""
    from sojourn.triggers.clock import start_due

    if start_due(connection, clock):
        Bell(0).ring(connection, ENGINE)


DUTIES: list[Duty] = [
    start_by_clock,
    keep_segments,
    calculate_segments,
    tend_static_segments,
    start_imports,
    fetch_external_tables,
]


def keep_schedules(settings: Settings, clock: Clock, stop: threading.Event) -> None:
    """Do the duties every other second until `stop`; a lost database is waited for."""
    url = settings.database_url or own_server_url(settings)
    while not stop.is_set():
        try:
            with connect(url, "schedules") as connection:
                while not stop.is_set():
                    do_duties(connection, clock, settings)
                    stop.wait(SECONDS)
        except psycopg.OperationalError as error:
            log.info("schedules wait for the database", reason=str(error).split("\n")[0])
            stop.wait(SECONDS)


def do_duties(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> bool:
    """All duties once, unless somebody else is at it; one that fails is logged and does not stop the others."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
    if not row or not row[0]:
        return False
    try:
        for duty in DUTIES:
            try:
                duty(connection, clock, settings)
            except psycopg.OperationalError:
                raise
            except Exception:
                log.exception("a duty failed", duty=getattr(duty, "__name__", "?"))
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
    return True
