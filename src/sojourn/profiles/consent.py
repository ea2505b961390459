"""What somebody was shown when he subscribed: each text is kept once, subscriptions refer to it as proof."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import psycopg

LONGEST_CONSENT = 10_000


def keep_consent(connection: psycopg.Connection[Any], at: datetime, text: str) -> int | None:
    """The number under which a text is kept; None for an empty one."""
    text = text.replace("\x00", "").strip()[:LONGEST_CONSENT]
    if not text:
        return None
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    row = connection.execute("SELECT id FROM consent_text WHERE digest = %s", (digest,)).fetchone()
    if row is None:
        row = connection.execute(
            "INSERT INTO consent_text (created_at, digest, text) VALUES (%s, %s, %s)"
            " ON CONFLICT (digest) DO UPDATE SET digest = excluded.digest RETURNING id",
            (at, digest, text),
        ).fetchone()
    assert row
    return int(row[0])
