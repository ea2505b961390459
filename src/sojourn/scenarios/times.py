"""Times of day and days of the week as settings."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

DAYS = (1, 2, 3, 4, 5, 6, 7)
"""Monday is 1."""
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def parse_clock(text: Any) -> str:
    """A time of day as `09:30`.

    Raises:
        ValueError: it is none.
    """
    found = _CLOCK.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError("A time of day looks like 09:30")
    return f"{int(found[1]):02}:{found[2]}"


def _parse_days(days: Any) -> Any:
    return (
        sorted({int(day) for day in days})
        if isinstance(days, list) and all(str(day).isdigit() for day in days)
        else days
    )


ClockTime = Annotated[str, BeforeValidator(parse_clock), WithJsonSchema({"type": "string", "x-widget": "clock"})]
"""A settings field that holds a time of day."""
Weekdays = Annotated[list[Annotated[int, Field(ge=1, le=7)]], BeforeValidator(_parse_days)]
"""A settings field that holds days of the week."""


def parse_moment(text: Any) -> str:
    """A moment by the clock on the wall, as `2026-12-31 09:30`.

    Raises:
        ValueError: it is none.
    """
    try:
        return f"{datetime.fromisoformat(str(text).strip()[:16]):%Y-%m-%d %H:%M}"
    except ValueError:
        raise ValueError("A moment looks like 2026-12-31 09:30") from None


LocalMoment = Annotated[str, BeforeValidator(parse_moment), WithJsonSchema({"type": "string", "x-widget": "moment"})]
"""A settings field that holds a day and a time of day, without a zone."""
