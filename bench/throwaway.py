"""A database of its own for each benchmark: durable as in production, in a temporary folder, gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sojourn.kernel import Settings
from sojourn.kernel.database import DatabaseServer, migrate


@contextmanager
def throwaway_database(memory: int = 1024, extra: dict[str, str] | None = None) -> Iterator[str]:
    """Start an own PostgreSQL with `memory` MB of shared buffers, migrate it, give its address, and remove everything at the end."""
    home = Path(tempfile.mkdtemp(prefix="sojourn-bench-"))
    home.chmod(0o755)
    server = DatabaseServer(Settings(home=home, database_memory=memory), extra={"max_wal_size": "8GB", **(extra or {})})
    server.start()
    try:
        migrate(server.url)
        yield server.url
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(server.layout.data, ignore_errors=True)
