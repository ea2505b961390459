"""Connections as they are kept: what may be shown in plain, secrets encrypted and never given out again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ValidationError

from sojourn.connections.ftp import Ftp
from sojourn.connections.http import Http
from sojourn.connections.kind import Kind, Opened, Surroundings
from sojourn.connections.s3 import S3
from sojourn.connections.sftp import Sftp
from sojourn.connections.sql import Sql
from sojourn.kernel import Clock, Settings
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.kernel.vault import Vault

KINDS: dict[str, Kind] = {kind.code: kind for kind in (Sql(), Http(), S3(), Ftp(), Sftp())}
_COLUMNS = "id, name, kind, settings, secret IS NOT NULL, created_at, updated_at"


@dataclass(frozen=True, slots=True)
class Link:
    """A connection as it may be shown."""

    id: int
    name: str
    kind: str
    settings: dict[str, Any]
    has_secret: bool
    created_at: datetime
    updated_at: datetime


def kind_named(code: str) -> Kind:
    """A kind by its code.

    Raises:
        SojournError: `unknown_kind`.
    """
    if code not in KINDS:
        raise SojournError("unknown_kind", f"A kind is one of {', '.join(KINDS)}.", "kind")
    return KINDS[code]


def create_link(
    connection: psycopg.Connection[Any], clock: Clock, vault: Vault, name: str, kind: str, settings: Mapping[str, Any], secret: Mapping[str, Any]
) -> Link:  # fmt: skip
    """Make a connection.

    Raises:
        SojournError: `bad_name`, `unknown_kind`, `bad_connection`. Conflict: `connection_exists`.
    """
    shown, hidden = _checked(kind_named(kind), settings, secret)
    with connection.transaction():
        try:
            row = connection.execute(
                f"INSERT INTO connection (created_at, updated_at, name, kind, settings) VALUES (%s, %s, %s, %s, %s) RETURNING {_COLUMNS}",
                (clock.now(), clock.now(), _name(name), kind, Jsonb(shown)),
            ).fetchone()
        except psycopg.errors.UniqueViolation:
            raise Conflict("connection_exists", f"There is a connection “{name.strip()}” already.", "name") from None
        assert row
        _seal(connection, vault, row[0], hidden)
    return link(connection, row[0])


def change_link(
    connection: psycopg.Connection[Any], clock: Clock, vault: Vault, link_id: int, name: str, settings: Mapping[str, Any], secret: Mapping[str, Any] | None
) -> Link:  # fmt: skip
    """Change a connection; `secret` None keeps the one that is there.

    A secret is kept only for the same place: with another host, address or user it has to be entered again.

    Raises:
        SojournError: `bad_name`, `bad_connection`, `secret_needed`. NotFound: `unknown_connection`. Conflict: `connection_exists`.
    """
    known = link(connection, link_id)
    shown, hidden = _checked(kind_named(known.kind), settings, secret or {})
    if secret is None and known.has_secret and _place(known.settings) != _place(shown):
        raise SojournError("secret_needed", "For another place the secret has to be entered again.", "secret")
    with connection.transaction():
        try:
            connection.execute(
                "UPDATE connection SET updated_at = %s, name = %s, settings = %s WHERE id = %s",
                (clock.now(), _name(name), Jsonb(shown), link_id),
            )
        except psycopg.errors.UniqueViolation:
            raise Conflict("connection_exists", f"There is a connection “{name.strip()}” already.", "name") from None
        if secret is not None:
            _seal(connection, vault, link_id, hidden)
    return link(connection, link_id)


def _place(settings: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(
        settings.get(name) for name in ("host", "port", "url", "endpoint", "bucket", "user", "access_key", "system")
    )


def delete_link(connection: psycopg.Connection[Any], link_id: int) -> None:
    """Delete a connection that nothing uses.

    Raises:
        NotFound: `unknown_connection`. Conflict: `connection_in_use`.
    """
    link(connection, link_id)
    try:
        connection.execute("DELETE FROM connection WHERE id = %s", (link_id,))
    except psycopg.errors.ForeignKeyViolation:
        raise Conflict("connection_in_use", "Scheduled imports or outside tables use this connection.", "id") from None


def link(connection: psycopg.Connection[Any], link_id: int) -> Link:
    """One connection.

    Raises:
        NotFound: `unknown_connection`.
    """
    row = None
    if 0 < link_id < 1 << 31:
        row = connection.execute(f"SELECT {_COLUMNS} FROM connection WHERE id = %s", (link_id,)).fetchone()
    if row is None:
        raise NotFound("unknown_connection", "There is no such connection.", "connection_id")
    return Link(*row)


def list_links(connection: psycopg.Connection[Any], *, after: int = 0, limit: int = 100) -> list[Link]:
    """Connections in the order of their numbers, after the number `after`, 1,000 at most."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM connection WHERE id > %s ORDER BY id LIMIT %s", (after, max(0, min(limit, 1_000)))
    )
    return [Link(*row) for row in rows]


def opened(connection: psycopg.Connection[Any], settings: Settings, link_id: int) -> tuple[Kind, Opened]:
    """A connection with its secrets, ready to be used; nothing is called yet.

    Raises:
        NotFound: `unknown_connection`. SojournError: `secret_unreadable`, `bad_connection`.
    """
    known = link(connection, link_id)
    row = connection.execute("SELECT secret FROM connection WHERE id = %s", (link_id,)).fetchone()
    sealed = row[0] if row else None
    secret = Vault.of(settings).open(sealed, _sealed_at(link_id)) if sealed else {}
    kind = KINDS[known.kind]
    return kind, draft(kind, settings, known.settings, secret)


def draft(kind: Kind, settings: Settings, shown: Mapping[str, Any], secret: Mapping[str, Any]) -> Opened:
    """Settings and secrets that are not kept yet, ready to be tried.

    Raises:
        SojournError: `bad_connection`.
    """
    return Opened(
        _parsed(kind.settings, shown, "settings"), _parsed(kind.secret, secret, "secret"), Surroundings.of(settings)
    )


def keep_learnt(
    connection: psycopg.Connection[Any], clock: Clock, link_id: int, found: dict[str, Any]
) -> dict[str, Any]:
    """Keep what a test has learnt of a connection itself, such as the key of a server; gives the rest of what it found."""
    rest = {name: value for name, value in found.items() if name != "settings"}
    if learnt := found.get("settings"):
        connection.execute(
            "UPDATE connection SET settings = settings || %s, updated_at = %s WHERE id = %s",
            (Jsonb(learnt), clock.now(), link_id),
        )
    return rest


def _checked(
    kind: Kind, settings: Mapping[str, Any], secret: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    shown = _parsed(kind.settings, settings, "settings").model_dump(mode="json")
    hidden = _parsed(kind.secret, secret, "secret").model_dump(mode="json")
    return shown, {name: value for name, value in hidden.items() if value}


def _parsed(model: type[BaseModel], given: Mapping[str, Any], place: str) -> Any:
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join([place, *map(str, first["loc"])])
        raise SojournError("bad_connection", str(first["msg"]).removeprefix("Value error, ") + ".", where) from None


def _name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 200 or "\x00" in name:
        raise SojournError("bad_name", "A name of 1 to 200 characters is needed.", "name")
    return name


def _seal(connection: psycopg.Connection[Any], vault: Vault, link_id: int, secret: dict[str, Any]) -> None:
    sealed = vault.seal(secret, _sealed_at(link_id)) if secret else None
    connection.execute("UPDATE connection SET secret = %s WHERE id = %s", (sealed, link_id))


def _sealed_at(link_id: int) -> str:
    return f"connection/{link_id}"
