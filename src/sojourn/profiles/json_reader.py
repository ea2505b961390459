"""JSON as chunks of rows, streamed: an array of objects, such an array as `data` of an object, or one object a line.

The columns are the keys of the first 10,000 objects. Objects and lists become the texts that fields of these types read.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from sojourn.kernel.errors import SojournError
from sojourn.profiles.reading_rows import (
    LONGEST_ROW,
    MOST_COLUMNS,
    Chunk,
    Rejection,
    as_text,
    named_columns,
    shown,
    take_row,
)

_BLOCK = 1 << 20
_LOOKED_AT = 10_000
_DECODER = json.JSONDecoder()


class JsonReader:
    """Reads one file.

    Raises:
        SojournError: `bad_json`, `empty_file`, `too_many_columns`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.total_bytes = path.stat().st_size
        self._names: list[str] = []
        names: dict[str, None] = {}
        for number, (_, found, _) in enumerate(self._objects()):
            if number >= _LOOKED_AT or len(names) > MOST_COLUMNS:
                break
            names |= dict.fromkeys(found) if isinstance(found, dict) else {}
        self._names = list(names)
        self.header = named_columns(self._names)
        if not self.header:
            raise SojournError("empty_file", "The file has no objects.", "file")

    def chunks(self, size: int) -> Iterator[Chunk]:
        """See `Reader`. Lines are lines where each holds an object; else numbers of objects."""
        chunk = Chunk()
        for line, found, done in self._objects():
            if isinstance(found, Rejection):
                chunk.rejections.append(found)
            else:
                take_row(chunk, [as_text(found.get(name)) for name in self._names], line, len(self.header))
            chunk.done_bytes = done
            if len(chunk.rows) + len(chunk.rejections) >= size:
                yield chunk
                chunk = Chunk()
        chunk.done_bytes = self.total_bytes
        yield chunk

    def close(self) -> None:
        """See `Reader`."""

    def _objects(self) -> Iterator[tuple[int, dict[str, Any] | Rejection, int]]:
        with self._path.open("rb") as file:
            text = _Text(file)
            if text.next() == "[":
                text.at += 1
                yield from _elements(text, file)
            elif text.next() == "{":
                if _enter_data(text):
                    yield from _elements(text, file)
                else:
                    file.seek(0)
                    yield from _lines(file)
            elif text.next():
                raise SojournError("bad_json", "The file is neither a list of objects nor one object a line.", "file")


def _elements(text: _Text, file: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | Rejection, int]]:
    number = 0
    while text.next(",") != "]":
        if not text.next():
            raise SojournError("bad_json", f"After object {number} the file ends in the middle of the list.", "file")
        number += 1
        try:
            value = text.value()
        except ValueError:
            raise SojournError(
                "bad_json", f"Object {number} is no JSON; nothing after it can be read.", "file"
            ) from None
        yield number, _checked(value, number), file.tell()


def _lines(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any] | Rejection, int]]:
    number = 0
    while raw := file.readline(LONGEST_ROW + 1):
        number += 1
        if len(raw) > LONGEST_ROW:
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(LONGEST_ROW)
            reason = f"The line is longer than {LONGEST_ROW} bytes."
            yield number, Rejection(number, None, reason, "", "row_too_long"), file.tell()
            continue
        line = raw.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace").strip()
        if not line:
            continue
        try:
            yield number, _checked(json.loads(line), number), file.tell()
        except (ValueError, RecursionError):
            yield number, Rejection(number, None, "The line is no JSON.", shown(line), "bad_json"), file.tell()


def _checked(value: Any, number: int) -> dict[str, Any] | Rejection:
    if isinstance(value, dict):
        return value
    return Rejection(number, None, "An object is needed.", shown(as_text(value)), "not_an_object")


def _enter_data(text: _Text) -> bool:
    """Go into the list `data` of the object at which the text stands, if it has one within the first megabyte; else stay."""
    start = text.at
    text.at += 1
    try:
        while text.next(",") == '"':
            key = text.value()
            if text.next() != ":":
                break
            text.at += 1
            if key == "data" and text.next() == "[":
                text.at += 1
                if text.next() in ("{", "]"):
                    return True
                break
            text.next()
            text.value()
    except ValueError:
        pass
    text.at = start
    return False


class _Text:
    """The text of a file, of which one piece at a time is in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        head = file.read(4)
        file.seek(0)
        utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        self._decoder = codecs.getincrementaldecoder("utf-16" if utf16 else "utf-8-sig")(errors="replace")
        self._piece = ""
        self._ended = False
        self.at = 0

    def next(self, passed: str = "") -> str:
        """The next character that is no space, which stays; empty at the end. `passed`: characters that are passed over too."""
        while True:
            while self.at < len(self._piece) and (self._piece[self.at].isspace() or self._piece[self.at] in passed):
                self.at += 1
            if self.at < len(self._piece) or self._ended:
                return self._piece[self.at : self.at + 1]
            self._more()

    def value(self) -> Any:
        """The JSON value at which the text stands.

        Raises:
            ValueError: it is none, or longer than `LONGEST_ROW`.
        """
        while True:
            try:
                value, end = _DECODER.raw_decode(self._piece, self.at)
                if end < len(self._piece) or self._ended or isinstance(value, (dict, list, str)):
                    self.at = end
                    return value
            except RecursionError:
                raise ValueError from None
            except ValueError:
                if self._ended or len(self._piece) - self.at > LONGEST_ROW:
                    raise
            self._more()

    def _more(self) -> None:
        data = self._file.read(_BLOCK)
        self._ended = not data
        self._piece = self._piece[self.at :] + self._decoder.decode(data, final=not data)
        self.at = 0
