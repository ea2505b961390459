"""`/external-tables`: values of other systems that rules compare with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, File, Response, UploadFile
from pydantic import BaseModel

from sojourn.kernel.files import FileStore
from sojourn.kernel.tasks import get_task, open_task
from sojourn.segments.external_tables import (
    FETCH,
    MOST_BYTES,
    ExternalTable,
    TableDraft,
    change_external_table,
    create_external_table,
    delete_external_table,
    external_table,
    list_external_tables,
    start_fetch,
)
from sojourn.web.api.call import Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, page_of, size
from sojourn.web.api.tasks import TaskShape, task_shape

router = APIRouter(tags=["sources"])
_PIECE = 1 << 16


class ExternalTableShape(BaseModel):
    """An outside table; `usable_until` null: for ever. `error` is that of the last fetch, null if it went well."""

    id: int
    name: str
    short_name: str
    kind: str
    connection_id: int | None
    settings: dict[str, Any]
    columns: list[str]
    keep_seconds: int
    usable: bool
    row_count: int | None
    fetched_at: datetime | None
    usable_until: datetime | None
    next_at: datetime | None
    error: str | None
    failed_at: datetime | None


class UploadedTable(BaseModel):
    """An uploaded file, to be named in a table of the kind `file`."""

    file: str
    file_name: str


def _shape(found: ExternalTable, now: datetime) -> ExternalTableShape:
    usable = found.generation > 0 and (found.usable_until is None or found.usable_until > now)
    return ExternalTableShape(
        id=found.id, name=found.name, short_name=found.short_name, kind=found.kind, connection_id=found.connection_id, settings=found.settings,
        columns=found.columns, keep_seconds=found.keep_seconds, usable=usable, row_count=found.row_count, fetched_at=found.fetched_at,
        usable_until=found.usable_until, next_at=found.next_at, error=found.error, failed_at=found.failed_at,
    )  # fmt: skip


@router.get("/external-tables", name="list_external_tables")
def list_all(call: Reading, after: After = None, limit: Limit = 100) -> Page[ExternalTableShape]:
    """Outside tables."""
    now = call.clock.now()
    with call.connection() as connection:
        found = list_external_tables(connection, after=after or 0, limit=size(limit) + 1)
    return page_of(found, limit, lambda one: _shape(one, now), lambda one: one.id)


@router.get("/external-tables/{table_id}", name="get_external_table")
def get_one(table_id: int, call: Reading) -> ExternalTableShape:
    """One outside table."""
    with call.connection() as connection:
        return _shape(external_table(connection, table_id), call.clock.now())


@router.post("/external-tables/file", status_code=201, name="upload_external_table")
async def upload(file: Annotated[UploadFile, File()], call: Changing) -> UploadedTable:
    """Upload a file of values."""
    store = FileStore.of(call.settings)
    with store.create(min(MOST_BYTES, call.settings.upload_limit << 20)) as writer:
        while piece := await file.read(_PIECE):
            writer.write(piece)
    return UploadedTable(file=writer.key, file_name=(file.filename or "")[:200])


@router.post("/external-tables", status_code=201, name="create_external_table")
def create(given: TableDraft, call: Changing) -> ExternalTableShape:
    """Make an outside table. One that is fetched is fetched at once, in the background."""
    with call.connection() as connection, connection.transaction():
        made = create_external_table(connection, call.clock, call.settings, given)
        call.note(connection, "create", "external_table", made.id, {"name": made.name, "kind": made.kind})
        if made.fetched:
            start_fetch(connection, call.clock, made.id)
    return _shape(made, call.clock.now())


@router.put("/external-tables/{table_id}", name="change_external_table")
def change(table_id: int, given: TableDraft, call: Changing) -> ExternalTableShape:
    """Change an outside table."""
    with call.connection() as connection, connection.transaction():
        changed = change_external_table(connection, call.clock, call.settings, table_id, given)
        call.note(connection, "change", "external_table", table_id, {"name": given.name})
        if changed.fetched:
            start_fetch(connection, call.clock, table_id)
    return _shape(changed, call.clock.now())


@router.delete("/external-tables/{table_id}", status_code=204, name="delete_external_table")
def delete(table_id: int, call: Changing) -> Response:
    """Delete an outside table; rules that name it stop with an error from then on."""
    with call.connection() as connection, connection.transaction():
        delete_external_table(connection, table_id)
        call.note(connection, "delete", "external_table", table_id)
    return Response(status_code=204)


@router.post("/external-tables/{table_id}/fetch", status_code=202, name="fetch_external_table")
def fetch_now(table_id: int, call: Changing) -> TaskShape:
    """Fetch an outside table at once, in the background."""
    with call.connection() as connection, connection.transaction():
        task_id = start_fetch(connection, call.clock, table_id)
        running = open_task(connection, FETCH, {"table": table_id})
        call.note(connection, "fetch", "external_table", table_id)
        if task_id is None:
            assert running
            return task_shape(running)
        return task_shape(get_task(connection, task_id))
