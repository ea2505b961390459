"""The door of the JSON API: nobody is served, and no body is read, before it is known who calls."""

from __future__ import annotations

import hmac

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request, cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from sojourn.access import Caller, session_caller, token_caller
from sojourn.kernel.errors import Forbidden, Unauthenticated
from sojourn.web.body_limit import API_LIMIT, limited
from sojourn.web.failures import answer_failure
from sojourn.web.installation import Installation

COOKIE = "sojourn_session"
CSRF_HEADER = "x-csrf-token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN = frozenset({("POST", "/session"), ("GET", "/openapi.json")})


def session_token(scope: Scope) -> str:
    """The value of the session's cookie; empty if there is none."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            return cookie_parser(value.decode("latin-1")).get(COOKIE, "")
    return ""


def bearer_token(scope: Scope) -> str:
    """The token of `Authorization: Bearer`; empty if there is none."""
    for name, value in scope["headers"]:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return str(value[7:].strip().decode("latin-1"))
    return ""


class Guard:
    """Finds out who calls, refuses strangers and forged calls, and bounds the body."""

    def __init__(self, app: ASGIApp, installation: Installation) -> None:
        self._app = app
        self._installation = installation
        self._upload_limit = (installation.settings.upload_limit << 20) + (1 << 20)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        limit = self._upload_limit if path == "/imports" else API_LIMIT
        try:
            if (scope["method"], path) not in _OPEN:
                scope.setdefault("state", {})["caller"] = await self._caller(scope)
            receive = limited(scope, receive, limit)
        except Exception as error:
            answer = await answer_failure(Request(scope), error)
            await answer(scope, receive, send)
            if answer.status_code == 500:
                raise
            return
        await self._app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller:
        token, cookie = bearer_token(scope), session_token(scope)
        if not token and not cookie:
            raise Unauthenticated("not_logged_in", "Log in first.")
        caller = await run_in_threadpool(self._find, token, cookie)
        if caller is None:
            raise (
                Unauthenticated("unknown_token", "This token is not known.")
                if token
                else Unauthenticated("not_logged_in", "Log in first.")
            )
        if not token and scope["method"] not in _SAFE and not hmac.compare_digest(_csrf(scope), caller.csrf.encode()):
            raise Forbidden(
                "csrf",
                f"A call that changes something carries the session's secret in the header {CSRF_HEADER}.",
                CSRF_HEADER,
            )
        return caller

    def _find(self, token: str, cookie: str) -> Caller | None:
        known = self._installation
        with known.connection() as connection:
            if token:
                return token_caller(connection, known.clock, known.token_key, token)
            return session_caller(connection, known.clock, cookie)


def _csrf(scope: Scope) -> bytes:
    return next((value for name, value in scope["headers"] if name == CSRF_HEADER.encode()), b"")
