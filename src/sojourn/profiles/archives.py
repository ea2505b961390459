"""Archives (ZIP, tar, also compressed, and single compressed files) unpacked into a folder that goes away: no more files and bytes than stated, and no names used as paths."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, cast

from sojourn.kernel.errors import SojournError, TooLarge

MOST_FILES = 100
LARGEST = 4 << 30
"""Bytes of all files of an archive after unpacking."""
MOST_PACKED = 250
"""How many times smaller than its content an archive may be, beyond 64 MB of content."""
_SMALL = 64 << 20
_BLOCK = 1 << 20
_MOST_ENTRIES = 10_000


class Unpacked:
    """The files of an archive, with the names they have there. `close` removes them.

    Raises:
        SojournError: `bad_archive`, `too_many_files`, `empty_file`. TooLarge: `archive_too_large`.
    """

    def __init__(self, path: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sojourn-import-"))
        self.files: list[tuple[Path, str]] = []
        limit = max(_SMALL, min(LARGEST, path.stat().st_size * MOST_PACKED))
        try:
            for name, content in _members(path):
                if len(self.files) == MOST_FILES:
                    raise SojournError("too_many_files", f"An archive has {MOST_FILES} files at most.", "file")
                target = self._folder / str(len(self.files))
                limit -= _copy(content, target, limit)
                self.files.append((target, name))
            if not self.files:
                raise SojournError("empty_file", "The archive holds no files.", "file")
        except BaseException as error:
            self.close()
            if isinstance(error, SojournError) or not isinstance(error, Exception):
                raise
            # these libraries raise whatever a broken file provokes
            raise SojournError("bad_archive", f"The archive cannot be read: {str(error)[:200]}.", "file") from None

    def close(self) -> None:
        """Remove the files."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for item in archive.infolist():
                if not item.is_dir() and _wanted(item.filename):
                    with archive.open(item) as content:
                        yield _name(item.filename), content
        return
    if not tarfile.is_tarfile(path):
        with gzip.open(path) as alone:
            yield "", cast("IO[bytes]", alone)
        return
    with tarfile.open(path) as tape:
        passed = 0
        for entries, member in enumerate(tape):
            passed += member.size
            if passed > LARGEST or entries > _MOST_ENTRIES:
                raise TooLarge("archive_too_large", "The archive holds more than it may.", "file")
            tape_content = tape.extractfile(member) if member.isfile() and _wanted(member.name) else None
            if tape_content:
                yield _name(member.name), tape_content


def _wanted(name: str) -> bool:
    """Not what systems leave in archives for themselves."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return bool(parts) and not any(part.startswith((".", "__MACOSX")) and part != ".." for part in parts)


def _name(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).name[:200].replace("\x00", "")


def _copy(content: IO[bytes], target: Path, limit: int) -> int:
    size = 0
    with target.open("xb") as file:
        while block := content.read(_BLOCK):
            size += len(block)
            if size > limit:
                raise TooLarge("archive_too_large", "The archive holds more than it may.", "file")
            file.write(block)
    return size
