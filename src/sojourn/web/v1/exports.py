"""`profiles/get_all`, `tasks/status` and the download: an export as integrations ask for it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sojourn.access import token_caller
from sojourn.bulk import EXPORT, Audience, ExportArguments
from sojourn.bulk.export import prepared
from sojourn.bulk.formats import MEDIA_TYPES
from sojourn.kernel.errors import NotFound, SojournError, Unauthenticated
from sojourn.kernel.files import FileStore
from sojourn.kernel.tasks import Task, create_task, get_task
from sojourn.scenarios import Catalogue
from sojourn.web.api.guard import bearer_token
from sojourn.web.installation import Installation
from sojourn.web.v1.answers import success
from sojourn.web.v1.custom_request import rules_of
from sojourn.web.v1.method import V1Call
from sojourn.web.v1.parameters import Parameters
from sojourn.web.v1.suppression_export import SUPPRESSION_EXPORT

DOWNLOADS = "/api/download/data"
_STATES = {
    "waiting": "waiting",
    "running": "processing",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "failed",
}
_READ = 1 << 20


def get_all(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`profiles/get_all`: begin an export of a database or a segment; answers with the task."""
    source, number = given.text("source_type"), given.integer("source_id")
    if source not in ("database", "segment"):
        raise SojournError("bad_parameter", "The parameter source_type is database or segment.", "source_type")
    form = given.text("file_format", "csv")
    if form not in ("csv", "json"):
        raise SojournError("bad_parameter", "The parameter file_format is csv or json.", "file_format")
    query = given.mapping("custom_request")
    database_id = number if source == "database" else _database_of_segment(call, number)
    audience = Audience(
        database_id=database_id,
        segment_id=number if source == "segment" else None,
        rules=rules_of(query) if query else None,
    )
    order = ExportArguments(audience=audience, format=form, safe=False, name=f"{number}_{source}_export")
    ready = prepared(call.connection, order, Catalogue(call.connection))
    task_id = create_task(call.connection, call.clock, EXPORT, ready.name, ready.model_dump(mode="json"))
    return success(data={"task_id": task_id})


def _database_of_segment(call: V1Call, number: int) -> int:
    row = call.connection.execute(
        "SELECT database_id FROM segment WHERE id = %s", (number if 0 < number < 1 << 31 else 0,)
    ).fetchone()
    if row is None:
        raise NotFound("unknown_segment", f"There is no segment {number}.", "source_id")
    return int(row[0])


def task_status(call: V1Call, given: Parameters) -> dict[str, Any]:
    """`tasks/status`: how a task stands, and what came of it."""
    task = get_task(call.connection, max(0, given.integer("task_id")))
    progress = 100 if task.state == "completed" else round(100 * task.done / task.total) if task.total else 0
    return success(data={"status": _STATES[task.state], "progress": min(progress, 100), "result": _result(task)})


def _result(task: Task) -> dict[str, Any]:
    told: dict[str, Any] = {"errors": [task.error] if task.error else []}
    result = task.result or {}
    if task.kind == SUPPRESSION_EXPORT:
        urls = [f"{DOWNLOADS}/{task.id}/{result['name']}"] if result.get("file") else []
        return told | {
            "source_id": task.arguments["list"],
            "type": "suppress",
            "total": result.get("rows", 0),
            "urls": urls,
        }
    if task.kind != EXPORT:
        return told | {"total": task.total or task.done} | result
    audience = task.arguments["audience"]
    by_segment = audience["segment_id"] is not None
    return told | {
        "source_id": audience["segment_id"] if by_segment else audience["database_id"],
        "type": "segment" if by_segment else "database",
        "total": result.get("rows", 0),
        "urls": [f"{DOWNLOADS}/{task.id}/{result['name']}"] if result.get("file") else [],
    }


def download_route(installation: Installation) -> Route:
    """`GET /api/download/data/<task>/<name>`: the file, for whoever has a token."""

    def download(request: Request) -> Response:
        token = bearer_token(request.scope) or request.query_params.get("token", "")
        with installation.connection() as connection:
            if not token or token_caller(connection, installation.clock, installation.token_key, token) is None:
                raise Unauthenticated("unknown_token", "An API token is needed.")
            task = get_task(connection, request.path_params["task"])
        result = task.result or {}
        if (
            task.kind not in (EXPORT, SUPPRESSION_EXPORT)
            or result.get("name") != request.path_params["name"]
            or not result.get("file")
        ):
            raise NotFound("unknown_file", "There is no such file.", request.path_params["name"])
        key = str(result["file"])
        file = FileStore.of(installation.settings).open(key)

        def pieces() -> Any:
            with file:
                while piece := file.read(_READ):
                    yield piece

        headers = {
            "content-disposition": "attachment",
            "content-length": str(result["bytes"]),
            "cache-control": "no-store",
        }
        return StreamingResponse(pieces(), media_type=MEDIA_TYPES["." + key.rpartition(".")[2]], headers=headers)

    return Route(DOWNLOADS + "/{task:int}/{name}", download, methods=["GET"])
