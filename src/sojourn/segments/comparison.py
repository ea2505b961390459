"""A comparison by itself: an operator and the value behind it, as rules hold them; checked, in words, and as SQL."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from sojourn.kernel.errors import Problem
from sojourn.profiles import Field
from sojourn.segments.json_values import JsonType, inner_field
from sojourn.segments.mailbox_providers import GROUP_TITLES
from sojourn.segments.operator_values import value_problem
from sojourn.segments.operators import OPERATORS, bare_day, fits, in_list
from sojourn.segments.rule import Language, Text, TimeNeed

_SHOWN_VALUES = 5
_WEEKDAYS = {"en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
             "ru": ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье")}  # fmt: skip
_MONTHS = {"en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
           "ru": ("январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь")}  # fmt: skip
_VALUES: dict[str, Text] = {
    "true": {"en": "yes", "ru": "да"},
    "false": {"en": "no", "ru": "нет"},
    "male": {"en": "male", "ru": "мужской"},
    "female": {"en": "female", "ru": "женский"},
    "subscribed": {"en": "subscribed", "ru": "подписан"},
    "unsubscribed": {"en": "unsubscribed", "ru": "отписан"},
    "complained": {"en": "complained", "ru": "пожаловался"},
    "hardbounced": {"en": "hard bounced", "ru": "недоступен"},
    "unconfirmed": {"en": "unconfirmed", "ru": "не подтверждён"},
    "suspended": {"en": "suspended", "ru": "приостановлен"},
    "invalid": {"en": "invalid", "ru": "недействителен"},
}
_FROM_TODAY: dict[Language, str] = {"en": "today plus", "ru": "сегодня плюс"}
_DAYS: dict[Language, str] = {"en": "days", "ru": "дн."}


class DateComparison(BaseModel):
    """A moment compared: any operator of dates."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    operator: str
    value: Any = None

    @property
    def field(self) -> Field:
        return inner_field("moment", "moment", "date")


class TextComparison(BaseModel):
    """A text compared: any operator of lines."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    operator: str
    value: Any = None

    @property
    def field(self) -> Field:
        return inner_field("text", "text", "line")


class CustomComparison(BaseModel):
    """A value with a name of its own compared, read as a type."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    type: JsonType = "line"
    operator: str
    value: Any = None

    @property
    def field(self) -> Field:
        return inner_field(self.name, self.name, self.type)


def comparison_problem(operator: str, known: Field, value: Any) -> Problem | None:
    """What is wrong with a comparison of a field; `place` is `operator` or `value`."""
    if operator not in OPERATORS:
        return Problem("wrong_operator", f"There is no comparison “{operator}”.", "operator")
    if not fits(operator, known.type):
        return Problem("wrong_operator", f"“{operator}” does not fit a field of type {known.type}.", "operator")
    return value_problem(operator, known, value)


def time_need_of(operator: str) -> TimeNeed:
    """How the answer of a comparison changes by time alone."""
    return OPERATORS[operator].time_need if operator in OPERATORS else "none"


def comparison_text(operator: str, kind: str, value: Any, language: Language) -> str:
    """A comparison in words, without its subject."""
    known = OPERATORS.get(operator)
    return f"{known.words[language]}{_tail(known.shape, kind, value, language)}" if known else operator


def _tail(shape: str, kind: str, value: Any, language: Language) -> str:
    values = in_list(value)
    match shape:
        case "none":
            return ""
        case "range":
            return f" {_word(kind, values[0], language)} – {_word(kind, values[-1], language)}"
        case "days_range":
            return f": {_FROM_TODAY[language]} {values[0]} … {values[-1]} {_DAYS[language]}"
        case "days":
            return f": {value} {_DAYS[language]}"
        case "count":
            return f": {value}"
        case "weekdays":
            return " " + ", ".join(_named(_WEEKDAYS[language], number) for number in values)
        case "months":
            return " " + ", ".join(_named(_MONTHS[language], number) for number in values)
        case "groups":
            return " " + ", ".join(GROUP_TITLES.get(str(name), str(name)) for name in values)
    shown = ", ".join(_word(kind, one, language) for one in values[:_SHOWN_VALUES])
    return f" {shown}" + (f" (+{len(values) - _SHOWN_VALUES})" if len(values) > _SHOWN_VALUES else "")


def _named(names: tuple[str, ...], number: Any) -> str:
    return names[number - 1] if isinstance(number, int) and 0 < number <= len(names) else str(number)


def _word(kind: str, value: Any, language: Language) -> str:
    if kind in ("boolean", "sex", "status") and (word := _VALUES.get(str(value).lower())):
        return word[language]
    if kind == "date" and (day := bare_day(value)):
        return f"{day:%d.%m.%Y}" if language == "ru" else day.isoformat()
    return str(value)
