"""Tokens of the HTTP API. Only a hash with the installation's key is kept; whoever reads the table cannot call."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from sojourn.access.caller import ROLES, Caller, Role
from sojourn.kernel import Clock, Settings
from sojourn.kernel.errors import NotFound, SojournError
from sojourn.kernel.tokens import derive, installation_key

_LONGEST = 200
_USE_NOTED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its secret."""

    id: int
    name: str
    role: Role
    created_at: datetime
    last_used_at: datetime | None


def token_key(settings: Settings) -> bytes:
    """The key under which the tokens of an installation are hashed."""
    return derive(installation_key(settings.data), "api token")


def _hash(key: bytes, token: str) -> bytes:
    return hashlib.blake2b(token.encode(), key=key, digest_size=32).digest()


def create_token(
    connection: psycopg.Connection[Any], clock: Clock, key: bytes, name: str, role: Role = "editor"
) -> tuple[ApiToken, str]:
    """Make a token (32 hexadecimal digits); it is told here and never again. `key`: see `token_key`.

    Raises:
        SojournError: `bad_name`, `bad_role`.
    """
    name, token = name.strip(), secrets.token_hex(16)
    if not 1 <= len(name) <= _LONGEST or not name.isprintable():
        raise SojournError("bad_name", f"A name of 1 to {_LONGEST} characters is needed.", "name")
    if role not in ROLES:
        raise SojournError("bad_role", f"A role is one of {', '.join(ROLES)}.", "role")
    row = connection.execute(
        "INSERT INTO access_token (created_at, name, token_hash, role) VALUES (%s, %s, %s, %s) RETURNING id, name, role, created_at, last_used_at",
        (clock.now(), name, _hash(key, token), role),
    ).fetchone()
    assert row
    return ApiToken(*row), token


def ensure_api_token(connection: psycopg.Connection[Any], clock: Clock, settings: Settings) -> bool:
    """Make the token of the settings valid, if there is one; tells whether it is new. One that was revoked stays revoked."""
    if not settings.api_token:
        return False
    return (
        connection.execute(
            "INSERT INTO access_token (created_at, name, token_hash, role) VALUES (%s, 'SOJOURN_API_TOKEN', %s, 'editor') ON CONFLICT (token_hash) DO NOTHING",
            (clock.now(), _hash(token_key(settings), settings.api_token)),
        ).rowcount
        > 0
    )


def token_caller(connection: psycopg.Connection[Any], clock: Clock, key: bytes, token: str) -> Caller | None:
    """The program that holds this token; None if it is unknown or revoked."""
    if not 1 <= len(token) <= _LONGEST:
        return None
    now = clock.now()
    row = connection.execute(
        "SELECT id, name, role, last_used_at FROM access_token WHERE token_hash = %s AND revoked_at IS NULL",
        (_hash(key, token),),
    ).fetchone()
    if row is None:
        return None
    token_id, name, role, used = row
    if used is None or now - used > _USE_NOTED:
        connection.execute("UPDATE access_token SET last_used_at = %s WHERE id = %s", (now, token_id))
    return Caller(role, token_id=token_id, name=name)


def list_tokens(connection: psycopg.Connection[Any], *, after: int = 0, limit: int = 100) -> list[ApiToken]:
    """Valid tokens in the order of their numbers, after the number `after`."""
    rows = connection.execute(
        "SELECT id, name, role, created_at, last_used_at FROM access_token WHERE revoked_at IS NULL AND id > %s ORDER BY id LIMIT %s",
        (after, limit),
    )
    return [ApiToken(*row) for row in rows]


def revoke_token(connection: psycopg.Connection[Any], clock: Clock, token_id: int) -> None:
    """End a token. Processes that have just used it may honour it for some seconds more.

    Raises:
        NotFound: `unknown_token`.
    """
    changed = connection.execute(
        "UPDATE access_token SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL", (clock.now(), token_id)
    ).rowcount
    if not changed:
        raise NotFound("unknown_token", "There is no such token.", "id")
