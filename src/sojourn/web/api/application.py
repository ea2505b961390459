"""The application of `/api/v2`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect

from sojourn import __version__
from sojourn.kernel.errors import SojournError
from sojourn.web.api import (
    account,
    bulk,
    connections,
    databases,
    external_tables,
    import_files,
    import_plans,
    imports,
    merging,
    node_types,
    privacy,
    profile_changes,
    profiles,
    promo_pools,
    relations,
    resources,
    rule_types,
    sandbox,
    scenario_edits,
    scenario_figures,
    scenarios,
    segment_counts,
    segments,
    session,
    status,
    suppression,
    tasks,
    templates,
    tokens,
)
from sojourn.web.api.guard import Guard
from sojourn.web.failures import answer_failure
from sojourn.web.installation import Installation

_ROUTERS: tuple[APIRouter, ...] = (
    session.router, status.router, scenarios.router, scenario_figures.router, scenario_edits.router, node_types.router, databases.router, resources.router, templates.router,
    promo_pools.router, profiles.router, profile_changes.router, merging.router, relations.router, connections.router, import_plans.router, external_tables.router, sandbox.router, import_files.router, imports.router, tasks.router, tokens.router, privacy.router, bulk.router, account.router, rule_types.router, segment_counts.router, segments.router, suppression.router,
)  # fmt: skip


class ProblemShape(BaseModel):
    """One thing that is wrong, and where."""

    code: str
    message: str
    place: str | None = None


class ErrorShape(BaseModel):
    """An error; `code` is a stable word, `message` a sentence for people."""

    code: str
    message: str
    place: str | None = None
    problems: list[ProblemShape] = []


class ErrorAnswer(BaseModel):
    """What every call answers that fails."""

    error: ErrorShape


_ERRORS: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorAnswer}, "5XX": {"model": ErrorAnswer}}


def json_api(installation: Installation) -> FastAPI:
    """The application, to be mounted at `/api/v2`."""
    app = FastAPI(
        title="Sojourn",
        version=__version__,
        description="People log in with `POST /session`; programs send `Authorization: Bearer <API token>`.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=_ERRORS,
        generate_unique_id_function=_operation_id,
        middleware=[Middleware(Guard, installation=installation)],
        exception_handlers={
            SojournError: answer_failure,
            RequestValidationError: answer_failure,
            HTTPException: answer_failure,
            ClientDisconnect: answer_failure,
            Exception: answer_failure,
        },
    )
    app.state.installation = installation
    for router in _ROUTERS:
        app.include_router(router)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
