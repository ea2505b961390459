"""The operators of field rules: for which types, with what kind of value, in words, and as SQL over one operand.

Meanings that hold everywhere: a missing value is *not equal* to anything and fails every other comparison; `eq`, `in` and tags compare exactly,
`contains`, `starts_with`, `ends_with` and `matches` ignore case; days are days of the account's time zone, reckoned when the rule is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sojourn.kernel.errors import SojournError
from sojourn.kernel.ids import parse_public_id
from sojourn.profiles import Field
from sojourn.profiles.values import parse_value
from sojourn.segments.rule import RuleContext, Text, TimeNeed

Shape = Literal[
    "none", "one", "many", "text", "texts", "range", "days", "days_range", "count", "weekdays", "months", "groups"
]
"""What stands behind an operator: nothing, a value of the field's type, several, a text, several texts, two values, a number of days, two numbers of days,
a number, numbers of weekdays (Monday is 1), of months, names of domain groups."""

MOST_VALUES = 10_000
LONGEST_PATTERN = 200
DOMAIN_GROUPS: dict[str, tuple[str, ...]] = {
    "google": ("gmail.com", "googlemail.com"),
    "microsoft": ("outlook.com", "hotmail.com", "live.com", "msn.com", "hotmail.co.uk", "live.co.uk", "outlook.fr", "hotmail.fr", "outlook.de", "hotmail.de"),
    "yahoo": ("yahoo.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de", "yahoo.it", "yahoo.es", "yahoo.co.jp", "yahoo.com.br", "ymail.com", "rocketmail.com", "aol.com"),
    "apple": ("icloud.com", "me.com", "mac.com"),
    "yandex": ("yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua", "narod.ru"),
    "mailru": ("mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru", "xmail.ru"),
    "rambler": ("rambler.ru", "lenta.ru", "autorambler.ru", "myrambler.ru", "ro.ru", "rambler.ua"),
    "proton": ("proton.me", "protonmail.com", "pm.me"),
    "gmx": ("gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "web.de"),
}  # fmt: skip
"""Providers of mailboxes and their domains, collected by us."""


@dataclass(frozen=True, slots=True)
class Operand:
    """What is compared: an SQL expression, its SQL type, and the field that says how values are read."""

    sql: str
    sql_type: str
    field: Field

    def day(self, context: RuleContext) -> str:
        """SQL: the calendar day of the account."""
        return self.sql if self.sql_type == "date" else f"({self.sql} AT TIME ZONE {context.zone})::date"


Build = Callable[[Operand, Any, RuleContext], str]


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator. `build` gives SQL that may be null, or is two-valued where a missing value counts as true."""

    code: str
    words: Text
    shape: Shape
    types: frozenset[str]
    build: Build
    time_need: TimeNeed = "none"


# ------------------------------------------------------------------------------------------------ values


def read_value(operand_field: Field, value: Any) -> Any:
    """A value of the field's type.

    Raises:
        SojournError: it is none.
    """
    if operand_field.type == "profile_id":
        return parse_public_id(str(value))
    parsed, problem = parse_value(operand_field, value)
    if problem or parsed is None:
        raise SojournError("wrong_value", problem.message if problem else "A value to compare with is needed.", "value")
    return parsed


def _bare_day(value: Any) -> date | None:
    """A day that was given without a time of day."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            return None
    return None


def _compare(sign: str) -> Build:
    def build(operand: Operand, value: Any, context: RuleContext) -> str:
        day = _bare_day(value) if operand.field.type == "date" else None
        if day is not None:
            return f"{operand.day(context)} {sign} {context.bind(day, 'date')}"
        return f"{operand.sql} {sign} {context.bind(read_value(operand.field, value), operand.sql_type)}"

    return build


def _among(operand: Operand, values: Any, context: RuleContext) -> str:
    wanted = [read_value(operand.field, value) for value in _list(values)]
    return f"{operand.sql} = ANY({context.bind(wanted, operand.sql_type + '[]')})"


def _list(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _between(operand: Operand, values: Any, context: RuleContext) -> str:
    low, high = values
    return f"({_compare('>=')(operand, low, context)} AND {_compare('<=')(operand, high, context)})"


def _not(build: Build) -> Build:
    """The opposite, true where there is no value."""
    return lambda operand, value, context: f"NOT coalesce({build(operand, value, context)}, false)"


def _set(operand: Operand, value: Any, context: RuleContext) -> str:
    return f"{operand.sql} IS NOT NULL"


def _not_set(operand: Operand, value: Any, context: RuleContext) -> str:
    return f"{operand.sql} IS NULL"


def _empty(operand: Operand, value: Any, context: RuleContext) -> str:
    return f"coalesce({operand.sql} IN ('{{}}'::jsonb, '[]'::jsonb), false)"


def _text(template: str) -> Build:
    return lambda operand, value, context: template.format(operand.sql, context.bind(value, "text"))


_contains = _text("strpos(lower({0}), lower({1})) > 0")
_starts = _text("starts_with(lower({0}), lower({1}))")
_ends = _text("right(lower({0}), length({1})) = lower({1})")
_matches = _text("{0} ~* {1}")


def _has(operand: Operand, value: Any, context: RuleContext) -> str:
    return f"{operand.sql} @> ARRAY[{context.bind(_element(operand, value), 'text')}]"


def _has_any(operand: Operand, values: Any, context: RuleContext) -> str:
    return f"{operand.sql} && {context.bind([_element(operand, v) for v in _list(values)], 'text[]')}"


def _has_all(operand: Operand, values: Any, context: RuleContext) -> str:
    return f"{operand.sql} @> {context.bind([_element(operand, v) for v in _list(values)], 'text[]')}"


def _element(operand: Operand, value: Any) -> Any:
    if operand.field.type != "phones":
        return value
    parsed, problem = parse_value(operand.field, [value])
    return value if problem or not parsed else parsed[0]


def _any_starts(operand: Operand, value: Any, context: RuleContext) -> str:
    return f"EXISTS (SELECT FROM unnest({operand.sql}) t WHERE starts_with(t, {context.bind(value, 'text')}))"


def _count(sign: str) -> Build:
    return lambda operand, value, context: (
        f"coalesce(cardinality({operand.sql}), 0) {sign} {context.bind(int(value), 'int')}"
    )


def _domain(operand: Operand, values: Any, context: RuleContext) -> str:
    wanted = [str(value).strip().lower().removeprefix("@") for value in _list(values)]
    return f"split_part({operand.sql}, '@', 2) = ANY({context.bind(wanted, 'text[]')})"


def _domain_group(operand: Operand, values: Any, context: RuleContext) -> str:
    domains = [domain for group in _list(values) for domain in DOMAIN_GROUPS[group]]
    return f"split_part({operand.sql}, '@', 2) = ANY({context.bind(domains, 'text[]')})"


def _days(template: str) -> Build:
    """A relation between the operand's day `{0}`, today `{1}` and a number of days `{2}`."""
    return lambda operand, value, context: template.format(
        operand.day(context), context.today, context.bind(int(value), "int")
    )


def _anniversary(operand: Operand, value: Any, context: RuleContext) -> str:
    """Some day from today + from to today + to has the operand's day and month; 29 February is kept on the 28th in common years."""
    low, high = (int(number) for number in value)
    day = operand.day(context)
    # The month and day as one number; only the days of the window are looked at, never the years of a life.
    born = f"(extract(month FROM {day}) * 100 + extract(day FROM {day}))::int"
    window = f"SELECT {context.today} + n AS d FROM generate_series({context.bind(low, 'int')}, {context.bind(high, 'int')}) n"
    keeps = (
        f"{born} = (extract(month FROM w.d) * 100 + extract(day FROM w.d))::int"
        f" OR ({born} = 229 AND extract(month FROM w.d) = 2 AND extract(day FROM w.d) = 28 AND extract(month FROM w.d + 1) = 3)"
    )
    return f"({operand.sql} IS NOT NULL AND EXISTS (SELECT FROM ({window}) w WHERE {keeps}))"


def _part(part: str) -> Build:
    return lambda operand, values, context: (
        f"extract({part} FROM {operand.day(context)})::int = ANY({context.bind([int(v) for v in _list(values)], 'int[]')})"
    )


# ------------------------------------------------------------------------------------------------ the table

_NUMBERS = frozenset({"integer", "float"})
_DATES = frozenset({"date"})
_WORDS = frozenset({"line", "enum", "ip", "email"})
_CHOICES = frozenset({"sex", "status"})
_TAGS = frozenset({"tags", "phones"})
_OBJECTS = frozenset({"object", "objects"})
_EVERYTHING = _NUMBERS | _DATES | _WORDS | _CHOICES | _TAGS | _OBJECTS | {"boolean"}
_SINGLE = _NUMBERS | _WORDS | _CHOICES | {"profile_id"}

_ALL: tuple[Operator, ...] = (
    Operator("eq", {"en": "is", "ru": "равно"}, "one", _SINGLE | _DATES | {"boolean"}, _compare("=")),
    Operator("ne", {"en": "is not", "ru": "не равно"}, "one", _SINGLE | _DATES | {"boolean"}, _not(_compare("="))),
    Operator("in", {"en": "is one of", "ru": "одно из"}, "many", _SINGLE | _DATES, _among),
    Operator("not_in", {"en": "is none of", "ru": "ни одно из"}, "many", _SINGLE | _DATES, _not(_among)),
    Operator("lt", {"en": "is less than", "ru": "меньше"}, "one", _NUMBERS, _compare("<")),
    Operator("le", {"en": "is at most", "ru": "не больше"}, "one", _NUMBERS, _compare("<=")),
    Operator("gt", {"en": "is more than", "ru": "больше"}, "one", _NUMBERS, _compare(">")),
    Operator("ge", {"en": "is at least", "ru": "не меньше"}, "one", _NUMBERS, _compare(">=")),
    Operator("between", {"en": "is between", "ru": "между"}, "range", _NUMBERS | _DATES, _between),
    Operator("contains", {"en": "contains", "ru": "содержит"}, "text", _WORDS, _contains),
    Operator("not_contains", {"en": "does not contain", "ru": "не содержит"}, "text", _WORDS, _not(_contains)),
    Operator("starts_with", {"en": "starts with", "ru": "начинается с"}, "text", _WORDS | {"phones"}, _starts),
    Operator("ends_with", {"en": "ends with", "ru": "заканчивается на"}, "text", _WORDS, _ends),
    Operator("matches", {"en": "matches the pattern", "ru": "подходит под шаблон"}, "text", frozenset({"line", "email"}), _matches),
    Operator("domain", {"en": "is at the domain", "ru": "на домене"}, "texts", frozenset({"email"}), _domain),
    Operator("not_domain", {"en": "is not at the domain", "ru": "не на домене"}, "texts", frozenset({"email"}), _not(_domain)),
    Operator("domain_group", {"en": "is a mailbox of", "ru": "почта провайдера"}, "groups", frozenset({"email"}), _domain_group),
    Operator("not_domain_group", {"en": "is no mailbox of", "ru": "не почта провайдера"}, "groups", frozenset({"email"}), _not(_domain_group)),
    Operator("has", {"en": "has", "ru": "содержит"}, "text", _TAGS, _has),
    Operator("has_not", {"en": "lacks", "ru": "не содержит"}, "text", _TAGS, _not(_has)),
    Operator("has_any", {"en": "has any of", "ru": "содержит хотя бы одно из"}, "texts", _TAGS, _has_any),
    Operator("has_all", {"en": "has all of", "ru": "содержит все"}, "texts", _TAGS, _has_all),
    Operator("has_none", {"en": "has none of", "ru": "не содержит ни одного из"}, "texts", _TAGS, _not(_has_any)),
    Operator("count_eq", {"en": "has exactly so many", "ru": "количество равно"}, "count", _TAGS, _count("=")),
    Operator("count_ge", {"en": "has at least so many", "ru": "количество не меньше"}, "count", _TAGS, _count(">=")),
    Operator("count_le", {"en": "has at most so many", "ru": "количество не больше"}, "count", _TAGS, _count("<=")),
    Operator("before", {"en": "is before", "ru": "раньше"}, "one", _DATES, _compare("<")),
    Operator("after", {"en": "is after", "ru": "позже"}, "one", _DATES, _compare(">")),
    Operator("last_days", {"en": "was in the last days", "ru": "за последние дни"}, "days", _DATES, _days("({0} > {1} - {2} AND {0} <= {1})"), "day"),
    Operator("next_days", {"en": "is in the next days", "ru": "в ближайшие дни"}, "days", _DATES, _days("({0} >= {1} AND {0} < {1} + {2})"), "day"),
    Operator("days_ago", {"en": "was exactly so many days ago", "ru": "ровно столько дней назад"}, "days", _DATES, _days("{0} = {1} - {2}"), "day"),
    Operator("days_ahead", {"en": "is in exactly so many days", "ru": "ровно через столько дней"}, "days", _DATES, _days("{0} = {1} + {2}"), "day"),
    Operator("more_days_ago", {"en": "was more days ago than", "ru": "раньше, чем столько дней назад"}, "days", _DATES, _days("{0} < {1} - {2}"), "day"),
    Operator("more_days_ahead", {"en": "is further ahead than days", "ru": "позже, чем через столько дней"}, "days", _DATES, _days("{0} > {1} + {2}"), "day"),
    Operator("anniversary", {"en": "has its anniversary within days from today", "ru": "годовщина в пределах дней от сегодня"}, "days_range", _DATES, _anniversary, "day"),
    Operator("weekday", {"en": "is on the weekday", "ru": "день недели"}, "weekdays", _DATES, _part("isodow")),
    Operator("month", {"en": "is in the month", "ru": "месяц"}, "months", _DATES, _part("month")),
    Operator("set", {"en": "is filled", "ru": "заполнено"}, "none", _EVERYTHING, _set),
    Operator("not_set", {"en": "is empty", "ru": "пусто"}, "none", _EVERYTHING, _not_set),
    Operator("empty", {"en": "is there but has no content", "ru": "есть, но без содержимого"}, "none", _OBJECTS, _empty),
    Operator("not_empty", {"en": "has content", "ru": "есть содержимое"}, "none", _OBJECTS, lambda o, v, c: f"({o.sql} IS NOT NULL AND NOT {_empty(o, v, c)})"),
)  # fmt: skip

OPERATORS: Mapping[str, Operator] = {operator.code: operator for operator in _ALL}
_DATE_ALIASES = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def operators_of(kind: str) -> list[Operator]:
    """The operators of a type of field, in the order in which they are offered."""
    return [operator for operator in _ALL if kind in operator.types]


def fits(code: str, kind: str) -> bool:
    """Whether an operator may be used with a type. Dates also take the signs of numbers."""
    operator = OPERATORS.get(code)
    return operator is not None and (kind in operator.types or (kind == "date" and code in _DATE_ALIASES))


def build(code: str, operand: Operand, value: Any, context: RuleContext) -> str:
    """The SQL of a comparison."""
    if code == "starts_with" and operand.field.type == "phones":
        return _any_starts(operand, value, context)
    if code in ("in", "not_in") and operand.field.type == "date":
        days = [_compare("=")(operand, one, context) for one in _list(value)]
        any_of = "(" + " OR ".join(days) + ")"
        return any_of if code == "in" else f"NOT coalesce({any_of}, false)"
    return OPERATORS[code].build(operand, value, context)


# ------------------------------------------------------------------------------------------------ checks

_PATTERN_PARTS = re.compile(r"\(\?|\\[^dDwWsS.\\/()\[\]{}+*?^$|@-]|\{\s*\d{3,}|\{\d*,\d{3,}")


def value_problem(code: str, operand_field: Field, value: Any) -> str | None:
    """What is wrong with the value behind an operator, as a sentence."""
    shape = OPERATORS[code].shape
    try:
        _CHECKS[shape](code, operand_field, value)
    except SojournError as error:
        return error.message
    except (TypeError, ValueError):
        return "The value does not fit the operator."
    return None


def _need(truth: bool, sentence: str) -> None:
    if not truth:
        raise SojournError("wrong_value", sentence, "value")


def _check_one(code: str, known: Field, value: Any) -> None:
    _need(value is not None, "A value to compare with is needed.")
    if not (known.type == "date" and _bare_day(value)):
        read_value(known, value)


def _check_many(code: str, known: Field, value: Any) -> None:
    values = _list(value)
    _need(0 < len(values) <= MOST_VALUES, f"A list of 1 to {MOST_VALUES} values is needed.")
    for one in values:
        _check_one(code, known, one)


def _check_text(code: str, known: Field, value: Any) -> None:
    _need(
        isinstance(value, str) and bool(value) and "\x00" not in value and len(value) <= 1_000,
        "A text to compare with is needed.",
    )
    if code == "matches":
        _need(
            len(value) <= LONGEST_PATTERN and not _PATTERN_PARTS.search(value),
            "The pattern uses what is not offered: only plain signs, classes and repetition.",
        )
        try:
            re.compile(value)
        except re.error as error:
            raise SojournError("wrong_value", f"The pattern is not complete: {error}.", "value") from None


def _check_texts(code: str, known: Field, value: Any) -> None:
    values = _list(value)
    _need(0 < len(values) <= MOST_VALUES, f"A list of 1 to {MOST_VALUES} texts is needed.")
    for one in values:
        _check_text("", known, one)


def _check_range(code: str, known: Field, value: Any) -> None:
    _need(isinstance(value, list) and len(value) == 2, "Two values are needed, from and to.")
    for one in value:
        _check_one(code, known, one)


def _number(value: Any, low: int, high: int) -> None:
    _need(
        isinstance(value, int) and not isinstance(value, bool) and low <= value <= high,
        f"A whole number from {low} to {high} is needed.",
    )


def _check_days_range(code: str, known: Field, value: Any) -> None:
    _need(isinstance(value, list) and len(value) == 2, "Two numbers of days are needed, from and to.")
    for one in value:
        _number(one, -366, 366)
    _need(value[0] <= value[1], "The first day comes before the last.")


def _check_numbers(low: int, high: int) -> Callable[[str, Field, Any], None]:
    def check(code: str, known: Field, value: Any) -> None:
        values = _list(value)
        _need(bool(values), "One at least is needed.")
        for one in values:
            _number(one, low, high)

    return check


def _check_groups(code: str, known: Field, value: Any) -> None:
    values = _list(value)
    _need(
        bool(values) and all(one in DOMAIN_GROUPS for one in values),
        f"A provider is one of {', '.join(DOMAIN_GROUPS)}.",
    )


_CHECKS: dict[Shape, Callable[[str, Field, Any], None]] = {
    "none": lambda code, known, value: None,
    "one": _check_one,
    "many": _check_many,
    "text": _check_text,
    "texts": _check_texts,
    "range": _check_range,
    "days": lambda code, known, value: _number(value, 0, 36_500),
    "days_range": _check_days_range,
    "count": lambda code, known, value: _number(value, 0, 10_000),
    "weekdays": _check_numbers(1, 7),
    "months": _check_numbers(1, 12),
    "groups": _check_groups,
}
