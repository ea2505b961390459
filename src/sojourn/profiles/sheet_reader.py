"""Sheets of workbooks (XLSX, XLS, ODS) as chunks of rows.

A sheet of ordinary size is read at once, ten times faster; a larger one is streamed, so that memory stays bounded whatever comes.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import python_calamine

from sojourn.kernel.errors import SojournError
from sojourn.profiles.reading_rows import Chunk, as_text, named_columns, take_row

AT_ONCE = 96 << 20
"""Bytes of unpacked XML up to which a workbook is read at once: memory is one and a half times as much."""
LARGEST, LARGEST_TEXTS, LARGEST_OLD = 2 << 30, 128 << 20, 64 << 20
"""Bytes of unpacked XML of a workbook, of its table of texts, and of a file of the old binary kind."""


class SheetReader:
    """Reads one sheet; None: the first. `header` is the first row that is not empty, or numbers from 1 where there is none.

    Raises:
        SojournError: `bad_workbook`, `workbook_too_large`, `unknown_sheet`, `empty_file`.
    """

    def __init__(self, path: Path, *, sheet: str | None = None, has_header: bool = True) -> None:
        self.total_bytes = path.stat().st_size
        self._streamed = _must_be_streamed(path)
        self._book: Any = None
        self._file = path.open("rb")  # by a path these libraries go by the ending of its name
        try:
            self._book = openpyxl.load_workbook(self._file, read_only=True, data_only=True) if self._streamed else python_calamine.load_workbook(self._file)  # fmt: skip
            self.sheets: list[str] = list(self._book.sheetnames if self._streamed else self._book.sheet_names)
            self.header = self._find_header(sheet, has_header)
        except BaseException as error:
            self.close()
            if isinstance(error, SojournError) or not isinstance(error, Exception):
                raise
            raise _broken(error) from None  # these libraries raise whatever a broken file provokes

    def _find_header(self, sheet: str | None, has_header: bool) -> list[str]:
        if sheet is not None and sheet not in self.sheets:
            raise SojournError("unknown_sheet", f"The workbook has no sheet “{sheet}”.", "sheet")
        if not self.sheets:
            raise SojournError("empty_file", "The workbook has no sheets.", "file")
        self.sheet = sheet or self.sheets[0]
        self._has_header = has_header
        first = next((cells for _, cells in self._rows() if any(cells)), None)
        if first is None:
            raise SojournError("empty_file", "The sheet is empty.", "file")
        while not first[-1]:
            first = first[:-1]
        return named_columns(first if has_header else range(1, len(first) + 1))

    def chunks(self, size: int) -> Iterator[Chunk]:
        """See `Reader`."""
        chunk, header_passed = Chunk(), not self._has_header
        height = max(1, self._height())
        for line, cells in self._rows():
            if not header_passed:
                header_passed = any(cells)
                continue
            take_row(chunk, cells, line, len(self.header))
            if len(chunk.rows) + len(chunk.rejections) >= size:
                chunk.done_bytes = min(self.total_bytes, self.total_bytes * line // height)
                yield chunk
                chunk = Chunk()
        chunk.done_bytes = self.total_bytes
        yield chunk

    def close(self) -> None:
        """See `Reader`."""
        if self._book is not None:
            self._book.close()
        self._file.close()

    def _height(self) -> int:
        if self._streamed:
            return int(self._book[self.sheet].max_row or 0)
        return int(self._sheet().total_height)

    def _sheet(self) -> Any:
        return self._book.get_sheet_by_name(self.sheet)

    def _rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """Rows with their numbers as the sheet shows them."""
        try:
            if self._streamed:
                rows, before = self._book[self.sheet].iter_rows(values_only=True), 0
            else:
                found = self._sheet()
                rows, before = found.iter_rows(), 0
            for line, row in enumerate(rows, before + 1):
                yield line, [as_text(value).replace("\r\n", "\n") for value in row]
        except SojournError:
            raise
        except Exception as error:
            raise _broken(error) from None


def _must_be_streamed(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        if path.stat().st_size > LARGEST_OLD:
            raise SojournError("workbook_too_large", "The workbook is too large: save it as XLSX or CSV.", "file")
        return False
    with zipfile.ZipFile(path) as packed:
        sizes = {item.filename: item.file_size for item in packed.infolist()}
    whole, texts = sum(sizes.values()), sizes.get("xl/sharedStrings.xml", 0)
    if whole <= AT_ONCE:
        return False
    if whole > LARGEST or texts > LARGEST_TEXTS or not any(name.startswith("xl/") for name in sizes):
        raise SojournError("workbook_too_large", "The workbook is too large: save it as CSV.", "file")
    return True


def _broken(error: Exception) -> SojournError:
    reason = str(error).split("\n")[0][:200]
    if "assword" in reason or "ncrypt" in reason:
        return SojournError("bad_workbook", "The workbook is protected by a password.", "file")
    return SojournError("bad_workbook", f"The workbook cannot be read: {reason or type(error).__name__}.", "file")
