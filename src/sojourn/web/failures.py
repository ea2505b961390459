"""Errors as answers: one shape for all, `{"error": {code, message, place, problems}}`."""

from __future__ import annotations

import psycopg
import structlog
from fastapi.exceptions import RequestValidationError
from psycopg_pool import PoolTimeout, TooManyRequests
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from sojourn.kernel.errors import NotFound, Problem, SojournError, TooLarge, Unavailable

log = structlog.get_logger("web")
MOST_PROBLEMS = 100
_WORDS = {
    404: ("not_found", "There is nothing at this address."),
    405: ("wrong_method", "This address does not take that method."),
}


def as_error(error: BaseException) -> SojournError | None:
    """What a caller is told of an exception; None if it is a fault of ours."""
    if isinstance(error, SojournError):
        return error
    if isinstance(error, (PoolTimeout, TooManyRequests, psycopg.OperationalError, psycopg.InterfaceError)):
        if isinstance(error, psycopg.errors.QueryCanceled):
            return Unavailable("too_slow", "This took too long and was given up.")
        log.warning("database not available", reason=(str(error).strip().splitlines() or ["no connection"])[0])
        return Unavailable(
            "database_unreachable", "The database cannot be reached at the moment; try again in a minute."
        )
    if isinstance(error, (psycopg.DataError, UnicodeEncodeError)):
        # A value that passed all checks and that PostgreSQL cannot keep, such as a text with a NUL or half a surrogate.
        return SojournError(
            "bad_value", "A value in this call cannot be stored: it is out of range, or has forbidden characters."
        )
    if isinstance(error, (RequestValidationError, ValidationError)):
        problems = [
            Problem(_code(item["type"]), f"{item['msg']}.", place(item["loc"]))
            for item in error.errors()[:MOST_PROBLEMS]
        ]
        first = problems[0] if problems else None
        return SojournError(
            "bad_request",
            first.message if first else "The call has errors.",
            first.place if first else None,
            problems=problems,
        )
    if isinstance(error, ClientDisconnect):
        return SojournError("disconnected", "The connection ended before the call was complete.")
    if isinstance(error, HTTPException):
        code, message = _WORDS.get(error.status_code, ("bad_request", str(error.detail)))
        return NotFound(code, message) if error.status_code == 404 else SojournError(code, message)
    return None


def place(location: tuple[int | str, ...]) -> str | None:
    """`document.nodes.2.type`; the part of the request (body, query, path) is left out."""
    parts = [str(part) for part in location]
    return ".".join(parts[1:] if parts[:1] in (["body"], ["query"], ["path"], ["header"]) else parts) or None


def _code(kind: str) -> str:
    return "missing" if kind == "missing" else "bad_json" if kind == "json_invalid" else "bad_value"


def error_answer(error: SojournError, status: int | None = None) -> JSONResponse:
    """The answer that tells an error."""
    wait = getattr(error, "retry_after", None)
    return JSONResponse(
        {"error": error.as_dict()},
        status or error.status,
        {"cache-control": "no-store", **({"retry-after": str(wait)} if wait is not None else {})},
    )


async def answer_failure(request: Request, error: Exception) -> JSONResponse:
    """The handler of all exceptions; what we did not expect is a 500 and stands in the log."""
    if isinstance(error, HTTPException) and error.status_code == 413:
        return error_answer(TooLarge("body_too_large", str(error.detail)))
    told = as_error(error)
    if told is None:
        return error_answer(
            SojournError("internal", "Something went wrong on our side; the server's log has the details."), 500
        )
    if isinstance(error, (RequestValidationError, ValidationError)):
        return error_answer(told, 422)
    return error_answer(told, error.status_code if isinstance(error, HTTPException) else None)
