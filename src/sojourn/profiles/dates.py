"""Moments and days out of what people and programs write: `YYYY-MM-DD`, RFC 3339, `DD.MM.YYYY`, milliseconds since 1970, or a chosen format."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = re.compile(r"-?\d{9,15}")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")


def parse_moment(value: str | int | float | datetime | date, date_format: str | None = None) -> datetime:
    """A moment in the time zone it was written with; UTC where none was.

    Raises:
        ValueError: it is none. OverflowError: it lies outside the years 1 to 9999.
    """
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)  # noqa: DTZ001
    elif isinstance(value, (int, float)):
        moment = _EPOCH + timedelta(milliseconds=value)
    else:
        moment = _parse_text(value.strip(), date_format)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def to_utc(moment: datetime) -> datetime:
    """The same moment in UTC.

    Raises:
        OverflowError: it lies outside the years 1 to 9999 there.
    """
    return moment.astimezone(UTC)


def _parse_text(text: str, date_format: str | None) -> datetime:
    if date_format:
        return datetime.strptime(text, date_format)  # noqa: DTZ007
    if _MILLISECONDS.fullmatch(text):
        return _EPOCH + timedelta(milliseconds=int(text))
    if dotted := _DOTTED.fullmatch(text):
        day, month, year, hour, minute, second = (int(part or 0) for part in dotted.groups())
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
    if not text.isascii() or "-" not in text[:6]:  # neither weeks nor bare digits: both are too easily something else
        raise ValueError(text)
    return datetime.fromisoformat(text)
