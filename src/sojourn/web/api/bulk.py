"""`/exports` and `/bulk-updates`: what is done to many profiles at once, as background tasks."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from sojourn.bulk import EXPORT, UPDATE, ExportArguments, UpdateArguments
from sojourn.bulk.audience import Audience, count_audience
from sojourn.bulk.export import prepared as prepared_export
from sojourn.bulk.formats import MEDIA_TYPES
from sojourn.bulk.update import prepared as prepared_update
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.kernel.files import FileStore
from sojourn.kernel.tasks import create_task, get_task, list_tasks
from sojourn.profiles import database
from sojourn.scenarios import Catalogue
from sojourn.segments import check, resolve
from sojourn.web.api.call import Call, Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, page_of, size
from sojourn.web.api.tasks import TaskShape, task_shape

router = APIRouter(tags=["bulk"])
_READ = 1 << 20
_COUNT_MS = 8_000


class AudienceCount(BaseModel):
    """How many people an audience has; null: counting takes too long."""

    people: int | None


@router.post("/exports", status_code=202)
def start_export(given: ExportArguments, call: Changing) -> TaskShape:
    """Write profiles into a file; the task tells when it can be downloaded."""
    with call.connection() as connection, connection.transaction():
        ready = prepared_export(connection, given, Catalogue(connection)).model_copy(
            update={"user_id": call.caller.user_id}
        )
        return _begin(call, connection, EXPORT, ready.name, ready)


@router.post("/audiences/count")
def count_one_audience(given: Audience, call: Reading) -> AudienceCount:
    """How many profiles an export or a bulk update would be about now."""
    with call.connection() as connection:
        catalogue = Catalogue(connection)
        base = database(connection, given.database_id)
        if given.rules:
            problems = check(given.rules, base, catalogue)
            if problems:
                raise SojournError("bad_rules", problems[0].message, problems[0].place, problems=problems)
            given = given.model_copy(update={"rules": resolve(given.rules, catalogue)})
        return AudienceCount(people=count_audience(connection, base, given, call.clock.now(), _COUNT_MS))


@router.post("/bulk-updates", status_code=202)
def start_bulk_update(given: UpdateArguments, call: Changing) -> TaskShape:
    """Change many profiles; whom it is about is chosen when the task begins."""
    with call.connection() as connection, connection.transaction():
        ready = prepared_update(connection, given, Catalogue(connection)).model_copy(
            update={"user_id": call.caller.user_id}
        )
        title = database(connection, given.audience.database_id).name
        return _begin(call, connection, UPDATE, title, ready)


def _begin(call: Call, connection: Any, kind: str, title: str, given: ExportArguments | UpdateArguments) -> TaskShape:
    task_id = create_task(connection, call.clock, kind, title, given.model_dump(mode="json"))
    call.note(connection, kind, "database", given.audience.database_id, {"task": task_id})
    return task_shape(get_task(connection, task_id))


@router.get("/exports")
def list_exports(call: Reading, after: After = None, limit: Limit = 50) -> Page[TaskShape]:
    """Exports, newest first."""
    with call.connection() as connection:
        found = list_tasks(connection, limit=size(limit) + 1, before=after, kind=EXPORT)
    return page_of(found, limit, task_shape, lambda task: task.id)


@router.get(
    "/exports/{task_id}/file",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file."}},
)
def download_export(task_id: int, call: Changing) -> StreamingResponse:
    """The file of an export that has ended."""
    with call.connection() as connection:
        task = get_task(connection, task_id)
        if task.kind != EXPORT:
            raise NotFound("unknown_export", "There is no such export.", str(task_id))
        result = task.result or {}
        if not result.get("file"):
            raise Conflict(
                "no_file", "This export has no file: it has not ended well, or its file was deleted.", "task"
            )
        call.note(connection, "download_export", "task", task_id)
    key, name = str(result["file"]), str(result["name"])
    file = FileStore.of(call.settings).open(key)

    def pieces() -> Any:
        with file:
            while piece := file.read(_READ):
                yield piece

    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "content-length": str(result["bytes"]),
        "cache-control": "no-store",
    }
    return StreamingResponse(
        pieces(), media_type=MEDIA_TYPES.get("." + key.rpartition(".")[2], "application/octet-stream"), headers=headers
    )
