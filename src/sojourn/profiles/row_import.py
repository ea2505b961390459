"""Rows of any reader into profiles: the next chunk is read and checked here while PostgreSQL applies the last ones in threads of their own."""

from __future__ import annotations

import gc
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from sojourn.kernel import Clock
from sojourn.kernel.database import connect
from sojourn.kernel.errors import NotFound, SojournError
from sojourn.kernel.task_parts import noted_parts
from sojourn.profiles.checked import Checked
from sojourn.profiles.chunk import ChunkImport, ChunkResult
from sojourn.profiles.column_mapping import guess_mapping
from sojourn.profiles.databases import Database
from sojourn.profiles.import_options import SUBSCRIPTIONS, Counts, FileOptions, Report, Subscribing
from sojourn.profiles.importing import in_transaction
from sojourn.profiles.reading_rows import Reader
from sojourn.profiles.resources import Resource, list_resources, resource
from sojourn.profiles.row_checking import Checker

CHUNK_ROWS = 4_000
APPLIERS = 3
"""Chunks that are applied at the same time: two for the cores, one more for the waits between its statements."""
_SWITCH_SECONDS = 0.0005
WATCHED_KEYS = 1_000_000
"""Of so many keys it is remembered that they came, to tell repeated people; each costs some 70 bytes."""
_MOST_RESOURCES = 10_000

_Part = str | tuple[int, str] | None
Progress = Callable[[int, int, int], None]
Reject = Callable[[int, str | None, str, str], None]


def import_rows(
    connection: psycopg.Connection[Any], clock: Clock, database: Database, reader: Reader, options: FileOptions, *, progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None, reject: Reject | None = None,
) -> Report:  # fmt: skip
    """Import all rows of a reader; each chunk is a transaction of its own, so a cancelled or failed import keeps what it had applied.

    `progress(done_rows, total_bytes, done_bytes)` is called after every chunk, `reject(line, field, reason, row_text)` for every row that
    is refused, both in the caller's thread. The connection belongs to the import until it returns; the reader stays the caller's to close.

    Raises:
        SojournError: the source, the mapping or the matching cannot work: `unknown_column`, `unknown_field`, `field_twice`, `nothing_mapped`,
            `matching_key_missing`, `field_not_matchable`, `unknown_resource`, `resource_not_offered`, `channel_not_offered`, `bad_constant`,
            and what the reader raises.
    """
    mapping = options.mapping if options.mapping is not None else guess_mapping(database, reader.header)
    offered = _resources(connection, database, options)
    checker = Checker(database, options, reader.header, mapping, offered)
    group = checker.group()
    appliers = _Appliers(connection, lambda own: ChunkImport(own, clock, database, checker.fields, group, options))
    finished = noted_parts(connection, options.task_id) if options.resume and options.task_id is not None else {}
    if options.task_id is not None and not finished:  # of a run that was broken off
        connection.execute("DELETE FROM import_rejection WHERE task_id = %s", (options.task_id,))
    try:
        with _interpreter_for_import():
            run = _Run(appliers, reader, checker, {part: Counts(**counts) for part, counts in finished.items()})
            run.told(progress, reject)
            return run.all(cancelled or (lambda: False))
    finally:
        appliers.close()


@contextmanager
def _interpreter_for_import() -> Iterator[None]:
    """Settings of the interpreter while rows are read.

    A chunk is hundreds of thousands of small objects without cycles; looking for cycles among them would double the work of reading. An
    applier that has an answer of PostgreSQL is to go on at once, not when the reader has used up its five milliseconds.
    """
    before, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(1_000_000, 50, 50)
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        sys.setswitchinterval(interval)


def _resources(connection: psycopg.Connection[Any], database: Database, options: FileOptions) -> dict[int, Resource]:
    """The resources that rows may subscribe to: those that the options name, or all if rows name them."""
    wanted = options.all_subscriptions()
    for item in wanted:
        _check_subscription(connection, database, item)
    mapped = (options.mapping or {}).values()
    if any((target if isinstance(target, str) else target.field) == SUBSCRIPTIONS for target in mapped):
        known: dict[int, Resource] = {}
        after = 0
        while len(known) < _MOST_RESOURCES and (page := list_resources(connection, after=after)):
            known |= {item.id: item for item in page}
            after = page[-1].id
        return known
    return {item.resource_id: resource(connection, item.resource_id) for item in wanted}


def _check_subscription(connection: psycopg.Connection[Any], database: Database, wanted: Subscribing) -> None:
    found = resource(connection, wanted.resource_id)
    if not found.serves(database.id):
        raise NotFound(
            "resource_not_offered",
            f"Profiles of the database “{database.name}” may not subscribe to “{found.name}”.",
            "resource_id",
        )
    if wanted.channel not in found.channels:
        raise SojournError(
            "channel_not_offered", f"The resource “{found.name}” does not have all these channels.", "channels"
        )


class _Appliers:
    """The connections that apply chunks at the same time; each further one is opened when there is a chunk for it."""

    def __init__(
        self, connection: psycopg.Connection[Any], make: Callable[[psycopg.Connection[Any]], ChunkImport]
    ) -> None:
        self._first, self._make = connection, make
        self._further: list[psycopg.Connection[Any]] = []
        self._free: list[ChunkImport] = []
        self._made = 0

    def take(self) -> ChunkImport:
        """An applier that nobody uses; at most `APPLIERS` are out."""
        if self._free:
            return self._free.pop()
        connection = self._first if self._made == 0 else self._open()
        self._made += 1
        # A session that has used temporary tables before keeps its smaller buffers.
        with suppress(psycopg.errors.InvalidParameterValue):
            connection.execute("SET temp_buffers = '64MB'")
        return self._make(connection)

    def give_back(self, applier: ChunkImport) -> None:
        self._free.append(applier)

    def _open(self) -> psycopg.Connection[Any]:
        info = self._first.info
        self._further.append(connect(make_conninfo(info.dsn, password=info.password or None), "import"))
        return self._further[-1]

    def close(self) -> None:
        """Close the connections that are ours."""
        for connection in self._further:
            connection.close()


def _parts(checked: Checked) -> set[_Part]:
    """What the rows are looked for by: each first way as it is, each second one marked as such."""
    parts: set[_Part] = {key.first for key in checked.keys}
    parts |= {(1, key.second) for key in checked.keys if key.second is not None}
    parts.discard(None)
    return parts


@dataclass(frozen=True, slots=True)
class _InHand:
    """A chunk that is being applied, and the keys of its rows."""

    checked: Checked
    keys: set[_Part]
    applier: ChunkImport
    future: Future[ChunkResult]


class _Run:
    """One source on its way: up to `APPLIERS` chunks are being applied while the next one is read.

    Chunks that share a person are applied one after the other, since later rows go over earlier ones. `finished`: chunks of an earlier run.
    """

    def __init__(self, appliers: _Appliers, reader: Reader, checker: Checker, finished: dict[int, Counts]) -> None:
        self._appliers, self._reader, self._checker, self._finished = appliers, reader, checker, finished
        self._progress: Progress | None = None
        self._reject: Reject | None = None
        self._report = Report()
        self._in_hand: deque[_InHand] = deque()
        self._came: set[int] = set()

    def told(self, progress: Progress | None, reject: Reject | None) -> None:
        """Who is told of the run."""
        self._progress, self._reject = progress, reject

    def all(self, cancelled: Callable[[], bool]) -> Report:
        with ThreadPoolExecutor(APPLIERS, thread_name_prefix="import") as pool:
            for checked in self._checked():
                keys = _parts(checked)
                self._watch(checked, keys)
                if checked.part in self._finished:
                    self._report.add(self._finished[checked.part])
                    continue
                while len(self._in_hand) >= APPLIERS or any(not keys.isdisjoint(other.keys) for other in self._in_hand):
                    self._finish_oldest()
                if cancelled():
                    self._report.cancelled = True
                    break
                self._begin(pool, checked, keys)
            while self._in_hand:
                self._finish_oldest()
        return self._report

    def _watch(self, checked: Checked, keys: set[_Part]) -> None:
        """Note which rows are about people of earlier chunks."""
        came, hashes = self._came, set(map(hash, keys))
        if not came.isdisjoint(hashes):
            checked.repeats = {
                row
                for row, key in enumerate(checked.keys)
                if hash(key.first) in came or (key.second is not None and hash((1, key.second)) in came)
            }
        if len(came) < WATCHED_KEYS:
            came |= hashes

    def _begin(self, pool: ThreadPoolExecutor, checked: Checked, keys: set[_Part]) -> None:
        applier = self._appliers.take()
        future = pool.submit(in_transaction, applier.connection, lambda: applier.apply(checked))
        self._in_hand.append(_InHand(checked, keys, applier, future))

    def _finish_oldest(self) -> None:
        oldest = self._in_hand.popleft()
        result = oldest.future.result()
        self._appliers.give_back(oldest.applier)
        self._done(oldest.checked, result)

    def _checked(self) -> Iterator[Checked]:
        for part, chunk in enumerate(self._reader.chunks(CHUNK_ROWS)):
            yield self._checker.check(chunk, part)

    def _done(self, checked: Checked, result: ChunkResult) -> None:
        self._report.add(result)
        if self._reject:
            for row in result.rejections:
                self._reject(row.line, row.field, row.reason, row.row_text)
        if self._progress:
            self._progress(self._report.total, self._reader.total_bytes, checked.done_bytes)
