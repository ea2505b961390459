"""Other texts with Liquid in them: addresses, headers and bodies of API requests, names."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from liquid.exceptions import LiquidError

from sojourn.kernel.errors import Problem, SojournError
from sojourn.templates import liquid
from sojourn.templates.check import TEXT_LIMIT, liquid_problems
from sojourn.templates.compiled import RenderError, Variables, _variables
from sojourn.templates.language import Escape, language


def validate_text(source: str, place: str = "text") -> list[Problem]:
    """Mistakes of a Liquid text; each place is `<place>:<line>:<column>`."""
    if len(source) > TEXT_LIMIT:
        return [Problem("too_long", f"At most {TEXT_LIMIT} characters.", place)]
    return liquid_problems(source, place)


@lru_cache(maxsize=1024)
def compile_text(source: str, *, escape: Escape = None) -> Callable[[dict[str, Any]], str]:
    """A function from a context to the rendered text. `escape`: how values are made safe: for HTML, for an address (percent-encoded),
    inside a JSON string; None: as they are.

    Raises:
        SojournError: `liquid` if the text is not valid. The function raises `RenderError`.
    """
    if problems := liquid_problems(source, "text", escape):
        raise SojournError("liquid", problems[0].message, problems[0].place, problems=problems)
    program = liquid.compile_text(source, language(escape), binary=False)

    def render(context: dict[str, Any]) -> str:
        try:
            return str(program(context))
        except LiquidError as error:
            raise RenderError("render", f"The text cannot be rendered: {error.message}.") from error
        except Exception as error:
            raise RenderError("render", f"The text cannot be rendered: {error}.") from error

    return render


def variables_of(source: str) -> Variables:
    """Which data a valid text asks for."""
    return _variables([language(None).from_string(source).analyze()])
