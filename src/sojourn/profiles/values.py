"""One JSON or text value into the Python value of a field, or the reason why it does not fit. All ways of writing a profile pass here."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sojourn.kernel.errors import Problem
from sojourn.profiles.contacts import parse_email, parse_phone, stands_for_none
from sojourn.profiles.dates import parse_moment, to_utc
from sojourn.profiles.fields import Field
from sojourn.profiles.statuses import STATUS_NUMBERS

LONGEST_TEXT, LONGEST_OBJECT, DEEPEST_OBJECT, MOST_ELEMENTS = 32_000, 200_000, 32, 1_000
"""Bounds of one value: characters of a line, characters of an object as JSON, its depth, elements of tags and phones."""

IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}")
TRUE_WORDS = frozenset({"true", "1", "yes", "y", "on", "t", "да", "истина"})
FALSE_WORDS = frozenset({"false", "0", "no", "n", "off", "f", "нет", "ложь"})
SEX_NUMBERS = {word: 0 for word in ("male", "m", "0", "man", "м", "муж", "мужской", "мужчина")} | {
    word: 1 for word in ("female", "f", "1", "woman", "w", "ж", "жен", "женский", "женщина")
}
_INTEGER = re.compile(r"[+-]?\d{1,19}(?:\.0*)?")
_BIGINT = 2**63


@dataclass(frozen=True, slots=True)
class Reading:
    """How texts are read: a `strptime` format for dates (None: the common ones), the country of phone numbers written without one.

    `decimal`: the decimal sign of numbers; they may then be grouped by spaces, apostrophes and the other sign. None: both signs are decimal signs.
    """

    date_format: str | None = None
    phone_region: str | None = None
    decimal: Literal[".", ","] | None = None


PLAIN = Reading()


class Misfit(ValueError):
    """A value that does not fit: a code and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def problem(self, place: str | None) -> Problem:
        return Problem(self.code, self.message, place)


def parse_value(field: Field, value: Any, reading: Reading = PLAIN) -> tuple[Any, Problem | None]:
    """The value for the column of `field`, and what is wrong with it. None and an empty text mean "no value" and give (None, None)."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None, None
    try:
        return PARSERS[field.type](field, value, reading), None
    except Misfit as misfit:
        return None, misfit.problem(field.name)


def text_value(value: Any) -> str:
    """A text that the database can hold.

    Raises:
        Misfit: it holds NUL or half a character, or is too long.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Misfit("not_a_text", "A text is needed.")
    try:
        text = str(value)
        text.encode()
    except ValueError:  # half a surrogate pair, or a number of thousands of digits
        raise Misfit("bad_text", "The text holds characters that do not exist.") from None
    if "\x00" in text:
        raise Misfit("bad_text", "The text holds the character NUL.")
    if len(text) > LONGEST_TEXT:
        raise Misfit("text_too_long", f"The text is longer than {LONGEST_TEXT} characters.")
    return text


def integer_value(value: Any) -> int:
    """A whole number of 64 bits.

    Raises:
        Misfit: it is none.
    """
    if isinstance(value, str) and _INTEGER.fullmatch(text := value.strip()):
        value = int(text.partition(".")[0])
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Misfit("incorrect_number", "A whole number is needed.")
    if not -_BIGINT <= value < _BIGINT:
        raise Misfit("incorrect_number", "The number is too large.")
    return value


def storable(value: Any, depth: int = 0) -> bool:
    """Whether a JSON value can be kept: finite numbers, existing characters, not too deep."""
    if depth > DEEPEST_OBJECT:
        return False
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return -(10**300) < value < 10**300
    if isinstance(value, dict):
        return all(isinstance(key, str) and storable(key) and storable(item, depth + 1) for key, item in value.items())
    if isinstance(value, list):
        return all(storable(item, depth + 1) for item in value)
    return value is None


def _integer(field: Field, value: Any, reading: Reading) -> int:
    return integer_value(_ungrouped(value, reading))


def _ungrouped(value: Any, reading: Reading) -> Any:
    """A number with a point as its decimal sign and without marks between its thousands, where the sign is known."""
    if reading.decimal is None or not isinstance(value, str):
        return value
    marks = " \u00a0\u202f'’" + ("." if reading.decimal == "," else ",")
    return value.translate({ord(mark): None for mark in marks}).replace(",", ".")


def _float(field: Field, value: Any, reading: Reading) -> float:
    value = _ungrouped(value, reading)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Misfit("incorrect_number", "A number is needed.")
    try:
        number = float(value.strip().replace(",", ".") if isinstance(value, str) and "_" not in value else value)
    except (ValueError, OverflowError):
        raise Misfit("incorrect_number", "A number is needed.") from None
    if not math.isfinite(number) or (isinstance(value, str) and "_" in value):
        raise Misfit("incorrect_number", "A finite number is needed.")
    return number


def _line(field: Field, value: Any, reading: Reading) -> str:
    return text_value(value)


def _date(field: Field, value: Any, reading: Reading) -> Any:
    if isinstance(value, (bool, dict, list)):
        raise Misfit("incorrect_date", "A date is needed, such as 2026-12-31 or 2026-12-31T23:59:59Z.")
    try:
        moment = parse_moment(value, reading.date_format)
        # A day is the day as it was written: what time zone a birthday was meant in, nobody knows.
        return moment.date() if field.sql_type == "date" else to_utc(moment)
    except (ValueError, OverflowError):
        wanted = (
            f"of the form {reading.date_format}"
            if reading.date_format
            else "such as 2026-12-31 or 2026-12-31T23:59:59Z"
        )
        raise Misfit("incorrect_date", f"A date is needed, {wanted}.") from None


def _boolean(field: Field, value: Any, reading: Reading) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, int)):
        word = str(value).strip().lower() if not isinstance(value, int) or value in (0, 1) else ""
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
    raise Misfit("incorrect_boolean", "Yes or no is needed: true, false, 1, 0.")


def _enum(field: Field, value: Any, reading: Reading) -> str:
    # The number of an option counts from 0, as the sexes do; an option that is itself written as that number goes first.
    text = text_value(value).strip()
    if text in field.options:
        return text
    if len(text) < 6 and text.isascii() and text.isdigit() and int(text) < len(field.options):
        return field.options[int(text)]
    folded = text.casefold()
    for option in field.options:
        if option.casefold() == folded:
            return option
    shown = ", ".join(field.options[:10]) + (", …" if len(field.options) > 10 else "")
    raise Misfit("not_an_option", f"One of the options is needed: {shown}.")


def _ip(field: Field, value: Any, reading: Reading) -> str:
    if isinstance(value, str) and IPV4.fullmatch(text := value.strip()):
        return text
    raise Misfit("incorrect_ip", "An IPv4 address is needed.")


def _tags(field: Field, value: Any, reading: Reading) -> list[str]:
    items = _separated(value) if isinstance(value, str) else value
    if not isinstance(items, list) or len(items) > MOST_ELEMENTS:
        raise Misfit("incorrect_tags", f"A list of at most {MOST_ELEMENTS} tags is needed.")
    tags = (text_value(item).strip() for item in items)
    return list(dict.fromkeys(tag for tag in tags if tag))


def _separated(text: str) -> list[str]:
    """Tags of one text: separated by commas; one that holds a comma itself stands in quotes, as exports write it."""
    if '"' not in text:
        return text.split(",")
    try:
        return [tag for line in csv.reader(text.splitlines(), skipinitialspace=True) for tag in line]
    except csv.Error:
        raise Misfit("incorrect_tags", "The quotes of these tags do not close.") from None


def _object(field: Field, value: Any, reading: Reading) -> Any:
    if isinstance(value, str):
        value = _json(value)
    if not isinstance(value, dict):
        raise Misfit("incorrect_object", "An object is needed.")
    return _bounded(value)


def _objects(field: Field, value: Any, reading: Reading) -> Any:
    if isinstance(value, str):
        value = _json(value)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Misfit("incorrect_object", "A list of objects is needed.")
    return _bounded(value)


def _json(text: str) -> Any:
    if len(text) > LONGEST_OBJECT:
        raise Misfit("object_too_large", f"The object is larger than {LONGEST_OBJECT} characters.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Misfit("incorrect_object", "A JSON text is needed.") from None


def _bounded(value: Any) -> Any:
    if not storable(value):
        raise Misfit(
            "incorrect_object",
            f"The object holds something that cannot be kept, or is deeper than {DEEPEST_OBJECT} levels.",
        )
    if len(json.dumps(value, ensure_ascii=False)) > LONGEST_OBJECT:
        raise Misfit("object_too_large", f"The object is larger than {LONGEST_OBJECT} characters.")
    return value


def email_value(value: Any) -> str | None:
    """An e-mail address; None for the placeholder of a profile without one.

    Raises:
        Misfit: it is no address.
    """
    if isinstance(value, str):
        if stands_for_none(value):
            return None
        if address := parse_email(value):
            return address
    raise Misfit("incorrect_email", "An e-mail address is needed.")


def phone_value(value: Any, reading: Reading = PLAIN) -> str:
    """A phone number in E.164.

    Raises:
        Misfit: it is no number.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**16 else value
    if isinstance(text, str) and (number := parse_phone(text, reading.phone_region)):
        return number
    raise Misfit("incorrect_phone", "A phone number in international form is needed, such as +12025550123.")


def _phones(field: Field, value: Any, reading: Reading) -> list[str]:
    items = re.split(r"[,;]", value) if isinstance(value, str) else value if isinstance(value, list) else [value]
    if len(items) > MOST_ELEMENTS:
        raise Misfit("incorrect_phone", f"At most {MOST_ELEMENTS} phone numbers are needed.")
    return list(
        dict.fromkeys(phone_value(item, reading) for item in items if not isinstance(item, str) or item.strip())
    )


def _sex(field: Field, value: Any, reading: Reading) -> int:
    number = (
        SEX_NUMBERS.get(str(value).strip().lower())
        if isinstance(value, (str, int)) and not isinstance(value, bool)
        else None
    )
    if number is None:
        raise Misfit("incorrect_sex", "“male” or “female” is needed.")
    return number


def status_value(value: Any) -> int:
    """A status by word or number.

    Raises:
        Misfit: there is no such status.
    """
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        word = str(value).strip().lower() if not isinstance(value, int) or abs(value) < 10 else ""
        if word in STATUS_NUMBERS:
            return STATUS_NUMBERS[word]
        if word in ("0", "1", "2", "3", "4", "5", "6"):
            return int(word)
    raise Misfit(
        "incorrect_status",
        "A status is needed: subscribed, unsubscribed, complained, hardbounced, unconfirmed, suspended, invalid, or its number 0 to 6.",
    )


PARSERS: dict[str, Callable[[Field, Any, Reading], Any]] = {
    "integer": _integer, "float": _float, "line": _line, "date": _date, "boolean": _boolean, "enum": _enum, "ip": _ip, "tags": _tags,
    "object": _object, "objects": _objects, "email": lambda field, value, reading: email_value(value), "phones": _phones, "sex": _sex,
    "status": lambda field, value, reading: status_value(value),
}  # fmt: skip
