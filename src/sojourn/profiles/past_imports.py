"""Imports that were: whether a file was imported before, and which files of the store nobody waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from sojourn.kernel import Clock, Settings
from sojourn.kernel.files import FileStore

UPLOAD = ".upload"
"""The ending of the keys of files that were uploaded to be imported."""
KEPT = timedelta(days=1)

_EARLIER = """
SELECT id, finished_at, arguments ->> 'by' FROM background_task
 WHERE kind = 'profile_import' AND state = 'completed' AND result -> 'digests' ? %s ORDER BY id DESC LIMIT 1
"""
_AWAITED = """
SELECT a.arguments ->> 'file', f ->> 'key' FROM background_task a LEFT JOIN LATERAL jsonb_array_elements(a.arguments -> 'files') f ON true
 WHERE a.kind LIKE 'profile_import%%' AND a.state IN ('waiting', 'running')
"""


@dataclass(frozen=True, slots=True)
class EarlierImport:
    """An import of the same content."""

    task: int
    at: datetime
    by: str | None


def earlier_import(connection: psycopg.Connection[Any], digest: str) -> EarlierImport | None:
    """The last import of a file of this content, if it was imported."""
    row = connection.execute(_EARLIER, (digest,)).fetchone()
    return EarlierImport(*row) if row else None


def forget_uploads(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> int:
    """Remove the files that were uploaded more than a day ago and that no import waits for; tells how many."""
    awaited = {key for row in connection.execute(_AWAITED) for key in row if key}
    store, gone = FileStore.of(settings), 0
    for key in store.older_than(clock.now() - KEPT, UPLOAD):
        if key not in awaited:
            store.delete(key)
            gone += 1
    return gone
