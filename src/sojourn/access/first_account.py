"""The first account of an installation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import psycopg

from sojourn.access.users import create_user
from sojourn.kernel import Clock, Settings

DEFAULT_EMAIL = "admin@localhost"
_LOCK = 7_310_002


@dataclass(frozen=True, slots=True)
class FirstAccount:
    """The log-in of the first account, to be shown once."""

    email: str
    password: str


def ensure_first_account(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> FirstAccount | None:
    """Make the first account, a master, where there is no user yet.

    Tells its log-in only if the password was made up: one that stands in the settings is known, and none of ours to print.

    Raises:
        SojournError: `bad_email` or `bad_password`, from the settings.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        if connection.execute("SELECT 1 FROM access_user LIMIT 1").fetchone():
            return None
        account = FirstAccount(
            settings.admin_email or DEFAULT_EMAIL, settings.admin_password or secrets.token_urlsafe(12)
        )
        create_user(connection, clock, account.email, account.password, "master", name="")
    return None if settings.admin_password else account
