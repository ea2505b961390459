"""Files of exports may hold a person who is to be forgotten."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.kernel import Settings
from sojourn.kernel.files import FileStore
from sojourn.kernel.holdings import register_files
from sojourn.kernel.tasks import forget_file

_FILES = """
SELECT id, result ->> 'file' FROM background_task
 WHERE kind = 'profile_export' AND result ? 'file' AND (arguments -> 'audience' ->> 'database_id')::int = %s
"""


def forget_exports(connection: psycopg.Connection[Any], settings: Settings, database_id: int) -> int:
    """Remove the files of all exports of a database; they can be made again."""
    store = FileStore.of(settings)
    found = connection.execute(_FILES, (database_id,)).fetchall()
    for task_id, key in found:
        store.delete(key)
        forget_file(connection, task_id)
    return len(found)


def register_holdings() -> None:
    """Offer it to the erasure."""
    register_files(forget_exports)
