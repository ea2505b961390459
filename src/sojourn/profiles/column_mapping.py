"""Which column of a file goes into which field: given, or guessed from its heading in English or Russian."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from sojourn.kernel.errors import SojournError
from sojourn.profiles.databases import Database
from sojourn.profiles.import_options import PROFILE_ID, SPECIAL, Target

_SYNONYMS = {
    "email": ("email", "e_mail", "mail", "email_address", "почта", "эл_почта", "электронная_почта", "имейл", "емейл", "емэйл", "адрес_электронной_почты"),
    "phones": ("phone", "phones", "phone_number", "mobile", "mobile_phone", "tel", "telephone", "msisdn", "телефон", "телефоны", "номер_телефона", "мобильный", "мобильный_телефон"),
    "_fname": ("first_name", "firstname", "fname", "name", "given_name", "имя"),
    "_lname": ("last_name", "lastname", "lname", "surname", "family_name", "фамилия"),
    "_bdate": ("birthday", "birthdate", "birth_date", "date_of_birth", "bdate", "dob", "дата_рождения", "день_рождения", "др"),
    "_sex": ("sex", "gender", "пол"),
    "_regdate": ("registered", "registered_at", "registration_date", "date_of_registration", "regdate", "дата_регистрации"),
    "_city": ("city", "town", "город"),
    "_country": ("country", "страна"),
    "_region": ("region", "state", "регион", "область"),
    "_postal_code": ("postal_code", "zip", "zip_code", "postcode", "индекс", "почтовый_индекс"),
    "_tz": ("time_zone", "timezone", "tz", "часовой_пояс"),
    "_ip": ("ip", "ip_address", "ip_адрес"),
    "_vendor": ("vendor", "supplier", "source", "поставщик", "источник"),
    "_status": ("status", "статус"),
    PROFILE_ID: ("profile_id", "_id", "id_профиля"),
}  # fmt: skip
_BY_SYNONYM = {word: name for name, words in _SYNONYMS.items() for word in words}


def _word(heading: str) -> str:
    return re.sub(r"[^\w]+", "_", heading.strip().casefold())


def guess_mapping(database: Database, header: Sequence[str]) -> dict[str, str]:
    """Column → field for the columns whose heading says what they hold. A field's own name goes before its title, that before a synonym."""
    return {heading: target for heading, (target, _) in guess_by_heading(database, header).items()}


def guess_by_heading(database: Database, header: Sequence[str]) -> dict[str, tuple[str, Literal["name", "title", "synonym"]]]:  # fmt: skip
    """Column → field, and what of the heading told it."""
    titles = {_word(field.title): field.name for field in reversed(list(database.fields.values()))}
    found: dict[str, tuple[str, Literal["name", "title", "synonym"]]] = {}
    taken: set[str] = set()
    for heading in header:
        word = _word(heading)
        named = next((name for name in (heading.strip(), word, f"_{word}") if name in database.fields), None)
        target = named or titles.get(word) or _BY_SYNONYM.get(word)
        if target and heading not in found and target not in taken:
            found[heading] = (target, "name" if named else "title" if word in titles else "synonym")
            taken.add(target)
    return found


def check_mapping(
    database: Database, header: Sequence[str], mapping: Mapping[str, str | Target]
) -> dict[str, tuple[int, Target]]:
    """Field → position of its column, and how it is read.

    Raises:
        SojournError: `unknown_column`, `unknown_field`, `field_twice`, `nothing_mapped`, `bad_separator`, `not_tags`.
    """
    found: dict[str, tuple[int, Target]] = {}
    for heading, given in mapping.items():
        if heading not in header:
            raise SojournError("unknown_column", f"The file has no column “{heading}”.", heading)
        target = Target(given) if isinstance(given, str) else given
        name = "phones" if target.field == "phone" else target.field
        known = None if name in SPECIAL else database.field(name)
        if name in found:
            raise SojournError("field_twice", f"Two columns go into the field “{name}”.", heading)
        if len(target.separator) != 1 or target.separator in '"\x00':
            raise SojournError("bad_separator", "What parts tags is one character.", heading)
        if target.add and (known is None or known.type != "tags"):
            raise SojournError("not_tags", f"Only tags can be added; “{name}” holds none.", heading)
        found[name] = header.index(heading), target
    if not found:
        raise SojournError("nothing_mapped", "No column of the file goes into a field.", "mapping")
    return found
