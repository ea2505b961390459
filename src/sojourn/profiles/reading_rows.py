"""The face of everything that rows of people are read from: files of any format, and results of queries.

A reader tells the names of its columns, and then gives rows of texts in chunks. Values that are not texts where they come from are written
as the fields read them: a moment in ISO form, a list of plain values as tags, an object as JSON.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Protocol

from sojourn.kernel.errors import SojournError

LONGEST_ROW = 1 << 20
"""Bytes of one row."""
MOST_COLUMNS = 1_000
_SHOWN = 1_000


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that cannot be taken.

    `line` counts from 1 in its file; `field` and `column` are what it is about, if it is about one value. `row_text` is the row as it came:
    as a CSV record if `whole`, else as the text that could not be read as a row. `file` is the number of its file, from 0.
    """

    line: int
    field: str | None
    reason: str
    row_text: str
    code: str = "bad_row"
    column: str | None = None
    whole: bool = False
    file: int = 0

    def record(self) -> str:
        """The row as a CSV record; what could not be read as a row is a record of one cell."""
        return self.row_text if self.whole else csv_record([self.row_text])


@dataclass(slots=True)
class Chunk:
    """Rows as wide as the header, with their line numbers, and the rows that could not be read.

    `done_bytes` of the source lie before the end of the chunk, as far as it has bytes. All rows are of one `file`.
    """

    rows: list[Sequence[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    done_bytes: int = 0
    file: int = 0


class Reader(Protocol):
    """Reads rows once, from the beginning to the end."""

    header: list[str]
    """Names of the columns, no two of them equal."""
    total_bytes: int
    """Size of the source; 0 if it is not known."""

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The rows in chunks of at most `size`. The same source gives the same chunks each time, unless it changes by itself.

        Raises:
            SojournError: the source cannot be read further.
        """
        ...

    def close(self) -> None:
        """Let go of the source; a second time does nothing."""
        ...


def named_columns(names: Iterable[Any]) -> list[str]:
    """A header without empty and equal names: `Column 3`, `Phone (2)`.

    Raises:
        SojournError: `too_many_columns`.
    """
    header: list[str] = []
    taken: set[str] = set()
    for number, given in enumerate(names, 1):
        name = storable_text(as_text(given).strip().replace("\x00", ""))[:200] or f"Column {number}"
        repeated, unique = 1, name
        while unique in taken:
            repeated += 1
            unique = f"{name} ({repeated})"
        taken.add(unique)
        header.append(unique)
        if number > MOST_COLUMNS:
            raise SojournError("too_many_columns", f"A file has {MOST_COLUMNS} columns at most.", "file")
    return header


def shown(text: str) -> str:
    """The beginning of what could not be read as a row."""
    return storable_text(text[:_SHOWN])


def storable_text(text: str) -> str:
    """The text with a mark in the place of what no database holds: NUL, and halves of characters."""
    return text.replace("\x00", "�") if text.isascii() else text.replace("\x00", "�").encode(errors="replace").decode()


def unfit_text(cells: Sequence[str]) -> bool:
    """Whether cells hold NUL or half a character."""
    joined = "".join(cells)
    if "\x00" in joined:
        return True
    if joined.isascii():
        return False
    try:
        joined.encode()
    except UnicodeEncodeError:
        return True
    return False


def take_row(chunk: Chunk, cells: Sequence[str], line: int, width: int) -> None:
    """Add a row to a chunk, as far as it is one: without its empty end it must not be wider than the header; rows of nothing are left out."""
    row = list(cells)
    while len(row) > width and not row[-1]:
        row.pop()
    if not any(row):
        return
    if len(row) > width:
        reason, code = f"The line has {len(row)} cells instead of {width}.", "wrong_width"
    elif unfit_text(row):
        reason, code = "The line holds characters that do not exist.", "bad_text"
    else:
        chunk.rows.append(row + [""] * (width - len(row)))
        chunk.lines.append(line)
        return
    chunk.rejections.append(Rejection(line, None, reason, csv_record(row), code, whole=True, file=chunk.file))


def csv_record(cells: Iterable[str]) -> str:
    """Cells as one record of CSV, with commas and without an end of line."""
    inner = io.StringIO()
    csv.writer(inner, lineterminator="").writerow(cells)
    return storable_text(inner.getvalue())


def csv_cells(record: str) -> list[str]:
    """The cells of a record that `csv_record` wrote."""
    return next(csv.reader([record], strict=True), [])


def as_text(value: Any) -> str:
    """A value of a workbook, of JSON or of a database as the text that a field reads."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return (
            str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value) if math.isfinite(value) else ""
        )
    if isinstance(value, datetime):
        bare = value.tzinfo is None and value.time() == time()
        return value.date().isoformat() if bare else value.isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value.is_finite() else ""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode(errors="replace")
    if isinstance(value, (list, tuple)) and not any(isinstance(item, (dict, list, tuple)) for item in value):
        return csv_record([as_text(item) for item in value if item is not None]) if value else ""
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, default=as_text)
    return str(value)


class RowsReader:
    """Rows of values, such as the result of a query: `header` names them, each row is as wide. Lines count from 1.

    What `rows` raises passes through. `close` closes it, if it can be closed.
    """

    def __init__(self, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        self.header = named_columns(header)
        self.total_bytes = 0
        self._rows = rows

    def chunks(self, size: int) -> Iterator[Chunk]:
        """See `Reader`."""
        chunk, width = Chunk(), len(self.header)
        for line, row in enumerate(self._rows, 1):
            cells = [as_text(value) for value in row]
            if len(cells) != width:
                raise SojournError("bad_row", f"Row {line} has {len(cells)} values instead of {width}.", "source")
            take_row(chunk, cells, line, width)
            if len(chunk.rows) + len(chunk.rejections) >= size:
                yield chunk
                chunk = Chunk()
        yield chunk

    def close(self) -> None:
        """See `Reader`."""
        close = getattr(self._rows, "close", None)
        if close:
            close()
