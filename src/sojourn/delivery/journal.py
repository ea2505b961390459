"""The journal of a worker: what it offered and what was answered, in a file that outlives the process.

Fixed-size records, each written with one `write` and no buffer of ours, so that the death of the process loses nothing. A file is locked
while its worker lives. The death of the whole host may lose the last records; the boot id in the file's head tells that it happened.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sojourn.channels.transport import LedgerKey, Verdict
from sojourn.kernel import Clock

_RECORD = struct.Struct(">BBHIQQ")
_SUM = struct.Struct(">I")
_SIZE = _RECORD.size + _SUM.size
_HEAD = 64
_MAGIC = b"SOJOURN JOURNAL 1 "
_OFFERING = 100
_ROTATE = 4_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return secrets.token_hex(16)  # an unknown boot is never the same as another


_BOOT = _boot_id()


@dataclass(frozen=True, slots=True)
class Entry:
    """The last that is known of a key: `verdict` None means offered without an answer. `status`: code of the answer."""

    verdict: Verdict | None
    status: int
    at: datetime


class JournalFile:
    """A worker's own journal, open for appending."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._clock = clock
        while True:
            self.path = folder / f"{secrets.token_hex(16)}.journal"
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            if os.fstat(self._file).st_nlink:
                break
            os.close(self._file)  # somebody tidied it away before it was locked
        os.write(self._file, (_MAGIC + _BOOT.encode()).ljust(_HEAD)[:_HEAD])
        self._size = _HEAD

    def offering(self, key: LedgerKey) -> None:
        """The message is about to be offered."""
        self._append(_OFFERING, key, 0)

    def answered(self, key: LedgerKey, verdict: Verdict, status: int = 0) -> None:
        """It was answered."""
        self._append(int(verdict), key, status)

    def _append(self, kind: int, key: LedgerKey, status: int) -> None:
        moment = (self._clock.now() - _EPOCH) // _MICROSECOND
        record = _RECORD.pack(kind, key.lane, status, key.hop, key.passage_id, moment)
        os.write(self._file, record + _SUM.pack(zlib.crc32(record)))
        self._size += _SIZE

    def forget(self) -> None:
        """Everything in it is recorded in the database: begin anew once it has grown."""
        if self._size > _ROTATE:
            os.ftruncate(self._file, _HEAD)
            self._size = _HEAD

    def close(self) -> None:
        """Remove it: its worker leaves nothing behind."""
        self.path.unlink(missing_ok=True)
        os.close(self._file)


class WorkerLives(Exception):
    """The journal is locked: its worker is alive, whatever its connection to the database says."""


@dataclass(frozen=True, slots=True)
class LeftJournal:
    """What a dead worker left. `trusted`: the host has run ever since, so what has no entry was never offered."""

    entries: dict[LedgerKey, Entry]
    trusted: bool


def read_left(path: Path) -> LeftJournal | None:
    """Read the journal of a dead worker; None if it is not on this host.

    Raises:
        WorkerLives: the worker is not dead.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(file, "rb") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise WorkerLives from None
        return _read(opened.read())


def _read(content: bytes) -> LeftJournal:
    head = content[:_HEAD].rstrip()
    entries: dict[LedgerKey, Entry] = {}
    whole = len(content) >= _HEAD
    for start in range(_HEAD, len(content) - _SIZE + 1, _SIZE):
        record = content[start : start + _RECORD.size]
        if zlib.crc32(record) != _SUM.unpack_from(content, start + _RECORD.size)[0]:
            whole = False
            break
        kind, lane, status, hop, passage_id, moment = _RECORD.unpack(record)
        verdict = None if kind == _OFFERING else Verdict(kind)
        entries[LedgerKey(lane, passage_id, hop)] = Entry(verdict, status, _EPOCH + moment * _MICROSECOND)
    return LeftJournal(entries, whole and head == _MAGIC + _BOOT.encode())


def tidy(folder: Path, known: set[str]) -> None:
    """Remove files of dead workers that the database does not know: of workers that died while they began or ended."""
    for path in folder.glob("*.journal"):
        if path.name in known:
            continue
        try:
            file = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        except OSError:
            pass  # alive
        finally:
            os.close(file)
