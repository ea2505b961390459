"""E-mail addresses and phone numbers in the one form in which they are stored and compared."""

from __future__ import annotations

import re

import phonenumbers
from email_validator import EmailNotValidError, validate_email

# Deliberately narrow: whatever it takes is an address under RFC 5321; all else is asked of the full validator, which is 100 times slower.
PLAIN_EMAIL = re.compile(r"[a-z0-9_+-]++(?:\.[a-z0-9_+-]++)*+@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)++[a-z]{2,24}")
PLAIN_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_PHONE_TEXT = re.compile(r"\+?[0-9()\-. \u00a0/]{5,40}")
_NOT_DIGITS = re.compile(r"\D")
_RESERVED_ENDS = (".local", ".localhost", ".invalid", ".test", ".example", ".onion", ".arpa")


def parse_email(text: str) -> str | None:
    """The address trimmed and in small letters, or None if it is none.

    Raises nothing. `<profile id>@localhost`, which stands for "no address", is none.
    """
    address = text.strip().lower()
    if len(address) > 254 or address.find("@") > 64:
        return None
    if PLAIN_EMAIL.fullmatch(address):
        return address
    try:
        # Names reserved for tests are addresses all the same: nobody can be written to there, but they are well-formed.
        checked = validate_email(address, check_deliverability=False, test_environment=address.endswith(_RESERVED_ENDS))
    except (EmailNotValidError, ValueError):
        return None
    return checked.normalized.lower() if "." in checked.domain else None


def stands_for_none(text: str) -> bool:
    """Whether an e-mail is the placeholder of a profile without one."""
    return text.strip().lower().endswith("@localhost")


def parse_phone(text: str, region: str | None = None) -> str | None:
    """The number in E.164, or None if it is none. `region` (`RU`) reads numbers that are written without their country."""
    number = text.strip()
    if PLAIN_PHONE.fullmatch(number):
        return number
    if not _PHONE_TEXT.fullmatch(number):
        return None
    if region and (found := _parse(number, region)):
        return found
    digits = _NOT_DIGITS.sub("", number)
    shortest = 5 if number.startswith("+") else 8  # a few countries have international numbers of seven digits
    return _parse("+" + digits, None) if shortest <= len(digits) <= 15 else None


def _parse(number: str, region: str | None) -> str | None:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
