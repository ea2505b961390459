"""One data folder, one running instance."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from sojourn.kernel.errors import Conflict


class InstanceLock:
    """A lock on the data folder that the operating system gives back when the process dies in any way."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the lock; taking it twice in one process is harmless.

        Raises:
            Conflict: another process holds it.
        """
        if self._file:
            return
        file = (self._home / "instance.lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            by = f" (process {holder})" if holder else ""
            raise Conflict(
                "already_running", f"Another Sojourn already runs on the data folder {self._home}{by}.", "SOJOURN_HOME"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give the folder free."""
        if self._file:
            self._file.close()
            self._file = None
