"""Hides Liquid from parsers of HTML and MJML, so that they neither break it nor move it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

LIQUID = re.compile(r"\{%-?\s*(raw|comment|doc)\s*-?%\}.*?\{%-?\s*end\1\s*-?%\}|\{\{.*?\}\}|\{%.*?%\}", re.S)
ATTRIBUTE = re.compile(r"([^\s\"'<>/=]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]*))?")
_MASKED = re.compile(r"<!--qqliquid(\d+)qq-->|qqliquid(\d+)qq(?:=\"\")?")
_CLOSED_BY_OTHERS = frozenset(
    {
        "area",
        "base",
        "br",
        "col",
        "dd",
        "dt",
        "embed",
        "hr",
        "img",
        "input",
        "li",
        "link",
        "meta",
        "option",
        "p",
        "source",
        "td",
        "th",
        "tr",
        "wbr",
    }
)
_RAW_TEXT = frozenset({"style", "script", "title", "textarea", "mj-style", "mj-title", "mj-preview"})


def is_output(piece: str) -> bool:
    """Whether a piece of Liquid prints a value (`{{ … }}`), rather than being a tag."""
    return piece.startswith("{{")


def blanked(source: str) -> str:
    """The text with Liquid replaced by characters that mean nothing, every position kept."""
    return LIQUID.sub(lambda m: ("x" if is_output(m[0]) else " ") * len(m[0]), source)


@dataclass(frozen=True, slots=True)
class StartTag:
    """A start tag of the source: its name, where it begins, and its text with Liquid blanked."""

    name: str
    at: int
    text: str

    @property
    def end(self) -> int:
        return self.at + len(self.text)


class MarkupScan(HTMLParser):
    """Start tags, comments and raw texts of a source with their positions; looks into Outlook's conditional comments."""

    def __init__(self, source: str, base: int = 0) -> None:
        super().__init__(convert_charrefs=False)
        self.tags: list[StartTag] = []
        self.opaque: list[tuple[int, int]] = []
        """Spans in which a comment would not be a comment: tags, comments, styles, scripts."""
        self.depth = 0
        """How deep elements are nested at most."""
        self._open = 0
        self._base = base
        self._lines = [0, *(m.end() for m in re.finditer("\n", source))]
        self._raw: tuple[str, int] | None = None
        self.feed(source)
        self.close()

    def _here(self) -> int:
        line, column = self.getpos()
        return self._base + self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text = self.get_starttag_text() or ""
        found = StartTag(tag, self._here(), text)
        self.tags.append(found)
        self.opaque.append((found.at, found.end))
        if tag not in _CLOSED_BY_OTHERS:
            self._open += 1
            self.depth = max(self.depth, self._open)
        if tag in _RAW_TEXT:
            self._raw = (tag, found.end)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._open = max(0, self._open - 1)
        self._raw = None

    def handle_endtag(self, tag: str) -> None:
        if tag not in _CLOSED_BY_OTHERS:
            self._open = max(0, self._open - 1)
        if self._raw and self._raw[0] == tag:
            self.opaque.append((self._raw[1], self._here()))
            self._raw = None

    def handle_comment(self, data: str) -> None:
        start = self._here()
        self.opaque.append((start, start + len(data) + 7))
        if data.startswith("[if"):
            self.tags += MarkupScan(data, start + 4).tags


def scan(source: str) -> MarkupScan:
    """Look through HTML or MJML that holds Liquid."""
    return MarkupScan(blanked(source))


def mask(source: str) -> tuple[str, list[str]]:
    """Liquid replaced by what parsers carry along unchanged: comments for tags between elements, words elsewhere."""
    opaque = sorted(scan(source).opaque)
    pieces: list[str] = []
    index = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal index
        while index < len(opaque) and opaque[index][1] <= match.start():
            index += 1
        inside = index < len(opaque) and opaque[index][0] < match.start()
        pieces.append(match[0])
        word = f"qqliquid{len(pieces) - 1}qq"
        return word if inside or is_output(match[0]) else f"<!--{word}-->"

    return LIQUID.sub(replace, source), pieces


def unmask(masked: str, pieces: list[str]) -> str:
    """The text with its Liquid back."""
    return _MASKED.sub(lambda m: pieces[int(m[1] or m[2])], masked)


def edited(source: str, edits: list[tuple[int, int, str]]) -> str:
    """The source with spans (start, end) replaced."""
    parts, last = [], 0
    for start, end, text in sorted(edits, key=lambda edit: edit[:2]):
        parts += [source[last:start], text]
        last = end
    return "".join([*parts, source[last:]])
