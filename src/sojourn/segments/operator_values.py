"""What may stand behind an operator, and the sentence about what may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sojourn.kernel.errors import Problem, SojournError
from sojourn.profiles import Field
from sojourn.segments.mailbox_providers import DOMAIN_GROUPS
from sojourn.segments.operators import OPERATORS, Shape, bare_day, in_list, read_element, read_value
from sojourn.segments.patterns import BadPattern, check_pattern
from sojourn.segments.phone_countries import COUNTRIES

MOST_VALUES, LONGEST_TEXT, MOST_COUNTRIES = 10_000, 1_000, 50
_COUNTRIES = frozenset(COUNTRIES)
_AT_LEAST_A_DAY = frozenset({"last_days", "next_days"})


def value_problem(code: str, known: Field, value: Any) -> Problem | None:
    """What is wrong with the value behind an operator over a field."""
    try:
        _CHECKS[OPERATORS[code].shape](code, known, value)
    except SojournError as error:
        return Problem(error.code, error.message, "value")
    except BadPattern as error:
        return Problem("bad_pattern", str(error), "value")
    return None


def _need(truth: bool, code: str, sentence: str) -> None:
    if not truth:
        raise SojournError(code, sentence, "value")


def _one(code: str, known: Field, value: Any) -> None:
    _need(value is not None, "value_needed", "A value to compare with is needed.")
    if known.type != "date" or bare_day(value) is None:
        read_value(known, value)


def _many(code: str, known: Field, value: Any) -> None:
    values = in_list(value)
    _need(0 < len(values) <= MOST_VALUES, "values_needed", f"A list of 1 to {MOST_VALUES} values is needed.")
    for one in values:
        _one(code, known, one)


def _text(code: str, known: Field, value: Any) -> None:
    _need(isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT, "text_needed", "A text to compare with is needed.")
    if code == "starts_with" and known.type == "phones":
        _need(
            any(sign.isdigit() for sign in value) and value.isascii(),
            "digits_needed",
            "The first digits of a phone number are needed.",
        )
    elif known.type in ("tags", "phones"):
        read_element(known, value)


def _texts(code: str, known: Field, value: Any) -> None:
    values = in_list(value)
    _need(0 < len(values) <= MOST_VALUES, "values_needed", f"A list of 1 to {MOST_VALUES} texts is needed.")
    for one in values:
        _text(code, known, one)


def _pattern(code: str, known: Field, value: Any) -> None:
    _need(isinstance(value, str) and bool(value), "value_needed", "A pattern is needed.")
    check_pattern(value)


def _range(code: str, known: Field, value: Any) -> None:
    _need(isinstance(value, list) and len(value) == 2, "range_needed", "Two values are needed, from and to.")
    for one in value:
        _one(code, known, one)
    low, high = (_rank(known, one) for one in value)
    _need(low <= high, "range_reversed", "The first value is above the second.")


def _rank(known: Field, value: Any) -> Any:
    """A value by which the two of a range are put in order; dates by their day, since one may be given with a time and one without."""
    found = bare_day(value) or read_value(known, value) if known.type == "date" else read_value(known, value)
    return found.date() if isinstance(found, datetime) else found


def _number(value: Any, low: int, high: int) -> None:
    fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    _need(fits, "number_needed", f"A whole number from {low} to {high} is needed.")


def _days(code: str, known: Field, value: Any) -> None:
    _number(value, 1 if code in _AT_LEAST_A_DAY else 0, 36_500)


def _days_range(code: str, known: Field, value: Any) -> None:
    _need(isinstance(value, list) and len(value) == 2, "range_needed", "Two numbers of days are needed, from and to.")
    for one in value:
        _number(one, -366, 366)
    _need(value[0] <= value[1], "range_reversed", "The first day comes before the last.")


def _numbers(low: int, high: int) -> Callable[[str, Field, Any], None]:
    def check(code: str, known: Field, value: Any) -> None:
        values = in_list(value)
        _need(0 < len(values) <= high, "values_needed", "One at least is needed, and none twice.")
        for one in values:
            _number(one, low, high)

    return check


def _groups(code: str, known: Field, value: Any) -> None:
    values = in_list(value)
    known_ones = all(isinstance(one, str) and one in DOMAIN_GROUPS for one in values)
    _need(
        0 < len(values) <= len(DOMAIN_GROUPS) and known_ones,
        "values_needed",
        f"A provider is one of {', '.join(DOMAIN_GROUPS)}.",
    )


def _countries(code: str, known: Field, value: Any) -> None:
    values = in_list(value)
    known_ones = all(isinstance(one, str) and one in _COUNTRIES for one in values)
    _need(
        0 < len(values) <= MOST_COUNTRIES and known_ones,
        "values_needed",
        f"A list of 1 to {MOST_COUNTRIES} countries is needed, each by two letters as in ISO 3166.",
    )


_CHECKS: dict[Shape, Callable[[str, Field, Any], None]] = {
    "none": lambda code, known, value: None,
    "one": _one,
    "many": _many,
    "text": _text,
    "texts": _texts,
    "pattern": _pattern,
    "range": _range,
    "days": _days,
    "days_range": _days_range,
    "count": lambda code, known, value: _number(value, 0, 10_000),
    "weekdays": _numbers(1, 7),
    "months": _numbers(1, 12),
    "groups": _groups,
    "countries": _countries,
}
