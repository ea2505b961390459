"""The account: its name, its time zone (calendar rules and schedules follow it) and the language of new users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

import psycopg

from sojourn.kernel.errors import SojournError

LANGUAGES = ("en", "ru")
_PLACES = (
    "Africa/",
    "America/",
    "Antarctica/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
    "Arctic/",
)


@dataclass(frozen=True, slots=True)
class Account:
    """The one account of an installation."""

    name: str
    time_zone: str
    language: str


def account(connection: psycopg.Connection[Any]) -> Account:
    """The account."""
    row = connection.execute("SELECT name, time_zone, language FROM account WHERE id = 1").fetchone()
    assert row
    return Account(*row)


def change_account(
    connection: psycopg.Connection[Any], *, name: str | None = None, time_zone: str | None = None, language: str | None = None
) -> Account:  # fmt: skip
    """Change what is given.

    Raises:
        SojournError: `bad_name`, `unknown_time_zone`, `bad_language`.
    """
    if name is not None and (not 1 <= len(name.strip()) <= 200 or "\x00" in name):
        raise SojournError("bad_name", "A name of 1 to 200 characters is needed.", "name")
    if time_zone is not None and time_zone not in time_zones(connection):
        raise SojournError("unknown_time_zone", f"There is no time zone “{time_zone}”.", "time_zone")
    if language is not None and language not in LANGUAGES:
        raise SojournError("bad_language", f"A language is one of {', '.join(LANGUAGES)}.", "language")
    connection.execute(
        "UPDATE account SET name = coalesce(%s, name), time_zone = coalesce(%s, time_zone), language = coalesce(%s, language) WHERE id = 1",
        (name.strip() if name is not None else None, time_zone, language),
    )
    return account(connection)


def time_zones(connection: psycopg.Connection[Any]) -> list[str]:
    """The time zones that both this process and the database know, by place; UTC first."""
    known = available_timezones()
    rows = connection.execute("SELECT name FROM pg_timezone_names ORDER BY name")
    return ["UTC", *(name for (name,) in rows if name in known and name.startswith(_PLACES))]
