"""The store of files: uploads and what the product makes for download. Files have keys, never paths of a host."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from sojourn.kernel.errors import NotFound, SojournError, TooLarge
from sojourn.kernel.settings import Settings

_KEY = re.compile(r"[0-9a-f]{32}(\.[a-z0-9]{1,8})?")


class FileStore:
    """Files by key in one folder. Processes on several hosts share it by sharing the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @classmethod
    def of(cls, settings: Settings) -> FileStore:
        """The store of an installation."""
        return cls(settings.data / "files")

    def create(self, limit: int, suffix: str = "") -> FileWriter:
        """Begin a file of at most `limit` bytes; use it in a `with` block. `suffix`: an ending such as `.csv`, part of the key."""
        return FileWriter(self, secrets.token_hex(16) + suffix, limit)

    def save(self, chunks: Iterable[bytes], limit: int, suffix: str = "") -> str:
        """Store a stream; tells its key.

        Raises:
            TooLarge: more than `limit` bytes came; nothing is kept.
        """
        with self.create(limit, suffix) as writer:
            for chunk in chunks:
                writer.write(chunk)
        return writer.key

    def open(self, key: str) -> BinaryIO:
        """The file, for reading.

        Raises:
            NotFound: `unknown_file`.
        """
        try:
            return self.path(key).open("rb")
        except FileNotFoundError:
            raise NotFound("unknown_file", "There is no such file.", key) from None

    def delete(self, key: str) -> None:
        """Remove a file; one that is gone already is no error."""
        self.path(key).unlink(missing_ok=True)

    def older_than(self, before: datetime, suffix: str) -> list[str]:
        """The keys with an ending whose files were written before a moment."""
        found = (path for path in self._folder.glob(f"??/*{suffix}") if _KEY.fullmatch(path.name))
        return [path.name for path in found if _written(path) < before.timestamp()]

    def path(self, key: str) -> Path:
        """Where the file lies on this host, for readers that insist on a path; never store it.

        Raises:
            SojournError: `bad_file_key`.
        """
        if not _KEY.fullmatch(key):
            raise SojournError("bad_file_key", "This is not the key of a file.", "file")
        return self._folder / key[:2] / key


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # somebody else was faster
        return float("inf")


class FileWriter:
    """A file that is being written. It appears under its key when the `with` block ends well, or not at all."""

    def __init__(self, store: FileStore, key: str, limit: int) -> None:
        self.key = key
        self.size = 0
        self._limit = limit
        self._target = store.path(key)
        self._target.parent.mkdir(mode=0o700, exist_ok=True)
        self._draft = self._target.with_name(f".{key}.draft")
        self._file = os.fdopen(os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def write(self, chunk: bytes) -> None:
        """Add bytes.

        Raises:
            TooLarge: the limit is passed.
        """
        self.size += len(chunk)
        if self.size > self._limit:
            raise TooLarge("file_too_large", f"The file is larger than {_megabytes(self._limit)}.", "file")
        self._file.write(chunk)

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._file.close()
            self._draft.unlink(missing_ok=True)
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._draft.rename(self._target)


def _megabytes(size: int) -> str:
    return f"{size // (1 << 20)} MB" if size >= 1 << 20 else f"{size} bytes"
