"""Remembered answers: who repeats a call because its answer was lost gets the same answer, and nothing is done twice (spec D 4.5)."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import psycopg

from sojourn.kernel import Clock


def repeat_key(request_id: str, token: str) -> bytes:
    """The key of a call: its Request-ID together with the sender's token."""
    return hashlib.blake2b(f"{len(token)} {token}{request_id}".encode(), digest_size=24).digest()


def remembered(connection: psycopg.Connection[Any], clock: Clock, key: bytes, window: timedelta) -> bytes | None:
    """The answer to this call, if it was made within the window. Inside the caller's transaction: whoever makes the same call at the
    same time waits until this transaction has ended.
    """
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (int.from_bytes(key[:8], signed=True),))
    row = connection.execute(
        "SELECT answer FROM request_repeat WHERE key = %s AND at > %s", (key, clock.now() - window)
    ).fetchone()
    return bytes(row[0]) if row else None


def remember(connection: psycopg.Connection[Any], clock: Clock, key: bytes, answer: bytes) -> None:
    """Keep the answer of a call, in the transaction that did what it says."""
    connection.execute(
        """INSERT INTO request_repeat (key, at, status, answer) VALUES (%s, %s, 200, %s)
           ON CONFLICT (key) DO UPDATE SET at = excluded.at, answer = excluded.answer""",
        (key, clock.now(), answer),
    )
