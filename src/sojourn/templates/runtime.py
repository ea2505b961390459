"""What compiled templates call while they render. Everything here means exactly what python-liquid means."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from liquid.builtin.expressions.logical import _contains, _eq, _le, _lt, is_truthy
from liquid.builtin.expressions.loop import LoopExpression
from liquid.builtin.tags.for_tag import ForLoop
from liquid.context import RenderContext
from liquid.exceptions import LocalNamespaceLimitError, LoopIterationLimitError, OutputStreamLimitError
from liquid.stringify import to_liquid_string
from liquid.undefined import Undefined
from markupsafe import _escape_inner as escape_plain  # type: ignore[attr-defined]  # the C function behind `escape`, four times as fast

from sojourn.templates.language import LOOP_LIMIT, OUTPUT_LIMIT, VARIABLE_LIMIT, Escape, escaped, language, signed

UNDEFINED = Undefined("")
contains, eq_values, le, lt = _contains, _eq, _le, _lt


class _Outside:
    """Stands for a render context where python-liquid only asks for the language, or remembers loop positions nobody reads."""

    env = language(None)

    def stopindex(self, key: str, index: int | None = None) -> int:
        return index or 0


OUTSIDE = _Outside()


def member(value: Any, key: Any) -> Any:
    """`value.key`, or undefined."""
    try:
        return RenderContext.get_item(OUTSIDE, value, key)  # type: ignore[arg-type]
    except (KeyError, TypeError, IndexError):
        return UNDEFINED


def truthy(value: Any) -> bool:
    """Only nil, false and what is not there are false in Liquid; an empty text is true."""
    if value.__class__ is str:
        return True
    return is_truthy(value)


def eq(left: Any, right: Any) -> bool:
    """Liquid's `==`."""
    if left.__class__ is str and isinstance(right, str):
        return left == right
    return _eq(left, right)


def iterate(value: Any) -> tuple[Iterable[Any], int]:
    """What a loop goes over, and how long it is."""
    if value.__class__ is list:
        return value, len(value)
    if isinstance(value, Mapping):
        return value.items(), len(value)
    if isinstance(value, range):
        if value.stop - value.start > LOOP_LIMIT:
            raise LoopIterationLimitError("loop iteration limit reached", token=None)
        return value, len(value)
    if isinstance(value, str):
        return ((), 0) if not value else ((value,), 1)
    if isinstance(value, Sequence):
        return value, len(value)
    return (), 0


def sliced(loop: LoopExpression, value: Any, limit: Any, offset: Any) -> tuple[Iterable[Any], int]:
    """What a loop with limit, offset or `reversed` goes over."""
    over, length = iterate(value)
    return loop._slice(
        iter(over),
        length,
        OUTSIDE,  # type: ignore[arg-type]
        limit=None if loop.limit is None else loop._to_int(limit, token=loop.limit.token),
        offset=None if loop.offset is None else loop._to_int(offset, token=loop.offset.token),
    )


def for_loop(over: Iterable[Any], length: int) -> ForLoop:
    """The loop with its `forloop` variable."""
    return ForLoop(name="", it=iter(over), length=length, parentloop=UNDEFINED)


def bound_variables(variables: dict[str, Any]) -> None:
    """Refuse variables that grew too large."""
    if sum(sys.getsizeof(value, 1) for value in variables.values()) > VARIABLE_LIMIT:
        raise LocalNamespaceLimitError("local namespace limit reached", token=None)


class Budget:
    """How many turns and how much output loops of one rendering may still make."""

    __slots__ = ("output", "seen", "turns")

    def __init__(self) -> None:
        self.turns = LOOP_LIMIT
        self.output = OUTPUT_LIMIT
        self.seen = 0

    def turn(self, parts: list[Any]) -> None:
        """One more turn; `parts` is the output so far."""
        self.turns -= 1
        self.output -= sum(map(len, parts[self.seen :]))
        self.seen = len(parts)
        if self.turns < 0:
            raise LoopIterationLimitError("loop iteration limit reached", token=None)
        if self.output < 0:
            raise OutputStreamLimitError("output stream limit reached", token=None)


def finished(text: Any) -> Any:
    """The whole output, unless it is too long."""
    if len(text) > OUTPUT_LIMIT:
        raise OutputStreamLimitError("output stream limit reached", token=None)
    return text


def crlf(text: str) -> bytes:
    """UTF-8 with the line ends of mail."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode() if "\n" in text else text.encode()


def _html_text(value: Any) -> str:
    return escape_plain(value) if value.__class__ is str else to_liquid_string(value, True)


def _html_bytes(value: Any) -> bytes:
    kind = value.__class__
    if kind is str and "\n" not in value:
        return escape_plain(value).encode()
    if kind is int:
        return b"%d" % value
    return crlf(to_liquid_string(value, True))


def _plain_text(value: Any) -> str:
    return value if value.__class__ is str else to_liquid_string(value, False)


def _plain_bytes(value: Any) -> bytes:
    if value.__class__ is str and "\n" not in value:
        return value.encode()
    return crlf(to_liquid_string(value, False))


def printer(escape_as: Escape, binary: bool) -> Callable[[Any], Any]:
    """The function that turns a value into output."""
    if escape_as == "html":
        return _html_bytes if binary else _html_text
    if escape_as is None:
        return _plain_bytes if binary else _plain_text
    return lambda value: escaped(value, escape_as, None)


def signer(escape_as: Escape, binary: bool) -> Callable[[Callable[[int, str], str], int, list[Any]], Any]:
    """The function that turns a rendered destination into its tracked address."""
    if binary:
        return lambda sign, number, parts: signed(sign, number, b"".join(parts).decode(), escape_as == "html").encode()
    return lambda sign, number, parts: signed(sign, number, "".join(parts), escape_as == "html")


__all__ = [
    "UNDEFINED", "Budget", "bound_variables", "contains", "eq", "eq_values", "finished", "for_loop", "iterate", "le", "lt", "member", "sliced",
    "truthy",
]  # fmt: skip
