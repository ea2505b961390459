"""One hierarchy of errors for people: a code, a sentence, and the place. They look the same in the CLI, the API and the screen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with what a person gave: where, and why."""

    code: str
    message: str
    place: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class SojournError(Exception):
    """Something a person can act on.

    `code` is a stable word for programs, `message` one sentence, `place` the field, line or node it is about.
    `status` is the HTTP status that fits; a client's mistake is never a 5xx.
    """

    status = 400

    def __init__(
        self, code: str, message: str, place: str | None = None, *, problems: list[Problem] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.place = place
        self.problems = problems or []

    def __str__(self) -> str:
        lines = [f"{self.place}: {self.message}" if self.place else self.message]
        lines += [f"  {p.place}: {p.message}" if p.place else f"  {p.message}" for p in self.problems]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The shape that the JSON API and `--json` print."""
        return {
            "code": self.code,
            "message": self.message,
            "place": self.place,
            "problems": [p.as_dict() for p in self.problems],
        }


class NotFound(SojournError):
    """What was asked for does not exist."""

    status = 404


class Forbidden(SojournError):
    """The caller may not do this."""

    status = 403


class Unauthenticated(SojournError):
    """The caller is not known."""

    status = 401


class Conflict(SojournError):
    """Somebody else was faster, or the state of the thing forbids it."""

    status = 409


class TooLarge(SojournError):
    """More than the limit that the message names."""

    status = 413


class Unavailable(SojournError):
    """A part of the product is not ready yet."""

    status = 503
