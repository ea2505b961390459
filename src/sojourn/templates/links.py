"""Rewrites the links of a text by their position in the source; the source itself is never parsed and printed again."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any, Literal

from liquid.exceptions import LiquidError

from sojourn.templates.language import CLICK, language
from sojourn.templates.masking import ATTRIBUTE, LIQUID, blanked, edited, is_output, scan

OWN_ADDRESSES = ("unsubscribe_url", "manage_url", "opt_in_url", "web_version_url")
OPEN = "_open"
_OWN = re.compile(r"\s*\{\{-?\s*(" + "|".join(OWN_ADDRESSES) + r")\b")
_SCHEME = re.compile(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):")
_LONGEST_ADDRESS = 8_000
_IN_TEXT = re.compile(r"https?://[^\s<>\"')\]]+")
_ON_SERVER = frozenset({"profile", "subscription", "resource"})

Kind = Literal["static", "rendered", "signed"]


@dataclass(frozen=True, slots=True)
class Link:
    """One tracked link. `static`: the address as it is; `rendered`: Liquid over the profile in its query, rendered at the
    click; `signed`: made of other data, so the message carries the destination itself."""

    number: int
    address: str
    kind: Kind

    def as_dict(self) -> dict[str, Any]:
        return {"number": self.number, "address": self.address, "kind": self.kind}


class Numbering:
    """Gives numbers to the links of one template version, first HTML, then text; equal addresses of the text share them."""

    def __init__(self, own_names: frozenset[str] = frozenset()) -> None:
        self.links: list[Link] = []
        self._by_address: dict[str, Link] = {}
        self._own_names = own_names
        """Names that the template itself assigns: what they hold is not known at the click."""

    def add(self, source: str) -> Link:
        link = Link(len(self.links) + 1, source, _kind(source, self._own_names))
        self.links.append(link)
        self._by_address.setdefault(source, link)
        return link

    def known_or_new(self, source: str) -> Link:
        return self._by_address.get(source) or self.add(source)


def rewrite_html(source: str, numbering: Numbering) -> str:
    """The HTML with tracked links and the picture that tells of an opening."""
    edits = [
        (start, end, _tracked(numbering.add(address), source[start:end])) for start, end, address in _html_links(source)
    ]
    pixel = (
        f'<img src="{{{{ {OPEN} }}}}" width="1" height="1" alt="" style="display:block;border:0;width:1px;height:1px">'
    )
    at = blanked(source).lower().rfind("</body")
    at = at if at >= 0 else len(source)
    return edited(source, [*edits, (at, at, pixel)])


def rewrite_text(source: str, numbering: Numbering) -> str:
    """The plain text with tracked links."""
    masked = blanked(source)
    edits = []
    for match in _IN_TEXT.finditer(masked):
        start, end = match.start(), match.end()
        while masked[end - 1] in ".,;:!?":
            end -= 1
        if source[end : end + 2] == "{%" or end - start > _LONGEST_ADDRESS:
            continue
        edits.append(
            (
                start,
                end,
                _tracked(numbering.known_or_new(encoded_values(source[start:end])), encoded_values(source[start:end])),
            )
        )
    return edited(source, edits)


def _html_links(source: str) -> list[tuple[int, int, str]]:
    """Start, end and plain address of each link that is to be tracked."""
    found = []
    for tag in scan(source).tags:
        if tag.name not in ("a", "area") and not tag.name.startswith("v:"):
            continue
        for attribute in ATTRIBUTE.finditer(tag.text, len(tag.name) + 1):
            if attribute[1].lower() != "href" or not attribute[2]:
                continue
            quotes = 1 if attribute[2][0] in "\"'" else 0
            start, end = tag.at + attribute.start(2) + quotes, tag.at + attribute.end(2) - quotes
            if _is_tracked(source[start:end]):
                found.append((start, end, encoded_values(_unescaped(source[start:end]))))
            break
    return found


def _is_tracked(address: str) -> bool:
    if _OWN.match(address) or len(address) > _LONGEST_ADDRESS:
        return False
    scheme = _SCHEME.match(address)
    return scheme[1].lower() in ("http", "https") if scheme else address.lstrip().startswith("{")


def _tracked(link: Link, source: str) -> str:
    if link.kind == "signed":
        return f"{{% tracked {link.number} %}}{encoded_values(source)}{{% endtracked %}}"
    return f"{{{{ {CLICK} }}}}/{link.number}"


def _unescaped(address: str) -> str:
    """Character references outside Liquid resolved."""
    parts, last = [], 0
    for match in LIQUID.finditer(address):
        parts += [html.unescape(address[last : match.start()]), match[0]]
        last = match.end()
    return "".join([*parts, html.unescape(address[last:])]).strip()


def encoded_values(address: str) -> str:
    """Percent-encodes values that stand behind `name=` in the query, unless the author did it already."""
    plain = blanked(address)
    query = plain.find("?")
    if query < 0:
        return address

    def encode(match: re.Match[str]) -> str:
        before = plain[query : match.start()]
        mark = max(before.rfind(sign) for sign in "?&#")
        if (
            not is_output(match[0])
            or match.start() < query
            or "=" not in before[mark:]
            or re.search(r"\|\s*(url_encode|safe)\s*-?\}\}$", match[0])
        ):
            return match[0]
        return re.sub(r"\s*(-?\}\})$", r" | url_encode \1", match[0])

    return LIQUID.sub(encode, address)


def _kind(address: str, own_names: frozenset[str]) -> Kind:
    first = LIQUID.search(address)
    if not first:
        return "static"
    masked = blanked(address)
    behind = min((at for at in (masked.find("?"), masked.find("#")) if at >= 0), default=len(address))
    if first.start() < behind:
        return "signed"
    try:
        analysis = language("html").from_string(address).analyze()
    except LiquidError:
        return "signed"
    roots = set(analysis.variables)
    return "rendered" if roots <= _ON_SERVER and not roots & own_names else "signed"
