"""The people who work with the product."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.access.caller import ROLES, Role
from sojourn.access.passwords import hash_password
from sojourn.kernel import Clock
from sojourn.kernel.errors import Conflict, NotFound, SojournError

LANGUAGES = ("en", "ru")


def create_user(
    connection: psycopg.Connection[Any], clock: Clock, email: str, password: str, role: Role, *, name: str = "", language: str = "en"
) -> int:  # fmt: skip
    """Make a user; tells the id.

    Raises:
        SojournError: `bad_email`, `bad_password`, `bad_role`, `bad_language`. Conflict: `user_exists`.
    """
    email = email.strip()
    if "@" not in email or not 3 <= len(email) <= 254 or not email.isprintable():
        raise SojournError("bad_email", "A user is named by an e-mail address.", "email")
    if role not in ROLES:
        raise SojournError("bad_role", f"A role is one of {', '.join(ROLES)}.", "role")
    _check_language(language)
    try:
        row = connection.execute(
            "INSERT INTO access_user (created_at, email, name, password_hash, role, language) VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
            (clock.now(), email, name.strip(), hash_password(password), role, language),
        ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise Conflict("user_exists", f"There is a user {email} already.", "email") from None
    assert row
    return int(row[0])


def set_language(connection: psycopg.Connection[Any], user_id: int, language: str) -> None:
    """Choose the language in which the product speaks to a user.

    Raises:
        SojournError: `bad_language`. NotFound: `unknown_user`.
    """
    _check_language(language)
    changed = connection.execute("UPDATE access_user SET language = %s WHERE id = %s", (language, user_id)).rowcount
    if not changed:
        raise NotFound("unknown_user", "There is no such user.", "id")


def _check_language(language: str) -> None:
    if language not in LANGUAGES:
        raise SojournError("bad_language", f"The language is one of {', '.join(LANGUAGES)}.", "language")
