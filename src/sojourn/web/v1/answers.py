"""Answers: the envelope with its code and sentence, as JSON or XML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from sojourn.kernel.errors import Forbidden, NotFound, Problem, SojournError, Unauthenticated
from sojourn.web.v1.xml_text import write_xml

SUCCESS = {"error": 0, "error_text": "Successful operation"}
BAD, UNKNOWN_CALLER, FORBIDDEN, NOT_FOUND, INTERNAL = 400, 401, 403, 404, 500
"""Codes of the envelope (spec D 4.3)."""

_encode = msgspec.json.Encoder().encode
_JSON, _XML = b"application/json; charset=utf-8", b"application/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: the envelope, the HTTP status, and headers beyond the usual."""

    body: dict[str, Any]
    status: int = 200
    headers: Sequence[tuple[bytes, bytes]] = ()

    def encoded(self, form: str) -> tuple[bytes, bytes]:
        """Media type and body; `form` is `json` or `xml`."""
        return (_XML, write_xml(self.body)) if form == "xml" else (_JSON, _encode(self.body))


def success(**more: Any) -> dict[str, Any]:
    """The envelope of what went well."""
    return {**SUCCESS, **more}


def failure(code: int, text: str) -> dict[str, Any]:
    """The envelope of what did not."""
    return {"error": code, "error_text": text}


def envelope_of(error: SojournError) -> dict[str, Any]:
    """An error in the envelope."""
    code = (
        UNKNOWN_CALLER if isinstance(error, Unauthenticated) else FORBIDDEN if isinstance(error, Forbidden) else NOT_FOUND if isinstance(error, NotFound)
        else INTERNAL if error.status >= 500 else BAD
    )  # fmt: skip
    if not error.problems:
        return failure(code, _sentence(error.code, error.message, error.place))
    return failure(
        code, " ".join([error.message, *(_sentence(p.code, p.message, p.place) for p in error.problems[:10])])
    )


def envelope_of_problem(problem: Problem) -> dict[str, Any]:
    """What is wrong with one record, in the envelope."""
    return failure(
        NOT_FOUND if problem.code == "profile_unknown" else BAD, _sentence(problem.code, problem.message, problem.place)
    )


def _sentence(code: str, message: str, place: str | None) -> str:
    if code in ("profile_unknown", "unknown_profile"):
        return "profile not found"  # clients look for these words
    return f'field "{place}": {message}' if place else message
