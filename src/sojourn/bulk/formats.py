"""The formats of exports: CSV, XLSX, Parquet and JSON lines, each written row by row in bounded memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import pyarrow

Format = Literal["csv", "xlsx", "parquet", "json"]
Kind = Literal["text", "integer", "float", "boolean", "day", "moment", "tags", "object"]
SUFFIXES: dict[Format, str] = {"csv": ".csv", "xlsx": ".xlsx", "parquet": ".parquet", "json": ".jsonl"}
MEDIA_TYPES: dict[str, str] = {
    ".csv": "text/csv; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".parquet": "application/vnd.apache.parquet",
    ".jsonl": "application/x-ndjson",
}
_SHEET_ROWS = 1_000_000
_CELL = 32_767
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an export; its name is the name under which an import finds it again."""

    name: str
    kind: Kind


class Writer(Protocol):
    """Writes one file."""

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Add rows; values as PostgreSQL gives them, None where there is nothing."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...


def writer(format: Format, path: Path, columns: Sequence[Column], *, delimiter: str = ",", safe: bool = True) -> Writer:
    """A writer of a new file. `safe` (CSV): a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if format == "csv":
        return CsvWriter(path, columns, delimiter, safe)
    if format == "xlsx":
        return XlsxWriter(path, columns)
    return ParquetWriter(path, columns) if format == "parquet" else JsonWriter(path, columns)


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, datetime):
        return _moment(value)
    return value.isoformat() if isinstance(value, date) else value


class CsvWriter:
    """CSV in UTF-8 with a first line of names. Tags stand in one cell, separated by commas; objects as JSON."""

    def __init__(self, path: Path, columns: Sequence[Column], delimiter: str, safe: bool) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, delimiter=delimiter)
        self._columns = columns
        self._safe = safe
        self._csv.writerow([column.name for column in columns])

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """See `Writer`."""
        kinds = [column.kind for column in self._columns]
        self._csv.writerows([[self._cell(kind, value) for kind, value in zip(kinds, row, strict=True)] for row in rows])

    def _cell(self, kind: Kind, value: Any) -> str:
        text = _text(kind, value)
        # A phone number begins with a plus and is no formula, nor is a negative number.
        risky = self._safe and kind in ("text", "tags") and text.startswith(_FORMULA) and not _is_number(text)
        return f"'{text}" if risky else text

    def close(self) -> None:
        """See `Writer`."""
        self._file.close()


def _is_number(text: str) -> bool:
    return text[:1] in "+-" and all(sign.isdigit() or sign in ".,+ " for sign in text[1:])


def _text(kind: Kind, value: Any) -> str:
    if value is None:
        return ""
    if kind == "tags":
        inner = io.StringIO()
        csv.writer(inner, lineterminator="").writerow(value)
        return inner.getvalue()
    if kind == "object":
        return json.dumps(value, ensure_ascii=False)
    if kind == "boolean":
        return "true" if value else "false"
    return str(_plain(value))


class XlsxWriter:
    """A workbook; after a million rows the next sheet begins. A text is a text, never a formula."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        from openpyxl import Workbook

        self._path = path
        self._book = Workbook(write_only=True)
        self._columns = columns
        self._new_sheet()

    def _new_sheet(self) -> None:
        self._sheet = self._book.create_sheet()
        self._sheet.append([column.name for column in self._columns])
        self._rows = 0

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """See `Writer`."""
        kinds = [column.kind for column in self._columns]
        for row in rows:
            if self._rows == _SHEET_ROWS:
                self._new_sheet()
            self._sheet.append([self._cell(kind, value) for kind, value in zip(kinds, row, strict=True)])
            self._rows += 1

    def _cell(self, kind: Kind, value: Any) -> Any:
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

        if value is None or kind in ("integer", "float", "boolean", "day"):
            return (
                str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53 else value
            )
        if kind == "moment":
            return value.astimezone(UTC).replace(tzinfo=None)
        text = ILLEGAL_CHARACTERS_RE.sub("", _text(kind, value))[:_CELL]
        if not text.startswith("="):
            return text
        cell = WriteOnlyCell(self._sheet, value=text)
        cell.data_type = "s"
        return cell

    def close(self) -> None:
        """See `Writer`."""
        self._book.save(self._path)


class ParquetWriter:
    """Parquet with typed columns, compressed; one row group a batch."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        types: dict[Kind, pyarrow.DataType] = {
            "text": pa.string(), "integer": pa.int64(), "float": pa.float64(), "boolean": pa.bool_(), "day": pa.date32(),
            "moment": pa.timestamp("us", tz="UTC"), "tags": pa.list_(pa.string()), "object": pa.string(),
        }  # fmt: skip
        self._columns = columns
        self._schema = pa.schema([(column.name, types[column.kind]) for column in columns])
        self._file = pq.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """See `Writer`."""
        import pyarrow as pa

        if not rows:
            return
        arrays = []
        for column, values in zip(self._columns, zip(*rows, strict=True), strict=True):
            cells = (
                [_text("object", v) if v is not None else None for v in values]
                if column.kind == "object"
                else list(values)
            )
            arrays.append(pa.array(cells, type=self._schema.field(column.name).type))
        self._file.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        """See `Writer`."""
        self._file.close()


class JsonWriter:
    """One JSON object a line; what is empty is left out."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._file = path.open("w", encoding="utf-8")
        self._names = [column.name for column in columns]

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """See `Writer`."""
        for row in rows:
            filled = {name: _plain(v) for name, v in zip(self._names, row, strict=True) if v is not None}
            self._file.write(json.dumps(filled, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """See `Writer`."""
        self._file.close()
