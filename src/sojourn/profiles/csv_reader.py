"""CSV files as chunks of rows, streamed: never more than some megabytes in memory, and no line, however broken, stops the reading.

Whole blocks are split at once while they are well-formed; only a block with something odd in it is gone through line by line.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from sojourn.kernel.errors import SojournError
from sojourn.profiles.reading_rows import LONGEST_ROW, Chunk, Rejection, csv_record, named_columns, shown

_BLOCK = 2 << 20
_SAMPLE = 1 << 20
_KEPT = 1_000
"""Bytes kept of a line that is too long."""
_GUESSED = 100_000
DELIMITERS = (",", ";", "\t", "|")
QUOTES = ('"', "'", "")
"""What encloses cells that hold delimiters; the empty one: nothing does."""
_UNICODE = ("utf-8", "utf-8-sig", "utf-16")
_OF_ONE_BYTE = ("cp1251", "cp1252", "koi8-r", "cp866", "cp1250", "iso-8859-1")
ENCODINGS = _UNICODE + _OF_ONE_BYTE


def detect_encoding(sample: bytes) -> str:
    """The encoding of a file by its beginning: a byte order mark, else UTF-8 if it is valid, else the likeliest of one byte."""
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # A few broken lines do not make a file one of single bytes: there every letter beyond ASCII would be broken.
    broken = sample.decode(errors="replace").count("�")
    beyond = sum(byte > 127 for byte in sample)
    return "utf-8" if broken * 10 <= beyond else _of_one_byte(sample)


def _of_one_byte(sample: bytes) -> str:
    """Cyrillic letters stand in rows of several; of Western texts some letters only go beyond ASCII."""
    runs = sorted(map(len, re.findall(rb"[\x80-\xff]+", sample[:_GUESSED])))
    if runs[len(runs) // 2] < 3:
        return "cp1252"
    scores = {
        name: _plausible(sample[:_GUESSED].decode(name, errors="replace")) for name in ("cp1251", "koi8-r", "cp866")
    }
    return max(scores, key=lambda name: scores[name])


def _plausible(text: str) -> int:
    """How much a text looks like Russian: small letters inside of words, and the frequent ones among them."""
    return (
        len(re.findall("[а-яё](?=[а-яё])", text))
        + len(re.findall("[оеаинтср]", text))
        - 3 * len(re.findall("[а-яё][А-ЯЁ]|[╀-▟]", text))
    )


def detect_delimiter(line: str, quote: str = '"') -> str:
    """The delimiter that parts the first line into the most cells."""
    bare = re.sub(f"{quote}[^{quote}]*{quote}", "", line) if quote else line
    return max(DELIMITERS, key=bare.count)


class CsvReader:
    """Reads one file. `header` are the names of the columns: of the first line, or numbers from 1 where there is none.

    Raises:
        SojournError: `empty_file`, `unknown_encoding`, `unknown_delimiter`, `bad_header`.
    """

    def __init__(
        self,
        path: Path,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        quote: str = '"',
        has_header: bool = True,
    ) -> None:
        self._path = path
        self.total_bytes = path.stat().st_size
        with path.open("rb") as file:
            sample = file.read(_SAMPLE)
        self.encoding = encoding or detect_encoding(sample)
        if self.encoding not in ENCODINGS:
            raise SojournError("unknown_encoding", f"An encoding is one of {', '.join(ENCODINGS)}.", "encoding")
        if quote not in QUOTES:
            raise SojournError("unknown_quote", "Cells stand in double quotes, in single ones, or in none.", "quote")
        self._quote = quote
        first = sample.decode(self.encoding, errors="replace").lstrip("\r\n").partition("\n")[0].removesuffix("\r")
        if not first.strip():
            raise SojournError("empty_file", "The file is empty.", "file")
        self.delimiter = delimiter or detect_delimiter(first, quote)
        if len(self.delimiter) != 1 or self.delimiter in f'{quote}"\r\n\x00':
            raise SojournError(
                "unknown_delimiter", "A delimiter is one character: a comma, a semicolon or a tab.", "delimiter"
            )
        try:
            names = next(self._parsed([first]))
        except csv.Error as error:
            raise SojournError("bad_header", f"The first line cannot be read: {error}.", "file") from None
        self._skip = 1 if has_header else 0
        self.header = named_columns(names if has_header else range(1, len(names) + 1))
        self._opening = re.compile(f"(?:^|{re.escape(self.delimiter)}){quote}")

    def close(self) -> None:
        """See `Reader`."""

    def _parsed(self, lines: list[str]) -> Any:
        if self._quote:
            return csv.reader(lines, delimiter=self.delimiter, quotechar=self._quote, strict=True)
        return (line.split(self.delimiter) for line in lines)

    def chunks(self, size: int) -> Iterator[Chunk]:
        """The file in chunks of at most `size` rows."""
        chunk = Chunk()
        with self._path.open("rb") as file:
            for block in self._blocks(file):
                self._read(block, chunk)
                while len(chunk.rows) >= size:
                    head = Chunk(chunk.rows[:size], chunk.lines[:size], chunk.rejections, file.tell())
                    chunk = Chunk(chunk.rows[size:], chunk.lines[size:])
                    yield head
                if len(chunk.rejections) >= size:
                    chunk.done_bytes = file.tell()
                    yield chunk
                    chunk = Chunk()
            chunk.done_bytes = self.total_bytes
            yield chunk

    # ------------------------------------------------------------------------------------------ lines

    def _blocks(self, file: BinaryIO) -> Iterator[_Block]:
        """Whole lines in blocks. What a block leaves over (a quoted cell that goes on) begins the next one."""
        source = _Transcoding(file) if self.encoding == "utf-16" else file
        if self.encoding == "utf-8-sig":
            file.seek(len(codecs.BOM_UTF8))
        number, rest, too_long = 1, b"", False
        carried: list[bytes] = []
        while True:
            data = source.read(_BLOCK)
            lines = (rest + data).split(b"\n")
            rest = lines.pop() if data else b""
            block = _Block(number, carried + lines, final=not data)
            if too_long and lines:
                block.too_long.add(number + len(carried))
                too_long = False
            if len(rest) > LONGEST_ROW:
                rest, too_long = rest[:_KEPT], True
            yield block
            carried = block.left_over
            number = block.first + len(block.lines) - len(carried)
            if not data:
                return

    def _read(self, block: _Block, chunk: Chunk) -> None:
        for at, raw in enumerate(block.lines):
            if len(raw) > LONGEST_ROW:
                block.too_long.add(block.first + at)
        if block.first == 1 and self._skip:
            self._drop_header(block)
        texts = self._decoded(block, chunk)
        whole = "\n".join(texts)
        width = len(self.header)
        if block.too_long or "\x00" in whole or (rows := self._at_once(whole, texts)) is None:
            self._line_by_line(block, texts, chunk)
            return
        for at, row in enumerate(rows):
            if not any(row):
                continue
            if len(row) == width:
                chunk.rows.append(row)
                chunk.lines.append(block.first + at)
            else:
                chunk.rejections.append(self._wrong_width(block.first + at, row))

    def _drop_header(self, block: _Block) -> None:
        """Take away everything up to the first line that is not blank."""
        for at, raw in enumerate(block.lines):
            if raw.strip():
                del block.lines[: at + 1]
                block.first += at + 1
                return

    def _decoded(self, block: _Block, chunk: Chunk) -> list[str]:
        encoding = "utf-8" if self.encoding in _UNICODE else self.encoding
        try:
            texts = b"\n".join(block.lines).decode(encoding).split("\n") if block.lines else []
            if self.encoding != "utf-16" or not any("�" in text for text in texts):
                return [text.removesuffix("\r") for text in texts]
        except UnicodeDecodeError:
            pass
        texts = []
        for at, raw in enumerate(block.lines):
            text = raw.decode(encoding, errors="replace").removesuffix("\r")
            if "�" in text and block.first + at not in block.too_long:
                chunk.rejections.append(
                    _unread(block.first + at, "bad_encoding", f"The line is not valid {self.encoding}.", text)
                )
                text = ""
            texts.append(text)
        return texts

    def _at_once(self, whole: str, texts: list[str]) -> list[list[str]] | None:
        """The rows of a block, one for each line, or None if the block must be gone through line by line."""
        if not self._quote or self._quote not in whole:
            return [text.split(self.delimiter) for text in texts]
        try:
            rows = list(self._parsed(texts))
        except csv.Error:
            return None
        return rows if len(rows) == len(texts) else None

    def _line_by_line(self, block: _Block, texts: list[str], chunk: Chunk) -> None:
        at = 0
        while at < len(texts):
            number, text = block.first + at, texts[at]
            if number in block.too_long:
                chunk.rejections.append(
                    _unread(number, "row_too_long", f"The line is longer than {LONGEST_ROW} bytes.", shown(text))
                )
                at += 1
                continue
            row, used = self._row(texts, at)
            if row is None and used > len(texts) - at and not block.final and at > 0:
                block.left_over = block.lines[at:]
                return
            row_text = "\n".join(texts[at : at + used]) if row else text
            if row is None:
                chunk.rejections.append(
                    _unread(number, "bad_quotes", "A quoted cell is not closed, or goes on after its end.", text)
                )
                used = 1
            elif "\x00" in row_text:
                chunk.rejections.append(_unread(number, "bad_text", "The line holds the character NUL.", row_text))
            elif len(row) == len(self.header):
                if any(row):
                    chunk.rows.append(row)
                    chunk.lines.append(number)
            elif any(row):
                # Of a row over several lines only the first is blamed: a stray quote must not take the next rows with it.
                chunk.rejections.append(self._wrong_width(number, row if used == 1 else self._cells_of(text)))
                used = 1
            at += used

    def _row(self, texts: list[str], at: int) -> tuple[list[str] | None, int]:
        """The row that begins at a line and how many lines it takes; None if its quotes are broken, more than there are if it may go on."""
        text = texts[at]
        if not self._quote or self._quote not in text or not self._opening.search(text):
            return text.split(self.delimiter), 1
        size, quotes = 0, 0
        for used, part in enumerate(texts[at:], 1):
            size += len(part)
            quotes += part.count(self._quote)
            if size > LONGEST_ROW:
                return None, 1
            if quotes % 2 == 0:
                try:
                    [row] = self._parsed(["\n".join(texts[at : at + used])])
                    return row, used
                except (csv.Error, ValueError):
                    return None, 1
        return None, len(texts) - at + 1

    def _cells_of(self, text: str) -> list[str]:
        return text.split(self.delimiter)

    def _wrong_width(self, number: int, row: list[str]) -> Rejection:
        reason = f"The line has {len(row)} cells instead of {len(self.header)}."
        return Rejection(number, None, reason, csv_record(row), "wrong_width", whole=True)


def _unread(number: int, code: str, reason: str, text: str) -> Rejection:
    return Rejection(number, None, reason, text.replace("\x00", "�"), code)


@dataclass(slots=True)
class _Block:
    first: int
    lines: list[bytes]
    final: bool
    too_long: set[int] = field(default_factory=set)
    left_over: list[bytes] = field(default_factory=list)


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Transcoding:
    """UTF-16 as UTF-8, so that lines can be told apart by one byte."""

    def __init__(self, source: _Source) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")

    def read(self, size: int) -> bytes:
        while True:
            data = self._source.read(size)
            text = self._decoder.decode(data, final=not data)
            if text or not data:
                return text.encode(errors="replace")
