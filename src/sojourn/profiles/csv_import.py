"""CSV files into profiles: the next chunk is read and checked here while PostgreSQL applies the last two in threads of their own."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from sojourn.kernel import Clock, parse_public_id
from sojourn.kernel.database import connect
from sojourn.kernel.errors import NotFound, SojournError
from sojourn.profiles.chunk import Checked, ChunkImport, ChunkResult, SubscribeAll
from sojourn.profiles.columns import parse_column
from sojourn.profiles.copy_text import NULL
from sojourn.profiles.csv_mapping import PROFILE_ID, check_mapping, guess_mapping
from sojourn.profiles.csv_reader import CsvReader
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import Field
from sojourn.profiles.importing import in_transaction
from sojourn.profiles.matching import Key, check_matching, field_key
from sojourn.profiles.reading_rows import Chunk, Rejection, shown
from sojourn.profiles.records import Options
from sojourn.profiles.resources import resource
from sojourn.profiles.statuses import CAUSE_FILE
from sojourn.profiles.values import Misfit, Reading

__all__ = ["FileOptions", "Rejection", "Report", "SubscribeAll", "import_csv"]

CHUNK_ROWS = 20_000
APPLIERS = 2
"""Chunks that are applied at the same time."""

Progress = Callable[[int, int, int], None]
Reject = Callable[[int, str | None, str, str], None]


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How a file is read and applied. What is None is detected.

    `clear_empty`: fields that an empty cell clears; in all others it leaves what is there. `subscribe`: every row's contact subscribes.
    `task_id`: the background task under which rejected rows are kept.
    """

    options: Options = field(default_factory=lambda: Options(cause=CAUSE_FILE, source="file"))
    mapping: Mapping[str, str] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    has_header: bool = True
    date_format: str | None = None
    phone_region: str | None = None
    clear_empty: frozenset[str] = frozenset()
    subscribe: SubscribeAll | None = None
    task_id: int | None = None


@dataclass(slots=True)
class Report:
    """What became of the rows of a file. `skipped`: the mode left them alone, or they repeat a row when only new ones are wanted."""

    total: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    rejected: int = 0
    cancelled: bool = False


def import_csv(
    connection: psycopg.Connection[Any], clock: Clock, database: Database, path: Path, options: FileOptions, *, progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None, reject: Reject | None = None,
) -> Report:  # fmt: skip
    """Import a file of any size; each chunk is a transaction of its own, so a cancelled or failed import keeps what it had applied.

    `progress(done_rows, total_bytes, done_bytes)` is called after every chunk, `reject(line, field, reason, row_text)` for every row that
    is refused, both in the caller's thread. The connection belongs to the import until it returns.

    Raises:
        SojournError: the file, its mapping or the matching cannot work: `empty_file`, `unknown_encoding`, `unknown_delimiter`, `bad_header`,
            `unknown_column`, `unknown_field`, `field_twice`, `nothing_mapped`, `matching_key_missing`, `field_not_matchable`, `channel_not_offered`.
    """
    reader = CsvReader(path, encoding=options.encoding, delimiter=options.delimiter, has_header=options.has_header)
    mapping = options.mapping if options.mapping is not None else guess_mapping(database, reader.header)
    checker = _Checker(database, options, check_mapping(database, reader.header, mapping), reader.delimiter)
    if options.subscribe:
        _check_subscription(connection, database, options.subscribe)
    appliers = _Appliers(
        connection,
        lambda own: ChunkImport(
            own,
            clock,
            database,
            checker.fields,
            options.options,
            options.clear_empty,
            options.subscribe,
            options.task_id,
        ),
    )
    try:
        with _rare_collections():
            return _Run(appliers, reader, checker, progress, reject).all(cancelled or (lambda: False))
    finally:
        appliers.close()


@contextmanager
def _rare_collections() -> Iterator[None]:
    """A chunk is a million small objects without cycles; looking for cycles among them would double the work of reading."""
    before = gc.get_threshold()
    gc.set_threshold(1_000_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _check_subscription(connection: psycopg.Connection[Any], database: Database, wanted: SubscribeAll) -> None:
    found = resource(connection, wanted.resource_id)
    if not found.serves(database.id):
        raise NotFound(
            "resource_not_offered",
            f"Profiles of the database “{database.name}” may not subscribe to “{found.name}”.",
            "resource_id",
        )
    if not set(wanted.channels) <= set(found.channels):
        raise SojournError(
            "channel_not_offered", f"The resource “{found.name}” does not have all these channels.", "channels"
        )


class _Appliers:
    """Two connections that apply chunks at the same time; the second one is opened when a file has a second chunk."""

    def __init__(
        self, connection: psycopg.Connection[Any], make: Callable[[psycopg.Connection[Any]], ChunkImport]
    ) -> None:
        self._first, self._make = connection, make
        self._second: psycopg.Connection[Any] | None = None
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
        self._second = connect(make_conninfo(info.dsn, password=info.password or None), "import")
        return self._second

    def close(self) -> None:
        """Close the connection that is ours."""
        if self._second:
            self._second.close()


@dataclass(frozen=True, slots=True)
class _InHand:
    """A chunk that is being applied, and the keys of its rows."""

    checked: Checked
    keys: set[tuple[int, str]]
    applier: ChunkImport
    future: Future[ChunkResult]


class _Run:
    """One file on its way: up to `APPLIERS` chunks are being applied while the next one is read.

    Chunks that share a person are applied one after the other, since later rows go over earlier ones.
    """

    def __init__(
        self,
        appliers: _Appliers,
        reader: CsvReader,
        checker: _Checker,
        progress: Progress | None,
        reject: Reject | None,
    ) -> None:
        self._appliers, self._reader, self._checker = appliers, reader, checker
        self._progress, self._reject = progress, reject
        self._report = Report()
        self._in_hand: deque[_InHand] = deque()

    def all(self, cancelled: Callable[[], bool]) -> Report:
        with ThreadPoolExecutor(APPLIERS, thread_name_prefix="import") as pool:
            for checked in self._checked():
                keys = {(place, part) for key in checked.keys for place, part in enumerate(key) if part is not None}
                while len(self._in_hand) >= APPLIERS or any(not keys.isdisjoint(other.keys) for other in self._in_hand):
                    self._finish_oldest()
                if cancelled():
                    self._report.cancelled = True
                    break
                self._begin(pool, checked, keys)
            while self._in_hand:
                self._finish_oldest()
        return self._report

    def _begin(self, pool: ThreadPoolExecutor, checked: Checked, keys: set[tuple[int, str]]) -> None:
        applier = self._appliers.take()
        future = pool.submit(in_transaction, applier.connection, lambda: applier.apply(checked))
        self._in_hand.append(_InHand(checked, keys, applier, future))

    def _finish_oldest(self) -> None:
        oldest = self._in_hand.popleft()
        result = oldest.future.result()
        self._appliers.give_back(oldest.applier)
        self._done(oldest.checked, result)

    def _checked(self) -> Iterator[Checked]:
        for chunk in self._reader.chunks(CHUNK_ROWS):
            yield self._checker.check(chunk)

    def _done(self, checked: Checked, result: ChunkResult) -> None:
        report = self._report
        report.created += result.created
        report.updated += result.updated
        report.unchanged += result.unchanged
        report.skipped += result.skipped
        report.rejected += len(result.rejections)
        report.total += result.created + result.updated + result.unchanged + result.skipped + len(result.rejections)
        if self._reject:
            for row in result.rejections:
                self._reject(row.line, row.field, row.reason, row.row_text)
        if self._progress:
            self._progress(report.total, self._reader.total_bytes, checked.done_bytes)


class _Checker:
    """Rows of texts into columns of checked cells."""

    def __init__(self, database: Database, options: FileOptions, positions: Mapping[str, int], delimiter: str) -> None:
        chosen = options.options
        check_matching(database, chosen.matching, chosen.field_name)
        self._reading = Reading(options.date_format, options.phone_region)
        self._positions = positions
        self._delimiter = delimiter
        self._matching = chosen.matching
        self._key_field = (
            database.field(chosen.field_name) if chosen.matching == "custom" and chosen.field_name else None
        )
        self.fields: tuple[Field, ...] = tuple(known for name, known in database.fields.items() if name in positions)
        missing = [name for name in self._key_columns() if name not in positions]
        if missing and not (chosen.matching.startswith("email_phone") and len(missing) == 1):
            raise SojournError(
                "matching_key_missing",
                f"The file has no column for “{missing[0]}”, by which profiles are to be found.",
                missing[0],
            )

    def _key_columns(self) -> list[str]:
        if self._key_field:
            return [self._key_field.name]
        if self._matching == "push_sub":
            raise SojournError("unknown_matching", "A file cannot be matched by push subscriptions.", "matching")
        if self._matching in ("profile_id", "none"):
            return [PROFILE_ID] if self._matching == "profile_id" else []
        return [name for name, word in (("email", "email"), ("phones", "phone")) if word in self._matching]

    def check(self, chunk: Chunk) -> Checked:
        """The chunk with rows that do not fit taken out."""
        texts = list(zip(*chunk.rows, strict=True)) if chunk.rows else []
        rejections = list(chunk.rejections)
        bad: set[int] = set()

        def refuse(row: int, name: str | None, reason: str) -> None:
            if row not in bad:
                bad.add(row)
                rejections.append(
                    Rejection(chunk.lines[row], name, reason, shown(self._delimiter.join(chunk.rows[row])))
                )

        columns: dict[str, list[str]] = {}
        for known in self.fields:
            cells, problems = parse_column(known, texts[self._positions[known.name]] if texts else (), self._reading)
            columns[known.name] = cells
            for row, problem in problems.items():
                refuse(row, known.name, problem.message)
        keys = self._keys(columns, texts, len(chunk.rows), refuse)
        ordered = [columns[known.name] for known in self.fields]
        checked = Checked(keys, ordered, chunk.lines, chunk.rows, self._delimiter, rejections, chunk.done_bytes)
        return checked.without(bad) if bad else checked

    def _keys(
        self,
        columns: Mapping[str, list[str]],
        texts: Sequence[Sequence[str]],
        count: int,
        refuse: Callable[[int, str | None, str], None],
    ) -> list[Key]:
        if self._matching == "none":
            return [Key()] * count
        second: list[str | None] | None = None
        if self._matching == "profile_id":
            first = self._profile_ids(texts[self._positions[PROFILE_ID]] if count else (), refuse)
        elif self._key_field:
            first = self._field_keys(self._key_field, texts[self._positions[self._key_field.name]] if count else ())
        else:
            emails = [None if cell == NULL else cell for cell in columns.get("email", [NULL] * count)]
            phones = [
                None if cell == NULL else cell[1:-1].partition(",")[0].strip('"')
                for cell in columns.get("phones", [NULL] * count)
            ]
            first, second = (
                (emails, phones if "phone" in self._matching else None) if "email" in self._matching else (phones, None)
            )
        keys = (
            [Key(one) for one in first] if second is None else [Key(*pair) for pair in zip(first, second, strict=True)]
        )
        if None in first:
            for row, key in enumerate(keys):
                if key == (None, None):
                    refuse(row, None, "What the profile is to be found by is missing.")
        return keys

    @staticmethod
    def _profile_ids(texts: Sequence[str], refuse: Callable[[int, str | None, str], None]) -> list[str | None]:
        keys: list[str | None] = []
        for row, text in enumerate(texts):
            try:
                keys.append(str(parse_public_id(text.strip())) if text.strip() else None)
            except SojournError as error:
                refuse(row, PROFILE_ID, error.message)
                keys.append(None)
        return keys

    def _field_keys(self, known: Field, texts: Sequence[str]) -> list[str | None]:
        keys: list[str | None] = []
        for text in texts:
            try:
                keys.append(field_key(known, text, self._reading))
            except Misfit:
                keys.append(None)  # refused already as a value
        return keys
