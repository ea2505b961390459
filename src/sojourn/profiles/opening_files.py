"""Files of any format as one reader: the format is told by the content, archives are unpacked, several files are read one after the other."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sojourn.kernel.errors import SojournError
from sojourn.profiles.archives import Unpacked
from sojourn.profiles.csv_reader import CsvReader
from sojourn.profiles.import_arguments import ReadingArguments
from sojourn.profiles.json_reader import JsonReader
from sojourn.profiles.reading_rows import MOST_COLUMNS, Chunk, Reader, Rejection
from sojourn.profiles.sheet_reader import SheetReader

Format = Literal["csv", "json", "workbook", "archive"]
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
MOST_FILES = 200


@dataclass(frozen=True, slots=True)
class Named:
    """A file of this host, and the name it has for people."""

    path: Path
    name: str = ""


def format_of(path: Path) -> Format:
    """What a file is, by its content.

    Raises:
        SojournError: `unknown_format`.
    """
    with path.open("rb") as file:
        head = file.read(4_096)
    if head.startswith(_OLD_WORKBOOK):
        return "workbook"
    if head.startswith(b"PK"):
        return _packed(path)
    if head.startswith(_COMPRESSED) or (b"ustar" in head and tarfile.is_tarfile(path)):
        return "archive"
    if head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")):
        raise SojournError("unknown_format", "The file is neither text nor a workbook nor an archive.", "file")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = head.decode("utf-16", errors="replace").lstrip("\ufeff \t\r\n").encode()
    return "json" if start.startswith((b"{", b"[{", b"[ {", b"[\n", b"[\r")) or _list_of_objects(start) else "csv"


def _list_of_objects(start: bytes) -> bool:
    return start.startswith(b"[") and start[1:].lstrip()[:1] in (b"{", b"]")


def _packed(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        raise SojournError("bad_archive", "The archive cannot be read.", "file") from None
    return "workbook" if names & {"xl/workbook.xml", "xl/workbook.bin", "content.xml"} else "archive"


def open_files(files: Sequence[Named], how: ReadingArguments) -> Reader:
    """A reader of all rows of files, in their order. Columns of the same name are one; `close` the reader at the end.

    Raises:
        SojournError: `no_file`, `unknown_format`, `too_many_files`, and what the readers raise; of several files the message names the file.
    """
    if not files:
        raise SojournError("no_file", "There is no file.", "file")
    parts: list[tuple[Reader, str]] = []
    folders: list[Callable[[], None]] = []
    try:
        for file in files:
            for inner in _inside(file, folders):
                if len(parts) == MOST_FILES:
                    raise SojournError("too_many_files", f"An import has {MOST_FILES} files at most.", "file")
                parts.append((_named_errors(inner, how, alone=len(files) == 1 and not folders), inner.name))
        if len(parts) == 1 and not folders:
            return parts[0][0]
        return FilesReader([reader for reader, _ in parts], folders)
    except BaseException:
        for reader, _ in parts:
            reader.close()
        for remove in folders:
            remove()
        raise


def _inside(file: Named, folders: list[Callable[[], None]]) -> Iterator[Named]:
    if not file.path.exists():
        raise SojournError("unknown_file", "The file is not there any more: upload it again.", "file")
    if format_of(file.path) != "archive":
        yield file
        return
    found = Unpacked(file.path)
    folders.append(found.close)
    for path, name in found.files:
        if format_of(path) == "archive":
            raise SojournError("bad_archive", "The archive holds another archive.", "file")
        yield Named(path, name)


def _named_errors(file: Named, how: ReadingArguments, *, alone: bool) -> Reader:
    try:
        return _open(file.path, how)
    except SojournError as error:
        if alone or not file.name:
            raise
        raise type(error)(error.code, f"{file.name}: {error.message}", error.place) from None


def _open(path: Path, how: ReadingArguments) -> Reader:
    match format_of(path):
        case "workbook":
            return SheetReader(path, sheet=how.sheet, has_header=how.has_header)
        case "json":
            return JsonReader(path)
    return CsvReader(path, encoding=how.encoding, delimiter=how.delimiter, quote=how.quote, has_header=how.has_header)


class FilesReader:
    """Several readers as one. The header has the columns of all; rows of files without one of them have an empty cell there."""

    def __init__(self, readers: Sequence[Reader], folders: Sequence[Callable[[], None]] = ()) -> None:
        self.readers = list(readers)
        self._folders = list(folders)
        self.header = list(dict.fromkeys(name for reader in readers for name in reader.header))
        if len(self.header) > MOST_COLUMNS:
            raise SojournError("too_many_columns", f"All files have {MOST_COLUMNS} columns at most.", "file")
        self.total_bytes = sum(reader.total_bytes for reader in readers)

    def chunks(self, size: int) -> Iterator[Chunk]:
        """See `Reader`."""
        before = 0
        for number, reader in enumerate(self.readers):
            place = {name: at for at, name in enumerate(reader.header)}
            places = [place.get(name, -1) for name in self.header]
            same = reader.header == self.header
            for chunk in reader.chunks(size):
                rows: list[Sequence[str]] = chunk.rows if same else [_arranged(row, places) for row in chunk.rows]
                rejections = [_of_file(item, number) for item in chunk.rejections] if number else chunk.rejections
                yield Chunk(rows, chunk.lines, rejections, before + chunk.done_bytes, number)
            before += reader.total_bytes

    def close(self) -> None:
        """See `Reader`."""
        for reader in self.readers:
            reader.close()
        for remove in self._folders:
            remove()


def _arranged(row: Sequence[str], places: Sequence[int]) -> list[str]:
    return [row[at] if at >= 0 else "" for at in places]


def _of_file(item: Rejection, number: int) -> Rejection:
    return Rejection(item.line, item.field, item.reason, item.row_text, item.code, item.column, item.whole, number)
