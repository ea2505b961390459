"""Titles of the standard fields of profiles in both languages; custom fields have the one title that users gave them."""

from __future__ import annotations

from collections.abc import Mapping

from sojourn.profiles import Field
from sojourn.segments.rule import Language, Text

SYSTEM_TITLES: Mapping[str, Text] = {
    "_id": {"en": "Profile id", "ru": "Идентификатор профиля"},
    "_created": {"en": "Created", "ru": "Создан"},
    "_updated": {"en": "Last change", "ru": "Последнее изменение"},
}
_RUSSIAN = {
    "email": "E-mail", "phones": "Телефоны", "_fname": "Имя", "_lname": "Фамилия", "_bdate": "Дата рождения", "_sex": "Пол", "_regdate": "Дата регистрации",
    "_regip": "IP при регистрации", "_regcity": "Город при регистрации", "_regcountry": "Страна при регистрации", "_regurl": "Ссылка регистрации", "_ip": "IP-адрес",
    "_city": "Город", "_country": "Страна", "_region": "Регион", "_postal_code": "Индекс", "_tz": "Часовой пояс", "_vendor": "Поставщик",
    "_status": "Общий статус", "_is_test": "Тестовый профиль", "_no_tracking": "Без отслеживания",
}  # fmt: skip


def field_title(known: Field, language: Language) -> str:
    """The title under which a field is shown."""
    if known.name in SYSTEM_TITLES:
        return SYSTEM_TITLES[known.name][language]
    return _RUSSIAN.get(known.name, known.title) if language == "ru" and known.builtin else known.title
