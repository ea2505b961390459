"""The value up to which a scheduled import has read: a number, a moment or a text, as its column has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from sojourn.kernel.errors import SojournError

Type = Literal["integer", "decimal", "date", "moment", "text"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A value with its type."""

    type: Type
    value: Any

    def as_json(self) -> dict[str, str]:
        """As it is kept."""
        return {"type": self.type, "value": self.value.isoformat() if isinstance(self.value, date) else str(self.value)}

    @classmethod
    def of(cls, kept: dict[str, str] | None) -> Cursor | None:
        """From what was kept."""
        if kept is None:
            return None
        text, kind = kept["value"], kept["type"]
        match kind:
            case "integer":
                return cls("integer", int(text))
            case "decimal":
                return cls("decimal", Decimal(text))
            case "date":
                return cls("date", date.fromisoformat(text))
            case "moment":
                return cls("moment", datetime.fromisoformat(text))
        return cls("text", text)


def read_cursor(text: str | None) -> Cursor | None:
    """What somebody wrote as the first value: a whole number, a number, a date, a moment, else a text."""
    if text is None or not text.strip():
        return None
    text = text.strip()
    try:
        return Cursor("integer", int(text))
    except ValueError:
        pass
    try:
        number = Decimal(text)
        if number.is_finite():
            return Cursor("decimal", number)
    except InvalidOperation:
        pass
    try:
        return (
            Cursor("date", date.fromisoformat(text))
            if len(text) == 10
            else Cursor("moment", datetime.fromisoformat(text))
        )
    except ValueError:
        return Cursor("text", text)


def cursor_of(value: Any) -> Cursor:
    """The cursor of a value that a database gave.

    Raises:
        SojournError: `bad_cursor`: nothing that can be compared.
    """
    match value:
        case bool():
            pass
        case int():
            return Cursor("integer", value)
        case float() | Decimal():
            return Cursor("decimal", Decimal(str(value)))
        case datetime():
            return Cursor("moment", value)
        case date():
            return Cursor("date", value)
        case str():
            return Cursor("text", value)
    raise SojournError(
        "bad_cursor", "The column that the import goes on by has values that cannot be compared.", "cursor_column"
    )
