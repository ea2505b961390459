"""What runs beside the answers of a web process: its sign of life, the recorder of clicks and opens, the writer of single imports."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import structlog
from starlette.concurrency import run_in_threadpool

from sojourn.access import ensure_api_token
from sojourn.kernel.database import connect
from sojourn.kernel.heartbeat import Heartbeat
from sojourn.web.installation import Installation
from sojourn.web.public import Recorder
from sojourn.web.v1.single_imports import SingleImports

log = structlog.get_logger("web")


class SignOfLife:
    """Begins to beat as soon as the database can be reached and has its tables; the process answers meanwhile, with 503."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sign of life", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End, and take the sign back."""
        self._stop.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        known, told = self._installation, ""
        while not self._stop.is_set():
            try:
                with connect(known.database_url, "web") as connection:
                    ensure_api_token(connection, known.clock, known.settings)
                with Heartbeat(known.database_url, "web", known.clock):
                    self._stop.wait()
            except psycopg.Error as error:
                reason = (str(error).strip().splitlines() or ["no connection"])[0]
                if reason != told:
                    log.warning("waiting for the database", reason=reason)
                told = reason
                self._stop.wait(0.5)


@asynccontextmanager
async def running(installation: Installation, recorder: Recorder, imports: SingleImports) -> AsyncIterator[None]:
    """Everything runs while the block lasts; at its end what waits is written first."""
    installation.pool.open()
    recorder.start()
    imports.start()
    sign = SignOfLife(installation)
    sign.start()
    try:
        yield
    finally:
        installation.stopping.set()
        await run_in_threadpool(sign.stop)
        await run_in_threadpool(imports.stop)
        await run_in_threadpool(recorder.stop)
        await run_in_threadpool(installation.pool.close)
