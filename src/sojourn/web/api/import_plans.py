"""`/import-plans`: scheduled imports, their runs, and a look at what they would read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from sojourn.connections import FileKind, RowKind, link, opened
from sojourn.kernel.errors import NotFound
from sojourn.kernel.files import FileStore
from sojourn.kernel.tasks import get_task
from sojourn.profiles import database
from sojourn.profiles.column_mapping import guess_mapping
from sojourn.profiles.cursor import read_cursor
from sojourn.profiles.import_arguments import ImportOptions
from sojourn.profiles.import_plans import (
    Plan,
    PlanDraft,
    PlanSource,
    change_plan,
    check_plan,
    create_plan,
    delete_plan,
    list_plans,
    plan,
)
from sojourn.profiles.import_runs import Run, latest_runs, list_runs, query_of, start_plan
from sojourn.profiles.opening_files import Named, open_files
from sojourn.profiles.plan_schedule import PlanSchedule
from sojourn.profiles.reading_rows import RowsReader
from sojourn.web.api.call import Call, Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, page_of, size
from sojourn.web.api.tasks import TaskShape, task_shape
from sojourn.web.installation import Connection

router = APIRouter(tags=["sources"])
_SHOWN = 20
_PREVIEW_BYTES = 20 << 20
_PREVIEW_SECONDS = 20


class RunShape(BaseModel):
    """A run of a scheduled import: running, completed, failed or cancelled."""

    id: int
    started_at: datetime
    finished_at: datetime | None
    task_id: int | None
    state: str
    counts: dict[str, Any] | None
    error: str | None
    cursor_before: Any
    cursor_after: Any


class PlanShape(BaseModel):
    """A scheduled import."""

    id: int
    name: str
    database_id: int
    connection_id: int
    connection_name: str
    source: PlanSource
    options: ImportOptions
    schedule: PlanSchedule
    time_zone: str
    cursor_column: str | None
    cursor_value: str | None
    active: bool
    next_at: datetime | None
    revision: int
    created_at: datetime
    updated_at: datetime
    last_run: RunShape | None


class ChangedPlan(PlanDraft):
    """A scheduled import as it is to be; `restart`: it begins at its first value, and with all files, again."""

    revision: int | None = None
    restart: bool = False


class PlanPreview(BaseModel):
    """The beginning of what would be read, and which fields the columns seem to be."""

    header: list[str]
    rows: list[list[str]]
    mapping: dict[str, str]
    files: list[str]


def _run(one: Run) -> RunShape:
    return RunShape.model_validate(one, from_attributes=True)


def _shape(connection: Connection, found: Plan, run: Run | None) -> PlanShape:
    return PlanShape(
        id=found.id, name=found.name, database_id=found.database_id, connection_id=found.connection_id,
        connection_name=link(connection, found.connection_id).name, source=found.source, options=found.options, schedule=found.schedule,
        time_zone=found.time_zone, cursor_column=found.cursor_column, cursor_value=found.cursor.as_json()["value"] if found.cursor else None,
        active=found.active, next_at=found.next_at if found.active else None, revision=found.revision, created_at=found.created_at,
        updated_at=found.updated_at, last_run=_run(run) if run else None,
    )  # fmt: skip


def _told(connection: Connection, found: Plan) -> PlanShape:
    return _shape(connection, found, latest_runs(connection, [found.id]).get(found.id))


@router.get("/import-plans", name="list_import_plans")
def list_all(call: Reading, after: After = None, limit: Limit = 100) -> Page[PlanShape]:
    """Scheduled imports with their last runs."""
    with call.connection() as connection:
        found = list_plans(connection, after=after or 0, limit=size(limit) + 1)
        runs = latest_runs(connection, [one.id for one in found])
        return page_of(found, limit, lambda one: _shape(connection, one, runs.get(one.id)), lambda one: one.id)


@router.get("/import-plans/{plan_id}", name="get_import_plan")
def get_one(plan_id: int, call: Reading) -> PlanShape:
    """One scheduled import."""
    with call.connection() as connection:
        return _told(connection, plan(connection, plan_id))


@router.post("/import-plans", status_code=201, name="create_import_plan")
def create(given: PlanDraft, call: Changing) -> PlanShape:
    """Make a scheduled import."""
    with call.connection() as connection, connection.transaction():
        made = create_plan(connection, call.clock, given)
        call.note(connection, "create", "import_plan", made.id, {"name": made.name})
        return _told(connection, made)


@router.put("/import-plans/{plan_id}", name="change_import_plan")
def change(plan_id: int, given: ChangedPlan, call: Changing) -> PlanShape:
    """Change a scheduled import."""
    draft = PlanDraft.model_validate(given.model_dump(exclude={"revision", "restart"}))
    with call.connection() as connection, connection.transaction():
        changed = change_plan(connection, call.clock, plan_id, draft, revision=given.revision, restart=given.restart)
        call.note(connection, "change", "import_plan", plan_id, {"name": given.name, "active": given.active})
        return _told(connection, changed)


@router.delete("/import-plans/{plan_id}", status_code=204, name="delete_import_plan")
def delete(plan_id: int, call: Changing) -> Response:
    """Delete a scheduled import; what it imported stays."""
    with call.connection() as connection, connection.transaction():
        delete_plan(connection, plan_id)
        call.note(connection, "delete", "import_plan", plan_id)
    return Response(status_code=204)


@router.post("/import-plans/{plan_id}/run-now", status_code=202, name="run_import_plan")
def run_now(plan_id: int, call: Changing) -> TaskShape:
    """Start a run at once, beside the schedule."""
    with call.connection() as connection, connection.transaction():
        task_id = start_plan(connection, call.clock, plan_id)
        call.note(connection, "run", "import_plan", plan_id)
        return task_shape(get_task(connection, task_id))


@router.get("/import-plans/{plan_id}/runs", name="import_runs")
def list_of_plan(plan_id: int, call: Reading, before: int | None = None, limit: Limit = 50) -> Page[RunShape]:
    """The runs of a scheduled import, the latest first."""
    with call.connection() as connection:
        plan(connection, plan_id)
        found = list_runs(connection, plan_id, before=before, limit=size(limit) + 1)
    return page_of(found, limit, _run, lambda one: one.id)


@router.post("/import-plans/preview", name="preview_import_plan")
def preview(given: PlanDraft, call: Changing) -> PlanPreview:
    """The first rows of what a scheduled import would read now, and a guess of its mapping."""
    with call.connection() as connection:
        check_plan(connection, given)
        kind, ready = opened(connection, call.settings, given.connection_id)
        base = database(connection, given.database_id)
    if isinstance(kind, RowKind):
        cursor = read_cursor(given.cursor_start) if given.cursor_column else None
        ready = replace(ready, settings=ready.settings.model_copy(update={"query_seconds": _PREVIEW_SECONDS}))
        query = query_of(kind, ready, given.source, given.cursor_column, cursor)
        with kind.rows(ready, query, {"cursor": cursor.value} if cursor else {}, most=_SHOWN) as found:
            reader = RowsReader(found.columns, found.rows)
            rows = [list(row) for chunk in reader.chunks(_SHOWN) for row in chunk.rows]
        return PlanPreview(header=reader.header, rows=rows, mapping=guess_mapping(base, reader.header), files=[])
    assert isinstance(kind, FileKind)
    files = kind.files(ready, given.source.mask)
    if not files:
        raise NotFound("no_file", f"No file fits “{given.source.mask}”.", "source.mask")
    header, rows = _first_file(call, kind, ready, files[0].name, given)
    return PlanPreview(
        header=header, rows=rows, mapping=guess_mapping(base, header), files=[one.name for one in files[:_SHOWN]]
    )


def _first_file(
    call: Call, kind: FileKind, ready: Any, name: str, given: PlanDraft
) -> tuple[list[str], list[list[str]]]:
    store = FileStore.of(call.settings)
    with store.create(_PREVIEW_BYTES) as writer:
        kind.fetch(ready, name, writer.write)
    try:
        reader = open_files([Named(store.path(writer.key), name)], given.source.reading)
        try:
            chunk = next(iter(reader.chunks(_SHOWN)), None)
            return reader.header, [list(row) for row in chunk.rows] if chunk else []
        finally:
            reader.close()
    finally:
        store.delete(writer.key)
