"""Sessions of people. The cookie carries a random value; only its hash is kept, so that the table opens no door."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from sojourn.access.caller import Caller
from sojourn.kernel import Clock

SESSION_LIFE = timedelta(days=14)
"""A session ends when it was not used for so long."""
_SLIDE = timedelta(minutes=10)
"""Use is noted no more often than this."""
_LONGEST_TOKEN = 100


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session: `token` is the value of the cookie and is never seen again."""

    token: str
    caller: Caller


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def open_session(connection: psycopg.Connection[Any], clock: Clock, user_id: int) -> str:
    """Open a session; tells the value for the cookie."""
    token, now = secrets.token_urlsafe(32), clock.now()
    connection.execute(
        "INSERT INTO access_session (token_hash, user_id, created_at, seen_at, expires_at, csrf) VALUES (%s, %s, %s, %s, %s, %s)",
        (_hash(token), user_id, now, now, now + SESSION_LIFE, secrets.token_urlsafe(24)),
    )
    return token


_FIND = """
SELECT u.role, u.id, u.email, u.name, u.language, s.csrf, s.seen_at FROM access_session s JOIN access_user u ON u.id = s.user_id
 WHERE s.token_hash = %s AND s.expires_at > %s AND NOT u.disabled
"""


def session_caller(connection: psycopg.Connection[Any], clock: Clock, token: str) -> Caller | None:
    """Who holds this session, which lives on by that; None if it has ended."""
    if not 1 <= len(token) <= _LONGEST_TOKEN:
        return None
    now = clock.now()
    row = connection.execute(_FIND, (_hash(token), now)).fetchone()
    if row is None:
        return None
    role, user_id, email, name, language, csrf, seen_at = row
    if now - seen_at > _SLIDE:
        connection.execute(
            "UPDATE access_session SET seen_at = %s, expires_at = %s WHERE token_hash = %s",
            (now, now + SESSION_LIFE, _hash(token)),
        )
    return Caller(role, user_id=user_id, email=email, name=name, language=language, csrf=csrf)


def log_out(connection: psycopg.Connection[Any], token: str) -> None:
    """End a session."""
    connection.execute("DELETE FROM access_session WHERE token_hash = %s", (_hash(token),))
