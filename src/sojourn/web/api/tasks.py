"""`/tasks`: long work, its progress, and what an import refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from sojourn.kernel.tasks import Task, get_task, list_tasks, request_cancel
from sojourn.profiles.reading_rows import Rejection
from sojourn.profiles.rejections import list_rejections, place_of
from sojourn.web.api.call import Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, page_of, size
from sojourn.web.events_stream import Reading as StreamReading
from sojourn.web.events_stream import event_stream
from sojourn.web.installation import Connection

router = APIRouter(tags=["tasks"])


class TaskShape(BaseModel):
    """A background task; `total` is null while it is unknown, `result` comes at the end."""

    id: int
    kind: str
    title: str
    state: Literal["waiting", "running", "completed", "failed", "cancelled"]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    done: int
    total: int | None
    cancel_requested: bool
    error: str | None
    result: dict[str, Any] | None


class RejectionShape(BaseModel):
    """A line that an import refused. `file` counts the files of the import from 0; `row_text` is a CSV record."""

    file: int
    line: int
    field: str | None
    column: str | None
    reason: str
    row_text: str | None


def task_shape(task: Task) -> TaskShape:
    """A task as the API tells it."""
    return TaskShape.model_validate(task, from_attributes=True)


@router.get("/tasks", name="list_tasks")
def list_all(call: Reading, after: After = None, limit: Limit = 50) -> Page[TaskShape]:
    """Tasks, newest first."""
    with call.connection() as connection:
        found = list_tasks(connection, limit=size(limit), before=after)
        if len(found) == size(limit):
            found += list_tasks(connection, limit=1, before=found[-1].id)
    return page_of(found, limit, task_shape, lambda task: task.id)


@router.get("/tasks/{task_id}", name="get_task")
def get_one(task_id: int, call: Reading) -> TaskShape:
    """How a task stands."""
    with call.connection() as connection:
        return task_shape(get_task(connection, task_id))


@router.get(
    "/tasks/{task_id}/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events `task`, until the task has ended."}},
)
async def stream_task(task_id: int, call: Reading) -> StreamingResponse:
    """The same as server-sent events, until it has ended."""

    def read(connection: Connection) -> StreamReading:
        task = get_task(connection, task_id)
        return task_shape(task).model_dump_json().encode(), task.ended

    def check() -> None:
        with call.connection() as connection:
            get_task(connection, task_id)

    await run_in_threadpool(check)
    return event_stream(call.installation, "task", read)


@router.get("/tasks/{task_id}/rejections")
def list_task_rejections(task_id: int, call: Reading, after: After = None, limit: Limit = 100) -> Page[RejectionShape]:
    """The lines that an import refused, in their order."""
    with call.connection() as connection:
        get_task(connection, task_id)
        found = list_rejections(connection, task_id, after=after or 0, limit=size(limit) + 1)
    return page_of(found, limit, _rejection, place_of)


def _rejection(found: Rejection) -> RejectionShape:
    return RejectionShape(
        file=found.file,
        line=found.line,
        field=found.field,
        column=found.column,
        reason=found.reason,
        row_text=found.row_text,
    )


@router.post("/tasks/{task_id}/cancel")
def cancel_task(task_id: int, call: Changing) -> TaskShape:
    """Ask for the end of a task; what it has done stays."""
    with call.connection() as connection:
        task = request_cancel(connection, call.clock, task_id)
        call.note(connection, "cancel", "task", task_id)
    return task_shape(task)
