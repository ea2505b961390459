"""Dates of the profile that nodes go by: a field of that type, and on, before or after it."""

from __future__ import annotations

from sojourn.kernel.errors import Problem, SojournError
from sojourn.profiles import Database
from sojourn.scenarios.node_type import Text

SHIFTS: dict[str, Text] = {
    "on": {"en": "on the date", "ru": "в эту дату"},
    "before": {"en": "before it", "ru": "до неё"},
    "after": {"en": "after it", "ru": "после неё"},
}


def check_date_field(database: Database, name: str | None) -> list[Problem]:
    """What keeps a field from being such a date; the setting is called `field`."""
    if name is None:
        return [Problem("field_missing", "Which date of the profile?", "field")]
    try:
        known = database.field(name)
    except SojournError as error:
        return [Problem(error.code, error.message, "field")]
    if known.type != "date":
        return [Problem("wrong_field", f"A field of type {known.type} holds no date.", "field")]
    return []
