"""`/imports`: a CSV file of profiles, taken into the store of files and imported by a background task."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from sojourn.kernel.errors import Problem, SojournError
from sojourn.kernel.files import FileStore
from sojourn.kernel.tasks import Task, create_task, get_task
from sojourn.profiles import database
from sojourn.profiles import resource as find_resource
from sojourn.profiles.resources import channel_number
from sojourn.profiles.tasks import IMPORT, ImportArguments
from sojourn.web.api.call import Call, Changing
from sojourn.web.api.tasks import TaskShape, task_shape
from sojourn.web.failures import place

router = APIRouter(tags=["profiles"])
_CHUNK = 1 << 20
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file", "database"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "database": {"type": "integer"},
        "resource": {"type": "integer", "description": "The contacts of all rows subscribe to this resource."},
        "options": {
            "type": "string",
            "description": "JSON: mapping, mode, matching, field_name, encoding, delimiter, has_header, date_format, phone_region, clear_empty, channels, status, skip_triggers.",
        },
    },
}


@router.post(
    "/imports",
    status_code=202,
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}},
)
async def start_import(request: Request, call: Changing) -> TaskShape:
    """Upload a file; the task that imports it is told at once."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise SojournError("bad_form", "The file comes as multipart/form-data.", "file")
    async with request.form(max_files=1, max_fields=20, max_part_size=200_000) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise SojournError("no_file", "The form has no file.", "file")
        return task_shape(await run_in_threadpool(_begin, call, form, file))


def _begin(call: Call, form: FormData, file: UploadFile) -> Task:
    title = (file.filename or "file").replace("\x00", "")[:200]
    arguments = _arguments(form)
    with call.connection() as connection:
        database(connection, arguments.database_id)
        if arguments.resource_id is not None:
            find_resource(connection, arguments.resource_id)
    store = FileStore.of(call.settings)
    key = store.save(iter(lambda: file.file.read(_CHUNK), b""), call.settings.upload_limit << 20, ".csv")
    try:
        with call.connection() as connection, connection.transaction():
            task_id = create_task(
                connection, call.clock, IMPORT, title, arguments.model_copy(update={"file": key}).model_dump()
            )
            call.note(connection, "import", "database", arguments.database_id, {"task": task_id, "file": title})
            return get_task(connection, task_id)
    except BaseException:
        store.delete(key)
        raise


def _arguments(form: FormData) -> ImportArguments:
    """What the form asks for.

    Raises:
        SojournError: `bad_options`, with one problem for each.
    """
    try:
        options = json.loads(str(form.get("options") or "{}"))
    except (ValueError, RecursionError):
        options = None
    if not isinstance(options, dict):
        raise SojournError("bad_options", "The options are a JSON object.", "options")
    if isinstance(options.get("channels"), list):
        options["channels"] = [
            channel_number(word) if isinstance(word, (str, int)) else word for word in options["channels"]
        ]
    given = {**options, "database_id": form.get("database"), "resource_id": form.get("resource") or None, "file": None}
    try:
        return ImportArguments.model_validate(given)
    except ValidationError as error:
        names = {"database_id": "database", "resource_id": "resource"}
        problems = [
            Problem("bad_value", f"{item['msg']}.", names.get(place(item["loc"]) or "", place(item["loc"])))
            for item in error.errors()
        ]
        raise SojournError("bad_options", problems[0].message, problems[0].place, problems=problems) from None
