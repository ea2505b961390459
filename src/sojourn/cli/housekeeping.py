"""What time makes necessary: partitions ahead, suspended subscriptions back, ended sessions and rows of dead parts away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import structlog

from sojourn.access import forget_old
from sojourn.kernel import Clock, Settings
from sojourn.kernel.database import connect, ensure_partitions, own_server_url
from sojourn.kernel.heartbeat import forget_dead_parts
from sojourn.kernel.retention import clear
from sojourn.profiles import resume_suspended
from sojourn.profiles.past_imports import forget_uploads

SECONDS = 300.0
_LOCK = 7_310_003
_PAGES = 100
log = structlog.get_logger("housekeeping")
Chore = Callable[[psycopg.Connection[Any], Clock, Settings], object]


def make_partitions(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> None:
    ensure_partitions(connection, clock.now())


def resume_subscriptions(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> None:
    for _ in range(_PAGES):
        if not resume_suspended(connection, clock):
            return


def forget_parts(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> None:
    forget_dead_parts(connection, clock)


def keep_periods(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> None:
    clear(connection, clock)


CHORES: tuple[Chore, ...] = (
    make_partitions,
    resume_subscriptions,
    forget_old,
    forget_parts,
    forget_uploads,
    keep_periods,
)


def keep_house(settings: Settings, clock: Clock, stop: threading.Event) -> None:
    """Do the chores every few minutes until `stop`. Each worker offers itself, one at a time does them."""
    url = settings.database_url or own_server_url(settings)
    while not stop.is_set():
        try:
            do_chores(url, clock, settings)
        except psycopg.OperationalError as error:
            log.info("housekeeping waits for the database", reason=str(error).split("\n")[0])
        stop.wait(SECONDS)


def do_chores(url: str, clock: Clock, settings: Settings) -> bool:
    """All chores once, unless somebody else is at it; one that fails is logged and does not stop the others."""
    with connect(url, "housekeeping") as connection:
        taken = connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        if not taken or not taken[0]:
            return False
        for chore in CHORES:
            try:
                chore(connection, clock, settings)
            except psycopg.OperationalError:
                raise
            except Exception:
                log.exception("a chore failed", chore=getattr(chore, "__name__", "?"))
        return True
