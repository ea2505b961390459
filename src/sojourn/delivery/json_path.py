"""A small JSONPath: `$.data.items[0].id`, `$['odd name']`, `[-1]`. One value, no wildcards and no filters."""

from __future__ import annotations

import re
from typing import Any

from sojourn.kernel.errors import SojournError

_PART = re.compile(r"""\.([^.\[\]'"\s]+)|\[(-?\d{1,9})\]|\['([^']*)'\]|\["([^"]*)"\]""")


def parse_path(path: str) -> tuple[str | int, ...]:
    """The steps of a path; the leading `$` may be left out.

    Raises:
        SojournError: `bad_json_path`.
    """
    text = path.strip().removeprefix("$")
    if text and text[0] not in ".[":
        text = f".{text}"
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        found = _PART.match(text, position)
        if not found:
            raise SojournError("bad_json_path", f"“{path}” is not a path such as $.data.items[0].id.")
        name, number, single, double = found.groups()
        steps.append(int(number) if number is not None else next(x for x in (name, single, double) if x is not None))
        position = found.end()
    return tuple(steps)


def value_at(document: Any, steps: tuple[str | int, ...]) -> Any:
    """The value at a path, or None if there is none."""
    for step in steps:
        if isinstance(step, int) and isinstance(document, list) and -len(document) <= step < len(document):
            document = document[step]
        elif isinstance(step, str) and isinstance(document, dict):
            document = document.get(step)
        else:
            return None
    return document
