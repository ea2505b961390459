"""The readable text of a letter, made from its HTML where the author gave none: paragraphs, lists, and links with their addresses."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from sojourn.templates.masking import LIQUID

_SKIPPED = frozenset({"head", "style", "script", "title", "template"})
_BLOCKS = frozenset(
    {
        "address",
        "article",
        "blockquote",
        "div",
        "dl",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "li",
        "main",
        "ol",
        "p",
        "section",
        "table",
        "tr",
        "ul",
    }
)
_SPACED = frozenset({"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "table", "ul"})
_WORD = re.compile("\ue000(\\d+)\ue001")


def text_of(html: str) -> str:
    """The text of an HTML letter; its Liquid is carried along, except what stands inside tags."""
    pieces: list[str] = []

    def hide(match: re.Match[str]) -> str:
        pieces.append(match[0])
        return f"\ue000{len(pieces) - 1}\ue001"

    reader = _Reader()
    reader.feed(LIQUID.sub(hide, html))
    reader.close()
    text = reader.text()
    return _WORD.sub(lambda m: pieces[int(m[1])], text)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._skip: list[str] = []
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skip.append(tag)
        elif tag == "br":
            self._parts.append("\n")
        elif tag == "hr":
            self._parts.append("\n\n---\n\n")
        elif tag == "img":
            self._parts.append(dict(attrs).get("alt") or "")
        elif tag == "a":
            self._links.append(((dict(attrs).get("href") or "").strip(), len(self._parts)))
        elif tag in _BLOCKS:
            self._parts.append("\n\n" if tag in _SPACED else "\n")
            if tag == "li":
                self._parts.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if self._skip and tag == self._skip[-1]:
            self._skip.pop()
        elif tag == "a" and self._links:
            address, since = self._links.pop()
            label = "".join(self._parts[since:]).strip()
            if address == label:
                self._parts.append(" ")  # or what follows would become part of the address
            elif address and not address.startswith("#"):
                self._parts.append(f" ({address})" if label else f"{address} ")
        elif tag in ("td", "th"):
            self._parts.append(" ")
        elif tag in _BLOCKS:
            self._parts.append("\n\n" if tag in _SPACED else "\n")

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self._parts.append(re.sub(r"[ \t\r\n\u00a0\u200c\u034f]+", " ", data))

    def text(self) -> str:
        lines = [re.sub(" {2,}", " ", line).strip() for line in "".join(self._parts).split("\n")]
        return re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
