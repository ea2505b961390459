"""`/imports`: files of profiles imported by background tasks, with their reports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import StreamingResponse

from sojourn.kernel.errors import NotFound, Problem, SojournError
from sojourn.kernel.files import FileStore
from sojourn.kernel.tasks import Task, create_task, get_task, list_tasks
from sojourn.profiles import database
from sojourn.profiles import resource as find_resource
from sojourn.profiles.import_arguments import FileArgument, ImportArguments, ImportOptions, ReadingArguments
from sojourn.profiles.import_runs import RUN
from sojourn.profiles.past_imports import UPLOAD
from sojourn.profiles.rejections import rejections_csv
from sojourn.profiles.resources import channel_number
from sojourn.profiles.tasks import IMPORT, TEST_RUN
from sojourn.scenarios import Catalogue
from sojourn.segments.membership import static_segment
from sojourn.segments.store import SegmentDraft, create_segment
from sojourn.web.api.call import Call, Changing, Reading
from sojourn.web.api.import_files import CHUNK, file_name
from sojourn.web.api.pages import After, Limit, Page, page_of, size
from sojourn.web.api.tasks import TaskShape, task_shape
from sojourn.web.failures import place
from sojourn.web.installation import Connection

router = APIRouter(tags=["profiles"])
_LARGEST_BODY = 1 << 20
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file", "database"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "database": {"type": "integer"},
        "resource": {"type": "integer", "description": "The contacts of all rows subscribe to this resource."},
        "options": {"type": "string", "description": "JSON: what `ImportOptions` and `ReadingArguments` have."},
    },
}
_BODY: dict[str, Any] = {
    "type": "object",
    "required": ["database", "files"],
    "properties": {
        "database": {"type": "integer"},
        "files": {"type": "array", "items": {"$ref": "#/components/schemas/FileArgument"}},
        "reading": {"$ref": "#/components/schemas/ReadingArguments"},
        "options": {"$ref": "#/components/schemas/ImportOptions"},
        "test_run": {"type": "boolean", "description": "Everything is checked and matched, nothing is written."},
        "new_segment": {"type": "string", "description": "Name of a static segment to be made of the result."},
    },
}


class ImportRequest(BaseModel):
    """An import of files that were uploaded to `/imports/files`."""

    model_config = {"extra": "forbid"}

    database: int
    files: Annotated[list[FileArgument], Field(min_length=1, max_length=100)]
    reading: ReadingArguments = ReadingArguments()
    options: ImportOptions = ImportOptions()
    test_run: bool = False
    new_segment: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    def arguments(self, by: str) -> ImportArguments:
        """What the task is told."""
        return ImportArguments(
            **self.options.model_dump(), **self.reading.model_dump(), database_id=self.database, files=self.files,
            test_run=self.test_run, by=by,
        )  # fmt: skip


class ImportShape(TaskShape):
    """An import: its task, where it goes, by whom and how."""

    database: int
    database_name: str | None
    files: list[str]
    by: str | None
    test_run: bool
    arguments: dict[str, Any]


@router.get("/imports", name="list_imports")
def list_all(call: Reading, after: After = None, limit: Limit = 50) -> Page[ImportShape]:
    """Imports, newest first; test runs are left out."""
    with call.connection() as connection:
        found = list_tasks(connection, limit=size(limit), before=after, kind=IMPORT)
        if len(found) == size(limit):
            found += list_tasks(connection, limit=1, before=found[-1].id, kind=IMPORT)
        names = _names(connection, found)
    return page_of(found, limit, lambda task: _shape(task, names), lambda task: task.id)


@router.get("/imports/{task_id}", name="get_import")
def get_one(task_id: int, call: Reading) -> ImportShape:
    """How an import or a test run stands."""
    with call.connection() as connection:
        task = _import(connection, task_id)
        return _shape(task, _names(connection, [task]))


@router.get(
    "/imports/{task_id}/rejected.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}, "description": "The rows that were refused, as they came, with the reasons."}},
)  # fmt: skip
def download_rejected(task_id: int, call: Changing) -> StreamingResponse:
    """The refused rows as a CSV file: mend them, take the columns of line and reason away or leave them, and import the file again."""
    with call.connection() as connection:
        task = _import(connection, task_id, RUN)
        call.note(connection, "download_rejected", "task", task_id)
    header = [str(name) for name in (task.result or {}).get("header") or []]

    def pieces() -> Any:
        with call.connection() as own:
            yield from rejections_csv(own, task_id, header)

    name = quote(f"{task.title.rpartition('.')[0] or task.title or 'import'} – rejected.csv", safe="")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{name}", "cache-control": "no-store"}
    return StreamingResponse(pieces(), media_type="text/csv; charset=utf-8", headers=headers)


def _import(connection: Connection, task_id: int, *others: str) -> Task:
    task = get_task(connection, task_id)
    if task.kind not in (IMPORT, TEST_RUN, *others):
        raise NotFound("unknown_import", "There is no such import.", str(task_id))
    return task


def _names(connection: Connection, tasks: Sequence[Task]) -> dict[int, str]:
    """The names of the databases that tasks speak of, as far as they are still there."""
    names = {}
    for database_id in {int(task.arguments["database_id"]) for task in tasks}:
        with suppress(NotFound):
            names[database_id] = database(connection, database_id).name
    return names


def _shape(task: Task, names: dict[int, str]) -> ImportShape:
    given = task.arguments
    database_id = int(given["database_id"])
    files = [str(file.get("name") or "") for file in given.get("files") or []] or [task.title]
    hidden = ("file", "files", "by", "database_id", "test_run")
    return ImportShape(
        **task_shape(task).model_dump(), database=database_id, database_name=names.get(database_id), files=files, by=given.get("by"),
        test_run=task.kind == TEST_RUN, arguments={name: value for name, value in given.items() if name not in hidden},
    )  # fmt: skip


@router.post(
    "/imports",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _BODY}, "multipart/form-data": {"schema": _FORM}},
        }
    },
)
async def start_import(request: Request, call: Changing) -> TaskShape:
    """Import files that were uploaded before, or one that comes along; the task is told at once."""
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        return task_shape(await run_in_threadpool(_begin_stored, call, await _body(request)))
    if not kind.startswith("multipart/form-data"):
        raise SojournError("bad_form", "The file comes as multipart/form-data.", "file")
    async with request.form(max_files=1, max_fields=20, max_part_size=200_000) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise SojournError("no_file", "The form has no file.", "file")
        return task_shape(await run_in_threadpool(_begin_uploaded, call, form, file))


async def _body(request: Request) -> ImportRequest:
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > _LARGEST_BODY:
            raise SojournError("body_too_large", "The body is too large.", "body")
    try:
        return ImportRequest.model_validate_json(bytes(content))
    except ValidationError as error:
        raise _bad_options(error, {}) from None


def _begin_stored(call: Call, given: ImportRequest) -> Task:
    arguments = given.arguments(call.caller.name or call.caller.email)
    store = FileStore.of(call.settings)
    for file in given.files:
        if not store.path(file.key).exists() or not file.key.endswith(UPLOAD):
            raise NotFound("unknown_file", "The file is not there any more: upload it again.", "files")
    title = ", ".join(file.name for file in given.files if file.name)[:200]
    with call.connection() as connection, connection.transaction():
        _check(connection, arguments)
        if given.new_segment and not given.test_run:
            draft = SegmentDraft(name=given.new_segment)
            made = create_segment(connection, call.clock, given.database, "static", draft, Catalogue(connection))
            call.note(connection, "create", "segment", made.id)
            arguments.add_to_segments.append(made.id)
        return _create(call, connection, title, arguments)


def _check(connection: Connection, arguments: ImportArguments) -> None:
    """What can be told at once: that the database, the resources and the segments are there."""
    database(connection, arguments.database_id)
    wanted = {item.resource_id for item in arguments.subscriptions}
    for resource_id in wanted | ({arguments.resource_id} if arguments.resource_id is not None else set()):
        find_resource(connection, resource_id)
    for segment_id in (*arguments.add_to_segments, *arguments.remove_from_segments):
        if static_segment(connection, segment_id).database_id != arguments.database_id:
            raise SojournError("segment_of_other_database", "The segment is one of another database.", "segments")


def _create(call: Call, connection: Connection, title: str, arguments: ImportArguments) -> Task:
    kind = TEST_RUN if arguments.test_run else IMPORT
    task_id = create_task(connection, call.clock, kind, title, arguments.model_dump())
    action = "test_import" if arguments.test_run else "import"
    call.note(connection, action, "database", arguments.database_id, {"task": task_id, "file": title})
    return get_task(connection, task_id)


def _begin_uploaded(call: Call, form: FormData, file: UploadFile) -> Task:
    title = file_name(file)
    arguments = _arguments(form)
    with call.connection() as connection:
        _check(connection, arguments)
    store = FileStore.of(call.settings)
    key = store.save(iter(lambda: file.file.read(CHUNK), b""), call.settings.upload_limit << 20, UPLOAD)
    try:
        by = call.caller.name or call.caller.email
        with call.connection() as connection, connection.transaction():
            return _create(call, connection, title, arguments.model_copy(update={"file": key, "by": by}))
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
    given = {
        **options,
        "database_id": form.get("database"),
        "resource_id": form.get("resource") or None,
        "file": None,
        "files": [],
        "by": None,
    }
    try:
        return ImportArguments.model_validate(given)
    except ValidationError as error:
        raise _bad_options(error, {"database_id": "database", "resource_id": "resource"}) from None


def _bad_options(error: ValidationError, names: dict[str, str]) -> SojournError:
    problems = [
        Problem("bad_value", f"{item['msg']}.", names.get(place(item["loc"]) or "", place(item["loc"])))
        for item in error.errors()
    ]
    return SojournError("bad_options", problems[0].message, problems[0].place, problems=problems)
