"""The operators of field rules: for which types, with what kind of value, in words, and as SQL over one operand.

Meanings that hold everywhere: a missing value is *not equal* to anything and fails every other comparison; an operator and its opposite (`eq` and
`ne`, `has` and `has_not`, …) share out all profiles between them; `eq`, `in` and tags compare exactly, `contains`, `starts_with`, `ends_with` and
`matches` ignore case; days are days of the account's time zone, reckoned when the rule is asked.
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
from sojourn.segments.mailbox_providers import DOMAIN_GROUPS
from sojourn.segments.phone_countries import number_patterns
from sojourn.segments.rule import RuleContext, Text, TimeNeed

Shape = Literal[
    "none", "one", "many", "text", "texts", "pattern", "range", "days", "days_range", "count", "weekdays", "months", "groups", "countries"
]  # fmt: skip
"""What stands behind an operator: nothing, a value of the field's type, several, a text, several texts, a pattern, two values, a number of days, two
numbers of days, a number, numbers of weekdays (Monday is 1), of months, names of domain groups, countries."""


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
    """One operator. `build` gives SQL that may be null; an operator without it is true exactly where the one it is `opposite_of` is not."""

    code: str
    words: Text
    shape: Shape
    types: frozenset[str]
    build: Build | None
    time_need: TimeNeed = "none"
    opposite_of: str | None = None


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
        raise SojournError(
            problem.code if problem else "value_needed",
            problem.message if problem else "A value to compare with is needed.",
            "value",
        )
    return parsed


def read_element(operand_field: Field, value: Any) -> str:
    """A tag or a phone number as it stands in the list.

    Raises:
        SojournError: it is none.
    """
    found = read_value(operand_field, [value])
    if len(found) != 1:
        raise SojournError("value_needed", "A value to compare with is needed.", "value")
    return str(found[0])


def bare_day(value: Any) -> date | None:
    """A day that was given without a time of day, as `2026-12-31` or `31.12.2026`."""
    if not isinstance(value, str):
        return None
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text := value.strip()):
            return date.fromisoformat(text)
        if dotted := re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", text):
            return date(int(dotted[3]), int(dotted[2]), int(dotted[1]))
    except ValueError:
        pass
    return None


def in_list(values: Any) -> list[Any]:
    """What was given for several: a list, or one alone."""
    return values if isinstance(values, list) else [values]


# ------------------------------------------------------------------------------------------------ SQL


def _compare(sign: str) -> Build:
    def build(operand: Operand, value: Any, context: RuleContext) -> str:
        day = bare_day(value) if operand.field.type == "date" else None
        if day is not None:
            return f"{operand.day(context)} {sign} {context.bind(day, 'date')}"
        return f"{operand.sql} {sign} {context.bind(read_value(operand.field, value), operand.sql_type)}"

    return build


def _among(operand: Operand, values: Any, context: RuleContext) -> str:
    if operand.field.type != "date":
        wanted = [read_value(operand.field, value) for value in in_list(values)]
        return f"{operand.sql} = ANY({context.bind(wanted, operand.sql_type + '[]')})"
    days = [day for value in in_list(values) if (day := bare_day(value)) is not None]
    moments = [read_value(operand.field, value) for value in in_list(values) if bare_day(value) is None]
    ways = [f"{operand.day(context)} = ANY({context.bind(days, 'date[]')})"] if days else []
    ways += [f"{operand.sql} = ANY({context.bind(moments, operand.sql_type + '[]')})"] if moments else []
    return "(" + " OR ".join(ways) + ")"


def _between(operand: Operand, values: Any, context: RuleContext) -> str:
    low, high = values
    return f"({_compare('>=')(operand, low, context)} AND {_compare('<=')(operand, high, context)})"


def _set(operand: Operand, value: Any, context: RuleContext) -> str:
    return f"{operand.sql} IS NOT NULL"


def _not_set(operand: Operand, value: Any, context: RuleContext) -> str:
    return f"{operand.sql} IS NULL"


def _empty(operand: Operand, value: Any, context: RuleContext) -> str:
    if operand.sql_type == "text[]":
        return f"cardinality({operand.sql}) = 0"
    return f"{operand.sql} IN ('{{}}'::jsonb, '[]'::jsonb)"


def _not_empty(operand: Operand, value: Any, context: RuleContext) -> str:
    return f"NOT {_empty(operand, value, context)}"


def _text(template: str) -> Build:
    return lambda operand, value, context: template.format(operand.sql, context.bind(value, "text"))


_contains = _text("strpos(lower({0}), lower({1})) > 0")
_ends = _text("right(lower({0}), length(lower({1}))) = lower({1})")
_matches = _text("{0} ~* {1}")


def _starts(operand: Operand, value: Any, context: RuleContext) -> str:
    if operand.field.type != "phones":
        return f"starts_with(lower({operand.sql}), lower({context.bind(value, 'text')}))"
    digits = "+" + re.sub(r"\D", "", value)
    return f"EXISTS (SELECT FROM unnest({operand.sql}) t WHERE starts_with(t, {context.bind(digits, 'text')}))"


def _has(operand: Operand, value: Any, context: RuleContext) -> str:
    return f"{operand.sql} @> ARRAY[{context.bind(read_element(operand.field, value), 'text')}]"


def _has_of(sign: str) -> Build:
    def build(operand: Operand, values: Any, context: RuleContext) -> str:
        wanted = [read_element(operand.field, value) for value in in_list(values)]
        return f"{operand.sql} {sign} {context.bind(wanted, 'text[]')}"

    return build


def _count(sign: str) -> Build:
    return lambda operand, value, context: (
        f"coalesce(cardinality({operand.sql}), 0) {sign} {context.bind(int(value), 'int')}"
    )


def _domain(operand: Operand, values: Any, context: RuleContext) -> str:
    wanted = [str(value).strip().lower().removeprefix("@") for value in in_list(values)]
    return f"split_part({operand.sql}, '@', 2) = ANY({context.bind(wanted, 'text[]')})"


def _domain_group(operand: Operand, values: Any, context: RuleContext) -> str:
    return _domain(operand, [domain for group in in_list(values) for domain in DOMAIN_GROUPS[group]], context)


def _country(operand: Operand, values: Any, context: RuleContext) -> str:
    ways = []
    for country in in_list(values):
        own, others = number_patterns(country)
        besides = f" AND t !~ {context.bind(others, 'text')}" if others else ""
        ways.append(f"(t ~ {context.bind(own, 'text')}{besides})")
    return f"EXISTS (SELECT FROM unnest({operand.sql}) t WHERE {' OR '.join(ways)})"


def _days(template: str) -> Build:
    """A relation between the operand's day `{0}`, today `{1}` and a number of days `{2}`."""
    return lambda operand, value, context: template.format(
        operand.day(context), context.today, context.bind(int(value), "int")
    )


def _anniversary(operand: Operand, value: Any, context: RuleContext) -> str:
    """The operand's day and month come on one of the days from today + from to today + to; 29 February is kept on the 28th in common years."""
    low, high = (int(number) for number in value)
    day = operand.day(context)
    born = f"(extract(month FROM {day}) * 100 + extract(day FROM {day}))::int"
    window = f"SELECT {context.today} + n AS d FROM generate_series({context.bind(low, 'int')}, {context.bind(high, 'int')}) n"
    # The days of the window as numbers, month before day: worked out once for a whole database, not once for each profile.
    kept = (
        f"SELECT k.number FROM ({window}) w, LATERAL (VALUES ((extract(month FROM w.d) * 100 + extract(day FROM w.d))::int),"
        " (CASE WHEN extract(day FROM w.d) = 28 AND to_char(w.d + 1, 'MMDD') = '0301' THEN 229 END)) k(number) WHERE k.number IS NOT NULL"
    )
    return f"{born} = ANY(ARRAY({kept}))"


def _part(part: str) -> Build:
    return lambda operand, values, context: (
        f"extract({part} FROM {operand.day(context)})::int = ANY({context.bind([int(v) for v in in_list(values)], 'int[]')})"
    )


# ------------------------------------------------------------------------------------------------ the table

_NUMBERS = frozenset({"integer", "float"})
_DATES = frozenset({"date"})
_WORDS = frozenset({"line", "enum", "ip", "email"})
_CHOICES = frozenset({"sex", "status"})
_LISTS = frozenset({"tags", "phones"})
_OBJECTS = frozenset({"object", "objects"})
_EMAIL, _PHONES = frozenset({"email"}), frozenset({"phones"})
_EVERYTHING = _NUMBERS | _DATES | _WORDS | _CHOICES | _LISTS | _OBJECTS | {"boolean"}
_LISTED = _NUMBERS | _WORDS | _CHOICES | _DATES | {"profile_id"}
_SINGLE = _LISTED | {"boolean"}

_ALL: tuple[Operator, ...] = (
    Operator("eq", {"en": "is", "ru": "равно"}, "one", _SINGLE, _compare("=")),
    Operator("ne", {"en": "is not", "ru": "не равно"}, "one", _SINGLE, None, opposite_of="eq"),
    Operator("in", {"en": "is one of", "ru": "одно из"}, "many", _LISTED, _among),
    Operator("not_in", {"en": "is none of", "ru": "ни одно из"}, "many", _LISTED, None, opposite_of="in"),
    Operator("lt", {"en": "is less than", "ru": "меньше"}, "one", _NUMBERS, _compare("<")),
    Operator("le", {"en": "is at most", "ru": "не больше"}, "one", _NUMBERS, _compare("<=")),
    Operator("gt", {"en": "is more than", "ru": "больше"}, "one", _NUMBERS, _compare(">")),
    Operator("ge", {"en": "is at least", "ru": "не меньше"}, "one", _NUMBERS, _compare(">=")),
    Operator("between", {"en": "is between", "ru": "между"}, "range", _NUMBERS | _DATES, _between),
    Operator("contains", {"en": "contains", "ru": "содержит"}, "text", _WORDS, _contains),
    Operator("not_contains", {"en": "does not contain", "ru": "не содержит"}, "text", _WORDS, None, opposite_of="contains"),
    Operator("starts_with", {"en": "starts with", "ru": "начинается с"}, "text", _WORDS | _PHONES, _starts),
    Operator("ends_with", {"en": "ends with", "ru": "заканчивается на"}, "text", _WORDS, _ends),
    Operator("matches", {"en": "matches the pattern", "ru": "подходит под шаблон"}, "pattern", frozenset({"line", "email"}), _matches),
    Operator("domain", {"en": "is at the domain", "ru": "на домене"}, "texts", _EMAIL, _domain),
    Operator("not_domain", {"en": "is not at the domain", "ru": "не на домене"}, "texts", _EMAIL, None, opposite_of="domain"),
    Operator("domain_group", {"en": "is a mailbox of", "ru": "почта провайдера"}, "groups", _EMAIL, _domain_group),
    Operator("not_domain_group", {"en": "is no mailbox of", "ru": "не почта провайдера"}, "groups", _EMAIL, None, opposite_of="domain_group"),
    Operator("has", {"en": "has", "ru": "содержит"}, "text", _LISTS, _has),
    Operator("has_not", {"en": "lacks", "ru": "не содержит"}, "text", _LISTS, None, opposite_of="has"),
    Operator("has_any", {"en": "has any of", "ru": "содержит хотя бы одно из"}, "texts", _LISTS, _has_of("&&")),
    Operator("has_all", {"en": "has all of", "ru": "содержит все"}, "texts", _LISTS, _has_of("@>")),
    Operator("has_none", {"en": "has none of", "ru": "не содержит ни одного из"}, "texts", _LISTS, None, opposite_of="has_any"),
    Operator("country", {"en": "has a number of the country", "ru": "есть номер страны"}, "countries", _PHONES, _country),
    Operator("not_country", {"en": "has no number of the country", "ru": "нет номера страны"}, "countries", _PHONES, None, opposite_of="country"),
    Operator("count_eq", {"en": "has exactly so many", "ru": "количество равно"}, "count", _LISTS, _count("=")),
    Operator("count_ge", {"en": "has at least so many", "ru": "количество не меньше"}, "count", _LISTS, _count(">=")),
    Operator("count_le", {"en": "has at most so many", "ru": "количество не больше"}, "count", _LISTS, _count("<=")),
    Operator("before", {"en": "is before", "ru": "раньше"}, "one", _DATES, _compare("<")),
    Operator("after", {"en": "is after", "ru": "позже"}, "one", _DATES, _compare(">")),
    Operator("last_days", {"en": "was in the last days", "ru": "за последние дни"}, "days", _DATES, _days("({0} > {1} - {2} AND {0} <= {1})"), "day"),
    Operator("next_days", {"en": "is in the next days", "ru": "в ближайшие дни"}, "days", _DATES, _days("({0} >= {1} AND {0} < {1} + {2})"), "day"),
    Operator("days_ago", {"en": "was exactly so many days ago", "ru": "ровно столько дней назад"}, "days", _DATES, _days("{0} = {1} - {2}"), "day"),
    Operator("days_ahead", {"en": "is in exactly so many days", "ru": "ровно через столько дней"}, "days", _DATES, _days("{0} = {1} + {2}"), "day"),
    Operator("more_days_ago", {"en": "was more days ago than", "ru": "раньше, чем столько дней назад"}, "days", _DATES, _days("{0} < {1} - {2}"), "day"),
    Operator("more_days_ahead", {"en": "is further ahead than days", "ru": "позже, чем через столько дней"}, "days", _DATES, _days("{0} > {1} + {2}"), "day"),
    Operator("anniversary", {"en": "has its anniversary", "ru": "годовщина"}, "days_range", _DATES, _anniversary, "day"),
    Operator("weekday", {"en": "is on the weekday", "ru": "день недели"}, "weekdays", _DATES, _part("isodow")),
    Operator("month", {"en": "is in the month", "ru": "месяц"}, "months", _DATES, _part("month")),
    Operator("set", {"en": "has a value", "ru": "заполнено"}, "none", _EVERYTHING, _set),
    Operator("not_set", {"en": "has no value", "ru": "не заполнено"}, "none", _EVERYTHING, _not_set, opposite_of="set"),
    Operator("empty", {"en": "is there, but empty", "ru": "есть, но пустое"}, "none", _LISTS | _OBJECTS, _empty),
    Operator("not_empty", {"en": "is there and not empty", "ru": "есть и не пустое"}, "none", _LISTS | _OBJECTS, _not_empty),
)  # fmt: skip

OPERATORS: Mapping[str, Operator] = {operator.code: operator for operator in _ALL}
_DATE_ALIASES = frozenset({"lt", "le", "gt", "ge"})


def operators_of(kind: str) -> list[Operator]:
    """The operators of a type of field, in the order in which they are offered."""
    return [operator for operator in _ALL if kind in operator.types]


def fits(code: str, kind: str) -> bool:
    """Whether an operator may be used with a type. Dates also take the signs of numbers."""
    operator = OPERATORS.get(code)
    return operator is not None and (kind in operator.types or (kind == "date" and code in _DATE_ALIASES))


def build(code: str, operand: Operand, value: Any, context: RuleContext) -> str:
    """The SQL of a comparison."""
    operator = OPERATORS[code]
    if operator.build is not None:
        return operator.build(operand, value, context)
    return f"NOT coalesce({build(operator.opposite_of or '', operand, value, context)}, false)"
