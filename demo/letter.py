"""A letter as a reader sees it: its links, each by what it does."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Letter:
    """What can be done with a letter. None: there is no such link."""

    pixel: str | None
    confirm: str | None
    leave: str | None
    clicks: tuple[str, ...]


def read_letter(html: str, base_url: str) -> Letter:
    """The links of a letter, as far as they lead to `base_url`: an audience must never wander off into the internet."""
    finder = _Links()
    finder.feed(html)
    own = [address for address in finder.addresses if address.startswith(base_url + "/")]
    by_kind: dict[str, list[str]] = {}
    for address in own:
        by_kind.setdefault(urlsplit(address).path.split("/")[1], []).append(address)

    def first(kind: str) -> str | None:
        return by_kind.get(kind, [None])[0]

    return Letter(first("o"), first("s"), first("u"), tuple(by_kind.get("c", ())))


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        wanted = {"a": "href", "img": "src"}.get(tag)
        self.addresses += [value for name, value in attrs if name == wanted and value]
