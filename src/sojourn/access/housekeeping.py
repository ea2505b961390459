"""What access may forget as time goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg

from sojourn.access.login import WINDOW
from sojourn.kernel import Clock, Settings


def forget_old(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> int:
    """Remove sessions that have ended, failed log-ins and answers whose window is over; tells how many rows."""
    now = clock.now()
    return sum(
        connection.execute(statement, (moment,)).rowcount
        for statement, moment in (
            ("DELETE FROM access_session WHERE expires_at <= %s", now),
            ("DELETE FROM login_attempt WHERE at <= %s", now - WINDOW),
            ("DELETE FROM request_repeat WHERE at <= %s", now - timedelta(hours=settings.repeat_window_hours)),
        )
    )
