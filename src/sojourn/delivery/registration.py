"""A worker's place in the database: a row that names its journal, and a lock that tells whether the worker is alive."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

import psycopg

from sojourn.delivery.journal import JournalFile
from sojourn.kernel import Clock

LOCK_SPACE = 7003
"""First number of the advisory locks of workers; the second is the worker's id."""
_PATIENCE = 5.0
_END_OLD = """
SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
 WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s AND l.granted AND l.pid = %s
"""


class Registration:
    """One worker's row, lock and journal."""

    def __init__(self, connection: psycopg.Connection[Any], clock: Clock, folder: Path) -> None:
        self.journal = JournalFile(folder, clock)
        self._backend = connection.info.backend_pid
        with connection.transaction():
            row = connection.execute(
                "INSERT INTO hand_over_worker (started_at, host, pid, journal) VALUES (%s, %s, %s, %s) RETURNING id",
                (clock.now(), socket.gethostname(), os.getpid(), self.journal.path.name),
            ).fetchone()
            assert row
            self.worker_id = int(row[0])
            # A lock of the session, taken before anybody can see the row.
            connection.execute("SELECT pg_advisory_lock(%s, %s)", (LOCK_SPACE, self.worker_id))

    def resume(self, connection: psycopg.Connection[Any]) -> bool:
        """Take the lock on a new connection; False if others have declared this worker dead meanwhile.

        Raises:
            OperationalError: the lock cannot be had now; to be tried again.
        """
        deadline = time.monotonic() + _PATIENCE
        while not _one(connection, "SELECT pg_try_advisory_lock(%s, %s)", LOCK_SPACE, self.worker_id):
            if time.monotonic() > deadline:
                raise psycopg.OperationalError("the lock of this worker is taken")
            # The server may not have noticed yet that our old connection is dead.
            connection.execute(_END_OLD, (LOCK_SPACE, self.worker_id, self._backend))
            time.sleep(0.05)
        self._backend = connection.info.backend_pid
        return bool(_one(connection, "SELECT count(*) FROM hand_over_worker WHERE id = %s", self.worker_id))

    def end(self, connection: psycopg.Connection[Any]) -> None:
        """Remove the row, the lock, and the journal. The worker has nothing in hand."""
        connection.execute("DELETE FROM hand_over_worker WHERE id = %s", (self.worker_id,))
        connection.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCK_SPACE, self.worker_id))
        self.journal.close()


def _one(connection: psycopg.Connection[Any], statement: str, *values: Any) -> Any:
    row = connection.execute(statement, values).fetchone()
    return row[0] if row else None
