"""The rows that an import refused: kept under its task, listed, counted by reason, and given back as a file to be mended."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from sojourn.profiles.reading_rows import Rejection, csv_cells

Connection = psycopg.Connection[Any]
PAGE = 1_000
_PLACE_BITS = 40
"""A place among the refused rows of several files is one number: file, then line."""
_NUMBER = re.compile(r"[+-][\d\s().,/-]*")
# What a spreadsheet takes for a formula: by the first character of a cell, after which it may call other programs.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")

_REASONS = """
SELECT field, column_name, reason, count(*) FROM import_rejection WHERE task_id = %s GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 50
"""


def place_of(row: Rejection) -> int:
    """Where a row stands in the list of refused rows."""
    return (row.file << _PLACE_BITS) + row.line


def list_rejections(connection: Connection, task_id: int, *, after: int = 0, limit: int = PAGE) -> list[Rejection]:
    """The refused rows of an import in the order of their files and lines, after the place `after` (see `place_of`), 1,000 at most."""
    rows = connection.execute(
        "SELECT line, field, reason, row_text, column_name, file FROM import_rejection WHERE task_id = %s AND (file, line) > (%s, %s)"
        " ORDER BY file, line LIMIT %s",
        (task_id, after >> _PLACE_BITS, after & ((1 << _PLACE_BITS) - 1), max(1, min(limit, PAGE))),
    )
    return [
        Rejection(line, field, reason, text or "", column=column, whole=True, file=file)
        for line, field, reason, text, column, file in rows
    ]


def reasons(connection: Connection, task_id: int) -> list[dict[str, Any]]:
    """Why rows were refused, the most frequent reasons first, 50 at most."""
    names = ("field", "column", "reason", "count")
    return [dict(zip(names, row, strict=True)) for row in connection.execute(_REASONS, (task_id,))]


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula. Numbers and phones stay as they are."""
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def rejections_csv(connection: Connection, task_id: int, header: Sequence[str]) -> Iterator[bytes]:
    """A CSV file, piece by piece, with a byte order mark: line, column and reason, and then the row as it came, to be mended and imported again.

    A row that could not be told into cells stands in the first of them.
    """
    yield "\ufeff".encode() + _csv_line(["Line", "Column", "Reason", *header])
    after = 0
    while page := list_rejections(connection, task_id, after=after):
        yield b"".join(
            _csv_line([str(row.line), row.column or row.field or "", row.reason, *_cells(row)]) for row in page
        )
        after = place_of(page[-1])


def _cells(row: Rejection) -> list[str]:
    try:
        return csv_cells(row.row_text)
    except csv.Error:
        return [row.row_text]


def _csv_line(cells: Sequence[str]) -> bytes:
    inner = io.StringIO()
    csv.writer(inner, lineterminator="\r\n").writerow([harmless(text) for text in cells])
    return inner.getvalue().encode(errors="replace")
