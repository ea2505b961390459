"""CSV files into profiles: the next chunk is read and checked here while PostgreSQL applies the last one in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from sojourn.kernel import Clock, parse_public_id
from sojourn.kernel.errors import NotFound, SojournError
from sojourn.profiles.chunk import Checked, ChunkImport, ChunkResult, SubscribeAll
from sojourn.profiles.columns import parse_column
from sojourn.profiles.copy_text import NULL
from sojourn.profiles.csv_mapping import PROFILE_ID, check_mapping, guess_mapping
from sojourn.profiles.csv_reader import Chunk, CsvReader, Rejection, shown
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import Field
from sojourn.profiles.importing import in_transaction
from sojourn.profiles.matching import Key, check_matching, field_key
from sojourn.profiles.records import Options
from sojourn.profiles.resources import resource
from sojourn.profiles.statuses import CAUSE_FILE
from sojourn.profiles.values import Misfit, Reading

__all__ = ["FileOptions", "Rejection", "Report", "SubscribeAll", "import_csv"]

CHUNK_ROWS = 20_000

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
    work = ChunkImport(
        connection,
        clock,
        database,
        checker.fields,
        options.options,
        options.clear_empty,
        options.subscribe,
        options.task_id,
    )
    with suppress(
        psycopg.errors.InvalidParameterValue
    ):  # a session that has used temporary tables before keeps its smaller buffers
        connection.execute("SET temp_buffers = '64MB'")
    run = _Run(work, reader, checker, progress, reject)
    return run.all(cancelled or (lambda: False))


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


class _Run:
    """One file on its way: at most one chunk is being applied while the next one is read."""

    def __init__(
        self, work: ChunkImport, reader: CsvReader, checker: _Checker, progress: Progress | None, reject: Reject | None
    ) -> None:
        self._work, self._reader, self._checker = work, reader, checker
        self._progress, self._reject = progress, reject
        self._report = Report()

    def all(self, cancelled: Callable[[], bool]) -> Report:
        waiting: tuple[Checked, Future[ChunkResult]] | None = None
        with ThreadPoolExecutor(1, thread_name_prefix="import") as applier:
            for checked in self._checked():
                if waiting:
                    self._done(*waiting)
                if cancelled():
                    self._report.cancelled = True
                    return self._report
                waiting = (
                    checked,
                    applier.submit(
                        in_transaction, self._work.connection, lambda checked=checked: self._work.apply(checked)
                    ),
                )
            if waiting:
                self._done(*waiting)
        return self._report

    def _checked(self) -> Iterator[Checked]:
        for chunk in self._reader.chunks(CHUNK_ROWS):
            yield self._checker.check(chunk)

    def _done(self, checked: Checked, future: Future[ChunkResult]) -> None:
        result, report = future.result(), self._report
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
