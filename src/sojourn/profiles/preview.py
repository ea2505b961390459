"""What files hold, before they are imported: the first rows, what each column seems to be, and what of its cells would be refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sojourn.kernel.errors import SojournError
from sojourn.profiles.column_mapping import guess_by_heading
from sojourn.profiles.columns import parse_column
from sojourn.profiles.contacts import parse_email, parse_phone
from sojourn.profiles.csv_reader import CsvReader
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import Field
from sojourn.profiles.import_options import SPECIAL, SUBSCRIPTIONS, FileOptions, Target
from sojourn.profiles.json_reader import JsonReader
from sojourn.profiles.opening_files import FilesReader
from sojourn.profiles.reading_rows import Reader, Rejection, csv_record
from sojourn.profiles.sheet_reader import SheetReader
from sojourn.profiles.values import Reading, parse_value

SHOWN_ROWS, LOOKED_AT = 20, 1_000
_EXAMPLES, _SAMPLES, _LONGEST_CELL = 3, 3, 200
_DAYS = (
    "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%Y.%m.%d", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%Y%m%d", "%d %b %Y",
    "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
)  # fmt: skip
DATE_FORMATS = tuple(day + time for day in _DAYS for time in ("", " %H:%M", " %H:%M:%S"))
"""Formats that are tried on dates that the common rules do not read."""
REGIONS = ("RU", "US", "GB", "DE", "FR", "ES", "IT", "UA", "KZ", "BY", "PL", "TR", "IN", "BR", "CN")
"""Countries that are tried on phones that are written without one."""


@dataclass(frozen=True, slots=True)
class ColumnProblem:
    """A reason for which cells would be refused: how many, and some of them with their lines."""

    reason: str
    count: int
    examples: list[tuple[int, str]]


@dataclass(slots=True)
class ColumnPreview:
    """One column. `target`: what it goes into, as given or guessed; None: nowhere.

    `confidence` is `high` (the name or title of the field), `medium` (a usual word for it) or `low` (only what the cells look like); `because` is
    `name`, `title`, `synonym`, `content` or `given`. `ambiguous_date`: day and month could be the other way round.
    """

    name: str
    target: Target | None
    confidence: str | None = None
    because: str | None = None
    samples: list[str] = field(default_factory=list)
    filled: int = 0
    different: int = 0
    ambiguous_date: bool = False
    problems: list[ColumnProblem] = field(default_factory=list)
    refused: int = 0


@dataclass(slots=True)
class Preview:
    """What the beginning of files holds. `looked_at`: rows that guesses and problems come from, `unread`: rows among them that cannot be read."""

    format: str
    encoding: str | None
    delimiter: str | None
    quote: str | None
    sheets: list[str]
    sheet: str | None
    header: list[str]
    rows: list[Sequence[str]]
    columns: list[ColumnPreview]
    looked_at: int
    whole: bool
    unread: list[Rejection]


def preview(reader: Reader, database: Database, options: FileOptions) -> Preview:
    """Read the beginning of a source and tell what it holds. `options.mapping` None: the targets are guessed, with their formats.

    Raises:
        SojournError: the source cannot be read; `unknown_column`, `unknown_field` of a mapping that is given.
    """
    chunk = next(islice(reader.chunks(LOOKED_AT), 1))
    texts = list(zip(*chunk.rows, strict=True)) if chunk.rows else [()] * len(reader.header)
    columns = [_described(name, cells) for name, cells in zip(reader.header, texts, strict=True)]
    if options.mapping is None:
        _guess(database, columns, texts, options.reading)
    else:
        _given(database, columns, options.mapping)
    for column, cells in zip(columns, texts, strict=True):
        _judge(database, column, cells, chunk.lines, options.reading)
    first = reader.readers[0] if isinstance(reader, FilesReader) else reader
    return Preview(
        format="csv" if isinstance(first, CsvReader) else "json" if isinstance(first, JsonReader) else "workbook",
        encoding=first.encoding if isinstance(first, CsvReader) else None,
        delimiter=first.delimiter if isinstance(first, CsvReader) else None,
        quote=options.quote if isinstance(first, CsvReader) else None,
        sheets=first.sheets if isinstance(first, SheetReader) else [],
        sheet=first.sheet if isinstance(first, SheetReader) else None,
        header=reader.header,
        rows=[[cell[:_LONGEST_CELL] for cell in row] for row in chunk.rows[:SHOWN_ROWS]],
        columns=columns,
        looked_at=len(chunk.rows) + len(chunk.rejections),
        whole=0 < reader.total_bytes <= chunk.done_bytes and len(chunk.rows) < LOOKED_AT,
        unread=chunk.rejections[:10],
    )


def _described(name: str, cells: Sequence[str]) -> ColumnPreview:
    different = dict.fromkeys(cell for cell in cells if cell.strip())
    samples = [cell[:_LONGEST_CELL] for cell in islice(different, _SAMPLES)]
    return ColumnPreview(
        name, None, samples=samples, filled=sum(bool(cell.strip()) for cell in cells), different=len(different)
    )


# ---------------------------------------------------------------------------------------------- guesses


def _guess(
    database: Database, columns: Sequence[ColumnPreview], texts: Sequence[Sequence[str]], reading: Reading
) -> None:
    by_heading = guess_by_heading(database, [column.name for column in columns])
    for column in columns:
        if column.name in by_heading:
            name, column.because = by_heading[column.name]
            column.confidence = "medium" if column.because == "synonym" else "high"
            column.target = Target(name)
    taken = {column.target.field for column in columns if column.target}
    for column, cells in zip(columns, texts, strict=True):
        if column.target is None and (found := _by_content(cells)) and found not in taken:
            column.target, column.confidence, column.because = Target(found), "low", "content"
            taken.add(found)
        if column.target and column.target.field in database.fields:
            known = database.field(column.target.field)
            column.target = _formatted(known, column.target, [cell for cell in cells if cell.strip()], reading)


def _by_content(cells: Sequence[str]) -> str | None:
    filled = [cell for cell in cells if cell.strip()][:200]
    if filled and sum("@" in cell and parse_email(cell) is not None for cell in filled) >= 0.8 * len(filled):
        return "email"
    phones = [cell for cell in filled if cell.strip().startswith("+") and parse_phone(cell)]
    if filled and len(phones) >= 0.8 * len(filled):
        return "phones"
    if filled and all(cell.strip().startswith("[{") and '"resource_id"' in cell for cell in filled):
        return SUBSCRIPTIONS
    return None


def _formatted(known: Field, target: Target, cells: Sequence[str], reading: Reading) -> Target:
    """The target with the format in which most of its cells can be read, where the common rules read fewer."""
    some = cells[:200]
    choices: list[Target] = []
    if known.type == "date":
        choices = [Target(target.field, date_format=one) for one in DATE_FORMATS]
    elif known.type == "phones":
        choices = [Target(target.field, phone_region=region) for region in REGIONS]
    elif known.type in ("integer", "float"):
        choices = [Target(target.field, decimal=","), Target(target.field, decimal=".")]
    elif known.type == "tags" and not any("," in cell for cell in some):
        separators = (sign for sign in ";|" if sum(sign in cell for cell in some) * 2 >= len(some) > 0)
        return next((Target(target.field, separator=sign) for sign in separators), target)
    best, most = target, _readable(known, some, target.reading(reading))
    if most >= 0.9 * len(some):
        return target
    for choice in choices:
        count = _readable(known, some, choice.reading(reading))
        if count > most:
            best, most = choice, count
    return best


def _readable(known: Field, cells: Sequence[str], reading: Reading) -> int:
    return sum(parse_value(known, cell, reading)[1] is None for cell in cells)


def _given(database: Database, columns: Sequence[ColumnPreview], mapping: Mapping[str, str | Target]) -> None:
    by_name = {column.name: column for column in columns}
    for name, to in mapping.items():
        if name not in by_name:
            raise SojournError("unknown_column", f"The file has no column “{name}”.", name)
        target = Target(to) if isinstance(to, str) else to
        if target.field not in SPECIAL:
            database.field(target.field)
        by_name[name].target, by_name[name].because = target, "given"


# ---------------------------------------------------------------------------------------------- problems


def _judge(
    database: Database, column: ColumnPreview, cells: Sequence[str], lines: Sequence[int], reading: Reading
) -> None:
    target = column.target
    if target is None or target.field not in database.fields:
        return
    known, own = database.field(target.field), target.reading(reading)
    texts = cells
    if known.type == "tags" and target.separator != ",":
        texts = [csv_record(cell.split(target.separator)) if cell.strip() else "" for cell in cells]
    found: dict[str, list[int]] = {}
    for row, problem in parse_column(known, texts, own)[1].items():
        found.setdefault(problem.message, []).append(row)
    column.problems = [
        ColumnProblem(reason, len(rows), [(lines[row], cells[row][:_LONGEST_CELL]) for row in rows[:_EXAMPLES]])
        for reason, rows in sorted(found.items(), key=lambda pair: -len(pair[1]))
    ]
    column.refused = sum(item.count for item in column.problems)
    if known.type == "date" and own.date_format:
        column.ambiguous_date = _ambiguous(known, [cell for cell in cells if cell.strip()], own.date_format)


def _ambiguous(known: Field, cells: Sequence[str], date_format: str) -> bool:
    """Whether all dates can be read with day and month the other way round too."""
    swapped = date_format.replace("%d", "%x").replace("%m", "%d").replace("%x", "%m")
    if swapped == date_format or not cells:
        return False
    return _readable(known, cells[:200], Reading(swapped)) == len(cells[:200])
