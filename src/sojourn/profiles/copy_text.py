"""Python values as lines of PostgreSQL's COPY text format: the one form in which rows of every import reach the server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
ESCAPE = str.maketrans(_ESCAPES)
NULL = "\\N"


def cell(value: Any) -> str:
    """One value."""
    if value is None:
        return NULL
    if isinstance(value, str):
        return value.translate(ESCAPE)
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return array(value).translate(ESCAPE)
    return document(value)


def array(items: Iterable[str]) -> str:
    """An array literal of texts."""
    quoted = ('"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items)
    return "{" + ",".join(quoted) + "}"


def document(value: Any) -> str:
    """A JSON value."""
    return json.dumps(value, ensure_ascii=False).translate(ESCAPE)


def typed_cell(value: Any, sql_type: str) -> str:
    """One value for a column whose type says whether a list is an array or JSON."""
    return document(value) if sql_type == "jsonb" and value is not None else cell(value)


def line(cells: Iterable[str]) -> str:
    """A row."""
    return "\t".join(cells) + "\n"
