"""The queue of background tasks, carried by procrastinate: each task runs in a process of its own.

So the imports of a large task neither hold the worker's interpreter nor keep its memory, and a task can be killed.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import procrastinate
import psycopg
import structlog
from procrastinate import RetryDecision
from procrastinate.jobs import Job, Status

from sojourn.kernel.child_process import child_environment, how_it_ended, product_command
from sojourn.kernel.clock import Clock
from sojourn.kernel.database.connect import connect
from sojourn.kernel.database.server import own_server_url
from sojourn.kernel.settings import Settings
from sojourn.kernel.tasks import finish, get_task, put_back

log = structlog.get_logger("tasks")

QUEUE = "tasks"
AT_A_TIME = 2
"""Tasks that one worker runs beside each other."""
CANCEL_PATIENCE = 10.0
"""Seconds that a task has for its next report after somebody asked for its end; then its process is ended."""
STALLED_SECONDS = 30.0
_JOB = "sojourn.task"
_KILL_AFTER = 5.0


class _ProcessDied(Exception):
    """The process of a task ended without an outcome."""


class _Interrupted(Exception):
    """The worker stops; the task waits for the next one."""


class _Again(procrastinate.BaseRetryStrategy):
    """A task whose worker stopped is run again; one whose process died, once."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, _Interrupted):
            return RetryDecision()
        if isinstance(exception, _ProcessDied) and may_repeat(job):
            return RetryDecision(retry_in={"seconds": 2})
        return None


def may_repeat(job: Job) -> bool:
    """Whether a job whose process died is run once more."""
    return job.attempts < 1


def enqueue(connection: psycopg.Connection[Any], task_id: int) -> None:
    """Queue a task, within the caller's transaction."""
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
    app.configure_task(_JOB, queue=QUEUE, connection=connection).defer(task_id=task_id)


def run_tasks(settings: Settings, clock: Clock, stop: threading.Event) -> None:
    """Run queued tasks until `stop`; a lost database is waited for. Tasks that run when `stop` comes are run again later."""
    url = settings.database_url or own_server_url(settings)
    delay = 0.2
    while not stop.is_set():
        try:
            asyncio.run(_Runner(url, clock, stop).run())
            delay = 0.2
        except (procrastinate.exceptions.ConnectorException, psycopg.Error, OSError) as error:
            log.warning("database lost, trying again", reason=str(error).split("\n")[0], seconds=round(delay, 1))
            stop.wait(delay)
            delay = min(5.0, delay * 2)


class _Runner:
    def __init__(self, url: str, clock: Clock, stop: threading.Event) -> None:
        self._url, self._clock, self._stop = url, clock, stop
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=url, min_size=1, max_size=4, kwargs={"application_name": "sojourn tasks"}
            )
        )
        self._app.task(name=_JOB, queue=QUEUE, retry=_Again(), pass_context=True)(self._carry)

    async def run(self) -> None:
        async with self._app.open_async():
            worker = asyncio.create_task(
                self._app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=AT_A_TIME,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=0,
                    delete_jobs="always",
                )
            )
            tidy = asyncio.create_task(self._take_up_stalled())
            watch = asyncio.create_task(self._until_stopped())
            try:
                await asyncio.wait({worker, tidy, watch}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (tidy, watch, worker):
                    task.cancel()
                outcomes = await asyncio.gather(worker, tidy, return_exceptions=True)
            for outcome in outcomes:
                if isinstance(outcome, Exception):
                    raise outcome

    async def _until_stopped(self) -> None:
        while not await asyncio.to_thread(self._stop.wait, 1.0):
            pass

    async def _take_up_stalled(self) -> None:
        """Jobs whose worker is gone without a word: run again once, then failed."""
        while True:
            for job in await self._app.job_manager.get_stalled_jobs(
                queue=QUEUE, seconds_since_heartbeat=STALLED_SECONDS
            ):
                task_id = int(str(job.task_kwargs["task_id"]))
                if may_repeat(job):
                    await asyncio.to_thread(self._put_back, task_id)
                    await self._app.job_manager.retry_job(job)
                else:
                    await asyncio.to_thread(self._fail, task_id, "The worker that ran it ended unexpectedly, twice.")
                    await self._app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
            await asyncio.sleep(STALLED_SECONDS / 2)

    async def _carry(self, context: procrastinate.JobContext, task_id: int) -> None:
        process = await asyncio.create_subprocess_exec(
            *product_command("task", str(task_id)),
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env=child_environment(),
        )
        try:
            code = await self._attend(process, task_id)
        except asyncio.CancelledError:
            await _end(process)
            await asyncio.to_thread(self._put_back, task_id)
            raise _Interrupted from None
        if code:
            await self._settle_death(task_id, code, context.job)

    async def _attend(self, process: asyncio.subprocess.Process, task_id: int) -> int:
        """Wait for the end of the process, and bring it about if the task is cancelled and does not see it itself."""
        patience = CANCEL_PATIENCE
        while True:
            try:
                return await asyncio.wait_for(process.wait(), 1.0)
            except TimeoutError:
                pass
            if patience < CANCEL_PATIENCE or await asyncio.to_thread(self._cancel_requested, task_id):
                patience -= 1.0
            if patience <= 0:
                await _end(process)

    async def _settle_death(self, task_id: int, code: int, job: Job) -> None:
        if await asyncio.to_thread(self._cancel_requested, task_id):
            await asyncio.to_thread(self._note_cancelled, task_id)
        elif may_repeat(job):
            log.warning("task process died, repeating", task=task_id, reason=how_it_ended(code))
            await asyncio.to_thread(self._put_back, task_id)
            raise _ProcessDied
        else:
            log.error("task process died", task=task_id, reason=how_it_ended(code))
            await asyncio.to_thread(
                self._fail, task_id, f"The process of this task ended unexpectedly, twice ({how_it_ended(code)})."
            )

    def _cancel_requested(self, task_id: int) -> bool:
        with connect(self._url, "tasks") as connection:
            return get_task(connection, task_id).cancel_requested

    def _put_back(self, task_id: int) -> None:
        with connect(self._url, "tasks") as connection:
            put_back(connection, task_id)

    def _fail(self, task_id: int, reason: str) -> None:
        with connect(self._url, "tasks") as connection:
            finish(connection, self._clock, task_id, "failed", error=reason)

    def _note_cancelled(self, task_id: int) -> None:
        with connect(self._url, "tasks") as connection:
            finish(connection, self._clock, task_id, "cancelled")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask the process to end, then make it."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _KILL_AFTER)
    except TimeoutError:
        process.kill()
        await process.wait()
