"""The ASGI application of `/api/v1.1`, without a framework: these calls come in thousands.

Whatever reached its method is answered with HTTP 200 and an envelope that tells how it went (spec D 4.2).
"""

from __future__ import annotations

import base64
import re
import time
from datetime import timedelta
from typing import Any

import anyio
import msgspec
import structlog
from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from sojourn.access import Caller, require, token_caller
from sojourn.access.repeats import remember, remembered, repeat_key
from sojourn.kernel.errors import Unauthenticated, Unavailable
from sojourn.kernel.wakeups import ENGINE, Bell
from sojourn.profiles.importing import in_transaction
from sojourn.web.body_limit import API_LIMIT, limited
from sojourn.web.failures import as_error
from sojourn.web.installation import CONNECTIONS, Connection, Installation
from sojourn.web.v1.answers import INTERNAL, Answer, envelope_of, failure
from sojourn.web.v1.method import Method, V1Call
from sojourn.web.v1.methods import METHODS, SINGLE_IMPORT
from sojourn.web.v1.parameters import Parameters
from sojourn.web.v1.profiles import outcome_answer, prepare_single_import
from sojourn.web.v1.single_imports import SingleImports
from sojourn.web.v1.transport import Heading, read_body

log = structlog.get_logger("web")
_PREFIX = re.compile(r"/+api/+v1\.1(?:/+|$)")
_SLASHES = re.compile(r"/{2,}")
_HEADERS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_KNOWN_SECONDS, _MOST_KNOWN = 5.0, 1_000
"""How long a token that was just looked up is taken without another look; a revoked one dies within that time."""


class IntegrationApi:
    """Answers the calls of integrations."""

    def __init__(self, installation: Installation, imports: SingleImports) -> None:
        self._installation = installation
        self._imports = imports
        self._known: dict[str, tuple[Caller, float]] = {}
        self._threads: anyio.CapacityLimiter | None = None
        self._bell = Bell(0)

    def serves(self, path: str) -> bool:
        """Whether a path belongs to this API."""
        return "/v1.1" in path and _PREFIX.match(path) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        heading = Heading.of(scope)
        form, answer = "json", Answer({})
        try:
            query = heading.parameters_of_query()
            form = heading.form(dict(query))
            method = METHODS.get(_name(scope["path"]))
            if method is None:
                answer = Answer(failure(404, "There is no such method."), 404)
            elif scope["method"] != "POST":
                answer = Answer(failure(405, "Methods are called with POST."), 405, [(b"allow", b"POST")])
            else:
                body = read_body(await _body(scope, receive))
                form = heading.form(query | body)
                answer = await self._answer(method, heading, heading.token(body, query), Parameters(query | body))
        except Exception as error:
            answer = _failed(error)
        kind, content = answer.encoded(form)
        headers = [(b"content-type", kind), (b"content-length", str(len(content)).encode()), *_HEADERS, *answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, method: Method, heading: Heading, token: str, given: Parameters) -> Answer:
        caller = await self._caller(token)
        require(caller, method.role)
        request_id, older = heading.repeat_id() if method.changes else ("", False)
        if request_id and self._installation.settings.repeat_window_hours:
            key = repeat_key(request_id, token)
            body, repeated = await run_sync(self._once, method, caller, given, key, limiter=self._limiter())
            return Answer(body, headers=_marks(key, older) if repeated else ())
        if method is METHODS[SINGLE_IMPORT]:
            return Answer(outcome_answer(await self._imports.submit(*prepare_single_import(given))))
        return Answer(await run_sync(self._perform, method, caller, given, limiter=self._limiter()))

    def _limiter(self) -> anyio.CapacityLimiter:
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(CONNECTIONS)
        return self._threads

    async def _caller(self, token: str) -> Caller:
        if not token:
            raise Unauthenticated("token_missing", "An API token is needed.")
        known = self._known.get(token)
        if known and known[1] > time.monotonic():
            return known[0]
        caller = await run_sync(self._find_caller, token, limiter=self._limiter())
        if caller is None:
            self._known.pop(token, None)
            raise Unauthenticated("unknown_token", "This API token is not known.")
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[token] = (caller, time.monotonic() + _KNOWN_SECONDS)
        return caller

    def _find_caller(self, token: str) -> Caller | None:
        known = self._installation
        with known.connection() as connection:
            return token_caller(connection, known.clock, known.token_key, token)

    def _perform(self, method: Method, caller: Caller, given: Parameters) -> dict[str, Any]:
        with self._installation.connection() as connection:
            body = method.function(V1Call(self._installation.clock, connection, caller), given)
            self._wake(method, connection)
            return body

    def _once(self, method: Method, caller: Caller, given: Parameters, key: bytes) -> tuple[dict[str, Any], bool]:
        """Do it unless it was done under this key: the work and its answer are kept by one transaction. What failed is not remembered."""
        installation = self._installation
        window = timedelta(hours=installation.settings.repeat_window_hours)
        with installation.connection() as connection:

            def work() -> tuple[dict[str, Any], bool]:
                known = remembered(connection, installation.clock, key, window)
                if known is not None:
                    return msgspec.json.decode(known), True
                body = method.function(V1Call(installation.clock, connection, caller), given)
                if body["error"]:
                    raise _NotKept(body)
                remember(connection, installation.clock, key, msgspec.json.encode(body))
                return body, False

            try:
                body, repeated = in_transaction(connection, work)
            except _NotKept as end:
                return end.body, False
            if not repeated:
                self._wake(method, connection)
            return body, repeated

    def _wake(self, method: Method, connection: Connection) -> None:
        if method.starts:
            self._bell.ring(connection, ENGINE)


class _NotKept(Exception):
    """The work failed: its transaction is rolled back and the answer forgotten."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__()
        self.body = body


def _name(path: str) -> str:
    """`/api/v1.1//profiles/import/` is `profiles/import`."""
    return _SLASHES.sub("/", _PREFIX.sub("", path, count=1)).strip("/")


async def _body(scope: Scope, receive: Receive) -> bytes:
    counted = limited(scope, receive, API_LIMIT)
    message = await counted()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await counted()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
    return b"".join(parts)


def _marks(key: bytes, older: bool) -> list[tuple[bytes, bytes]]:
    prefix = b"x-" if older else b""
    return [(prefix + b"duplicate-key", base64.b64encode(key)), (prefix + b"duplicate-request", b"true")]


def _failed(error: Exception) -> Answer:
    if isinstance(error, HTTPException):
        return Answer(failure(error.status_code, str(error.detail)), error.status_code)
    told = as_error(error)
    if told is None:
        log.error("call failed", exc_info=error)
        return Answer(failure(INTERNAL, "Internal error."), 500)
    return Answer(envelope_of(told), 503 if isinstance(told, Unavailable) else 200)
