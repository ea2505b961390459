"""The web application: one ASGI application for the JSON API, the integration API, the links in messages, and the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from sojourn.kernel import Clock, Settings
from sojourn.loyalty import register_variables
from sojourn.triggers import register_import_triggers
from sojourn.web.api.application import json_api
from sojourn.web.failures import answer_failure
from sojourn.web.health import health_route
from sojourn.web.installation import Installation
from sojourn.web.life import running
from sojourn.web.public import Recorder, public_routes
from sojourn.web.security_headers import SecurityHeaders
from sojourn.web.static_files import static_routes
from sojourn.web.v1.application import IntegrationApi
from sojourn.web.v1.exports import download_route
from sojourn.web.v1.single_imports import SingleImports


class WebApplication:
    """The ASGI application. Calls of the integration API take a shorter way than all others: they come in thousands."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.installation = Installation(settings, clock)
        imports = SingleImports(self.installation.database_url, clock)
        self._v1 = IntegrationApi(self.installation, imports)
        recorder = Recorder(self.installation.database_url, clock)

        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            async with running(self.installation, recorder, imports):
                yield

        self._rest = Starlette(
            routes=[
                health_route(self.installation),
                Mount("/api/v2", json_api(self.installation)),
                download_route(self.installation),
                *public_routes(settings, clock, self.installation.pool, recorder),
                *static_routes(),
            ],
            middleware=[Middleware(SecurityHeaders, https=settings.base_url.startswith("https://"))],
            exception_handlers={HTTPException: answer_failure, Exception: answer_failure},
            lifespan=lifespan,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._v1.serves(scope["path"]):
            await self._v1(scope, receive, send)
        else:
            await self._rest(scope, receive, send)


def create_app(settings: Settings, clock: Clock) -> WebApplication:
    """The application of an installation. The database is reached for when the server starts it (ASGI lifespan)."""
    register_import_triggers()
    register_variables()
    return WebApplication(settings, clock)
