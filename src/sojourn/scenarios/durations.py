"""Durations as people write them: `1d 2h 30m`, `45s`, `2w`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PART = re.compile(r"(\d{1,9})\s*([wdhms])", re.IGNORECASE)
LONGEST = timedelta(days=3660)


def parse_duration(text: Any) -> str:
    """The duration in its normal form, such as `1d 2h`.

    Raises:
        ValueError: it is not a duration between one second and ten years.
    """
    return format_duration(to_timedelta(text))


def to_timedelta(text: Any) -> timedelta:
    """The length of a duration.

    Raises:
        ValueError: as `parse_duration`.
    """
    parts = _PART.findall(text) if isinstance(text, str) else []
    if not parts or _PART.sub("", text).strip():
        raise ValueError("A duration looks like 1d 2h 30m 10s")
    length = timedelta(seconds=sum(int(number) * _UNITS[unit.lower()] for number, unit in parts))
    if not timedelta(seconds=1) <= length <= LONGEST:
        raise ValueError("A duration is between one second and ten years")
    return length


def format_duration(length: timedelta) -> str:
    """The normal form: days, hours, minutes, seconds, without zeros."""
    rest = int(length.total_seconds())
    parts = []
    for unit in "dhms":
        number, rest = divmod(rest, _UNITS[unit])
        if number:
            parts.append(f"{number}{unit}")
    return " ".join(parts)


Duration = Annotated[str, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "x-widget": "duration"})]
"""A settings field that holds a duration."""
