"""What commands print: results as a table for people or as JSON for programs, errors as a sentence with its place."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sojourn.kernel.errors import SojournError

DONE, FAILED, BAD_INPUT = 0, 1, 2
"""Exit codes."""
_INPUT_STATUSES = {400, 404, 413, 422}


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(type(value).__name__)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> None:
    """A table on standard output."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    Console().print(table)


def say(text: str) -> None:
    """A line for people, on standard error, so that standard output carries results only."""
    print(text, file=sys.stderr, flush=True)


def print_error(error: SojournError, as_json: bool) -> int:
    """Tell an error; gives the exit code that fits."""
    if as_json:
        print_json({"error": error.as_dict()})
    else:
        say(f"Error: {error}")
    return BAD_INPUT if error.status in _INPUT_STATUSES else FAILED
