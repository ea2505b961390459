"""Whether the installation works as a whole: the database, its tables, and every part that the settings ask for."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg_pool import PoolTimeout, TooManyRequests
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sojourn import __version__
from sojourn.kernel.database.migrate import newest_revision
from sojourn.kernel.heartbeat import FRESH, fresh_parts
from sojourn.web.installation import Connection, Installation

_WAIT = 3.0
OK = "ok"


def health_route(installation: Installation) -> Route:
    """`GET /health`: 200 when everything works, else 503 with the reason for each part."""

    async def answer(request: Request) -> JSONResponse:
        parts = await run_in_threadpool(health, installation)
        well = all(word == OK for word in parts.values())
        return JSONResponse(
            {"status": OK if well else "unavailable", "version": __version__, "parts": parts},
            200 if well else 503,
            {"cache-control": "no-store"},
        )

    return Route("/health", answer, methods=["GET"])


def health(installation: Installation) -> dict[str, str]:
    """Part → `ok` or what is wrong with it."""
    try:
        with installation.pool.connection(timeout=_WAIT) as connection:
            return {"database": OK, "migrations": _migrations(connection), **_parts(connection, installation)}
    except (PoolTimeout, TooManyRequests, psycopg.Error) as error:
        return {"database": (str(error).strip().splitlines() or ["It cannot be reached."])[0]}


def _migrations(connection: Connection) -> str:
    found: Any = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    if found is None or found[0] is None:
        return "The tables are missing: run `sojourn migrate`."
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None or row[0] != newest_revision():
        return "The tables are not those of this release: run `sojourn migrate`."
    return OK


def _parts(connection: Connection, installation: Installation) -> dict[str, str]:
    if connection.execute("SELECT to_regclass('part_heartbeat') IS NULL").fetchone() == (True,):
        return {}
    settings = installation.settings
    wanted = [
        "web",
        *(["engine"] if settings.engine_processes else []),
        *(["worker"] if settings.worker_processes else []),
    ]
    alive = {part.part for part in fresh_parts(connection, installation.clock) if part.ready}
    silent = f"No sign of life for {FRESH.seconds} seconds."
    return {part: OK if part in alive else silent for part in wanted}
