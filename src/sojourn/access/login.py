"""Log-in by e-mail and password, with a brake on guessing."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import psycopg

from sojourn.access.audit import note
from sojourn.access.passwords import password_fits
from sojourn.access.sessions import OpenedSession, open_session, session_caller
from sojourn.kernel import Clock
from sojourn.kernel.errors import SojournError, Unauthenticated

ATTEMPTS = 5
"""Failures that one address has with one account within the window; then it waits."""
WINDOW = timedelta(minutes=15)


class TooManyAttempts(SojournError):
    """Too many failures; `retry_after` is the wait in seconds."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            "too_many_attempts", f"Too many failed log-ins. Try again in {math.ceil(retry_after / 60)} min.", "password"
        )
        self.retry_after = retry_after


def log_in(connection: psycopg.Connection[Any], clock: Clock, email: str, password: str, address: str) -> OpenedSession:
    """Open a session for who knows the password.

    Raises:
        Unauthenticated: `wrong_login`. TooManyAttempts: `too_many_attempts`.
    """
    account = email.strip().lower()[:254].replace("\x00", "")
    _count_attempt(connection, clock, account, address)
    row = connection.execute(
        "SELECT id, password_hash FROM access_user WHERE account_id = 1 AND lower(email) = %s AND NOT disabled",
        (account,),
    ).fetchone()
    if not password_fits(row[1] if row else None, password) or row is None:
        raise Unauthenticated("wrong_login", "E-mail address or password is wrong.", "password")
    connection.execute("DELETE FROM login_attempt WHERE account = %s AND address = %s", (account, address))
    token = open_session(connection, clock, row[0])
    caller = session_caller(connection, clock, token)
    assert caller
    note(connection, clock, caller, "log_in", address=address)
    return OpenedSession(token, caller)


def _count_attempt(connection: psycopg.Connection[Any], clock: Clock, account: str, address: str) -> None:
    """Note an attempt before the password is looked at, so that attempts at the same time count too; success takes it back."""
    now = clock.now()
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7004))", (f"{account} {address}",))
        rows = connection.execute(
            "SELECT at FROM login_attempt WHERE account = %s AND address = %s AND at > %s ORDER BY at DESC LIMIT %s",
            (account, address, now - WINDOW, ATTEMPTS),
        ).fetchall()
        if len(rows) >= ATTEMPTS:
            raise TooManyAttempts(max(1, math.ceil((rows[-1][0] + WINDOW - now).total_seconds())))
        connection.execute(
            "INSERT INTO login_attempt (account, address, at) VALUES (%s, %s, %s)", (account, address, now)
        )
