"""Whose clock a node goes by: the account's, or the profile's own where it has a valid time zone."""

from __future__ import annotations

from typing import Literal

from sojourn.kernel.statement import quoted
from sojourn.profiles import Database
from sojourn.scenarios.node_type import Text
from sojourn.scenarios.stage import LANE
from sojourn.segments.rule import ACCOUNT_ZONE

Zone = Literal["account", "profile"]
ZONE_WORDS: dict[str, Text] = {
    "account": {"en": "the account's", "ru": "аккаунта"},
    "profile": {"en": "the profile's own, else the account's", "ru": "профиля, иначе аккаунта"},
}
WEEKDAYS: dict[str, Text] = {
    "1": {"en": "Mon", "ru": "Пн"},
    "2": {"en": "Tue", "ru": "Вт"},
    "3": {"en": "Wed", "ru": "Ср"},
    "4": {"en": "Thu", "ru": "Чт"},
    "5": {"en": "Fri", "ru": "Пт"},
    "6": {"en": "Sat", "ru": "Сб"},
    "7": {"en": "Sun", "ru": "Вс"},
}
TIME_ZONE_FIELD = "_tz"


def zone_sql(database: Database, zone: Zone, profile: str = "p") -> str:
    """SQL: the name of the zone for the joined profile row."""
    if zone == "account":
        return ACCOUNT_ZONE
    return f"sojourn_zone({profile}.{quoted(database.field(TIME_ZONE_FIELD).column)}, {ACCOUNT_ZONE})"


def profile_join(database: Database) -> str:
    """SQL: the profile's row as `p`, or nulls."""
    return f"LEFT JOIN LATERAL (SELECT * FROM {quoted(database.table)} p WHERE p.lane = {LANE} AND p.id = f.profile_id LIMIT 1) p ON true"


def weekday_words(days: list[int], language: str) -> str:
    """Days of the week in short words."""
    return ", ".join(WEEKDAYS[str(day)]["ru" if language == "ru" else "en"] for day in sorted(days))
