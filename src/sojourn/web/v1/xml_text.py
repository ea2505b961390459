"""XML bodies: what a call says in XML means the same as in JSON. Values are texts; whoever reads them takes texts for numbers too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from sojourn.kernel.errors import SojournError

DEEPEST, MOST_ELEMENTS = 50, 500_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


class _Element:
    __slots__ = ("children", "is_list", "name", "text")

    def __init__(self, name: str, is_list: bool) -> None:
        self.name = name
        self.is_list = is_list
        self.text: list[str] = []
        self.children: dict[str, list[_Element]] = {}

    def value(self) -> Any:
        if not self.children:
            return "".join(self.text).strip()
        return {name: _values(same) for name, same in self.children.items()}


def _values(same: list[_Element]) -> Any:
    """Repeated tags make a list; so does one tag that says so, and an empty one that says so makes an empty list."""
    if len(same) == 1 and not same[0].is_list:
        return same[0].value()
    values = [element.value() for element in same]
    return [] if len(same) == 1 and values == [""] else values


class _Reader:
    """Builds the value while the parser runs. No document type is taken, hence no entities that grow."""

    def __init__(self) -> None:
        self._stack: list[_Element] = []
        self._count = 0
        self.root: _Element | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._stack) >= DEEPEST or self._count > MOST_ELEMENTS:
            raise _bad("it is nested too deeply or has too many elements")
        element = _Element(attributes.get("key", name) if name == "item" else name, attributes.get("array") == "true")
        if self._stack:
            self._stack[-1].children.setdefault(element.name, []).append(element)
        else:
            self.root = element
        self._stack.append(element)

    def end(self, name: str) -> None:
        self._stack.pop()

    def text(self, data: str) -> None:
        self._stack[-1].text.append(data)

    def doctype(self, *given: Any) -> None:
        raise _bad("it has a document type")


def _bad(reason: str) -> SojournError:
    return SojournError("bad_xml", f"The body is not XML that is taken here: {reason}.", "body")


def read_xml(body: bytes) -> Any:
    """The value of the root element.

    Raises:
        SojournError: `bad_xml`.
    """
    reader, parser = _Reader(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = reader.text, reader.doctype
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise _bad(str(error)) from None
    assert reader.root
    return reader.root.value()


def write_xml(value: Mapping[str, Any]) -> bytes:
    """A document with the root `<xml>`; a list of one element carries `array="true"`, as calls do."""
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(_written("xml", dict(value)))).encode()


def _written(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, (list, tuple)):
        tag, attributes = _tag(name)
        if not value:
            yield f'<{tag}{attributes} array="true"/>'
        for item in value:
            yield from _element(name, item, ' array="true"' if len(value) == 1 else "")
    else:
        yield from _element(name, value, "")


def _element(name: str, value: Any, mark: str) -> Iterator[str]:
    tag, attributes = _tag(name)
    yield f"<{tag}{attributes}{mark}>"
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _written(str(key), item)
    elif isinstance(value, (list, tuple)):
        yield from _written("item", value)
    elif value is not None:
        yield escape(_FORBIDDEN.sub("\ufffd", str(value).lower() if isinstance(value, bool) else str(value)))
    yield f"</{tag}>"


def _tag(name: str) -> tuple[str, str]:
    """A name that XML does not allow becomes the key of an `item`."""
    return (name, "") if _NAME.fullmatch(name) else ("item", f" key={quoteattr(_FORBIDDEN.sub('', name))}")
