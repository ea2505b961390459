"""`/connections`: outside databases and file servers. Masters alone make them; their secrets are never told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from sojourn.connections import (
    KINDS,
    Link,
    change_link,
    create_link,
    delete_link,
    draft,
    keep_learnt,
    kind_named,
    link,
    list_links,
    opened,
)
from sojourn.kernel.vault import Vault
from sojourn.web.api.call import Changing, Reading, Ruling
from sojourn.web.api.pages import After, Limit, Page, page_of, size

router = APIRouter(tags=["sources"])
Settings = Annotated[dict[str, Any], Field(max_length=50)]


class ConnectionShape(BaseModel):
    """A connection; its secret is only told to be there."""

    id: int
    name: str
    kind: str
    settings: dict[str, Any]
    has_secret: bool
    created_at: datetime
    updated_at: datetime


class ConnectionKindShape(BaseModel):
    """A kind of connection: JSON Schemas of what is shown and of what is secret; `gives` rows or files."""

    code: str
    title: dict[str, str]
    gives: str
    settings: dict[str, Any]
    secret: dict[str, Any]


class NewConnection(BaseModel):
    """A connection to make."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=500)]
    kind: Annotated[str, Field(max_length=50)]
    settings: Settings = {}
    secret: Settings = {}


class ChangedConnection(BaseModel):
    """New settings of a connection; without `secret` the one that is there stays."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=500)]
    settings: Settings
    secret: Settings | None = None


class FoundThereShape(BaseModel):
    """What a test found over there."""

    found: dict[str, Any]


def _shape(found: Link) -> ConnectionShape:
    return ConnectionShape.model_validate(found, from_attributes=True)


@router.get("/connection-kinds", name="connection_kinds")
def list_kinds(call: Reading) -> list[ConnectionKindShape]:
    """The kinds of connections, with the schemas of their forms."""
    return [
        ConnectionKindShape(
            code=kind.code, title=kind.title, gives="rows" if kind.code == "sql" else "files", settings=kind.settings.model_json_schema(),
            secret=kind.secret.model_json_schema(),
        )
        for kind in KINDS.values()
    ]  # fmt: skip


@router.get("/connections", name="list_connections")
def list_all(call: Reading, after: After = None, limit: Limit = 100) -> Page[ConnectionShape]:
    """Connections."""
    with call.connection() as connection:
        found = list_links(connection, after=after or 0, limit=size(limit) + 1)
    return page_of(found, limit, _shape, lambda one: one.id)


@router.get("/connections/{connection_id}", name="get_connection")
def get_one(connection_id: int, call: Reading) -> ConnectionShape:
    """One connection."""
    with call.connection() as connection:
        return _shape(link(connection, connection_id))


@router.post("/connections", status_code=201, name="create_connection")
def create(given: NewConnection, call: Ruling) -> ConnectionShape:
    """Make a connection."""
    with call.connection() as connection, connection.transaction():
        vault = Vault.of(call.settings)
        made = create_link(connection, call.clock, vault, given.name, given.kind, given.settings, given.secret)
        call.note(connection, "create", "connection", made.id, {"name": made.name, "kind": made.kind})
    return _shape(made)


@router.put("/connections/{connection_id}", name="change_connection")
def change(connection_id: int, given: ChangedConnection, call: Ruling) -> ConnectionShape:
    """Change a connection."""
    with call.connection() as connection, connection.transaction():
        vault = Vault.of(call.settings)
        changed = change_link(connection, call.clock, vault, connection_id, given.name, given.settings, given.secret)
        call.note(
            connection, "change", "connection", connection_id, {"name": given.name, "settings": given.settings, "secret": given.secret is not None}
        )  # fmt: skip
    return _shape(changed)


@router.delete("/connections/{connection_id}", status_code=204, name="delete_connection")
def delete(connection_id: int, call: Ruling) -> Response:
    """Delete a connection that nothing uses."""
    with call.connection() as connection, connection.transaction():
        delete_link(connection, connection_id)
        call.note(connection, "delete", "connection", connection_id)
    return Response(status_code=204)


@router.post("/connections/{connection_id}/test", name="test_connection")
def try_one(connection_id: int, call: Changing) -> FoundThereShape:
    """Try a connection; tells what was found over there."""
    with call.connection() as connection:
        kind, ready = opened(connection, call.settings, connection_id)
    found = kind.test(ready)
    with call.connection() as connection:
        return FoundThereShape(found=keep_learnt(connection, call.clock, connection_id, found))


@router.post("/connections/test", name="test_new_connection")
def try_new(given: NewConnection, call: Ruling) -> FoundThereShape:
    """Try a connection before it is made."""
    kind = kind_named(given.kind)
    return FoundThereShape(found=kind.test(draft(kind, call.settings, given.settings, given.secret)))
