"""Work for a caller who may leave before it is done: then its statement is cancelled, and nobody counts for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import psycopg
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from sojourn.kernel.database import connect
from sojourn.web.installation import Connection, Installation

Result = TypeVar("Result")
_LOOK_SECONDS = 0.2


async def while_waited_for(
    request: Request, installation: Installation, part: str, work: Callable[[Connection], Result]
) -> Result:
    """Do `work` in a thread, over a connection of its own: cancelling one from the pool could hit the call that has it next."""
    running: list[Connection] = []

    def run() -> Result:
        with connect(installation.database_url, part) as connection:
            running.append(connection)
            return work(connection)

    task = asyncio.ensure_future(run_in_threadpool(run))
    while not (await asyncio.wait({task}, timeout=_LOOK_SECONDS))[0]:
        if await request.is_disconnected() and running:
            with suppress(psycopg.Error):
                await run_in_threadpool(running[0].cancel_safe, timeout=1.0)
    return task.result()
