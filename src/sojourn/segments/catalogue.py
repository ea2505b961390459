"""All rules for whoever draws a form of them: groups, settings as JSON Schema with texts in the user's language, and the operators of each type of field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sojourn.segments.field_titles import SYSTEM_TITLES
from sojourn.segments.json_values import JSON_TYPES
from sojourn.segments.mailbox_providers import GROUP_TITLES
from sojourn.segments.operators import OPERATORS, operators_of
from sojourn.segments.phone_countries import COUNTRIES
from sojourn.segments.registry import RULES
from sojourn.segments.rule import Language, Rule, Text
from sojourn.segments.rules.field import SYSTEM_FIELDS
from sojourn.segments.windows import WindowRule

GROUPS: Mapping[str, Text] = {
    "profile": {"en": "Profile", "ru": "Профиль"},
    "subscription": {"en": "Subscriptions", "ru": "Подписки"},
    "activity": {"en": "Activity", "ru": "Активность"},
    "entity": {"en": "Scenarios, segments, promo codes", "ru": "Сценарии, сегменты, промокоды"},
    "structure": {"en": "Structure of the profile", "ru": "Состав профиля"},
    "external": {"en": "Outside data", "ru": "Внешние данные"},
}


def catalogue(language: Language) -> dict[str, Any]:
    """Rules in the order in which they are offered; operators and what they take; fields of the system."""
    ordered = sorted(RULES.values(), key=lambda rule: list(GROUPS).index(rule.group))
    types = sorted({kind for operator in OPERATORS.values() for kind in operator.types})
    return {
        "groups": [{"code": code, "title": text[language]} for code, text in GROUPS.items()],
        "rules": [_entry(rule, language) for rule in ordered],
        "operators": [
            {"code": operator.code, "title": operator.words[language], "shape": operator.shape} for operator in OPERATORS.values()
        ],
        "operators_by_type": {kind: [operator.code for operator in operators_of(kind)] for kind in types},
        "system_fields": [
            {"name": field.name, "title": SYSTEM_TITLES[field.name][language], "type": field.type} for field in SYSTEM_FIELDS.values()
        ],
        "json_types": [{"code": code, "title": text[language]} for code, text in JSON_TYPES.items()],
        "domain_groups": [{"code": code, "title": title} for code, title in GROUP_TITLES.items()],
        "countries": list(COUNTRIES),
    }  # fmt: skip


def _entry(rule: type[Rule], language: Language) -> dict[str, Any]:
    schema = rule.model_json_schema()
    window = set(WindowRule.model_fields)
    ordered = sorted(
        schema["properties"].items(), key=lambda pair: pair[0] in window
    )  # what happened, then how often and when
    properties = {name: _setting(rule, name, field, language) for name, field in ordered if name != "rule"}
    return {
        "code": rule.code, "group": rule.group, "title": rule.title[language], "description": rule.description[language],
        "for_scenarios": rule.for_scenarios,
        "schema": {"type": "object", "properties": properties, "required": [name for name in schema.get("required", ()) if name != "rule"]},
    }  # fmt: skip


def _setting(rule: type[Rule], name: str, field: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """One setting: what JSON Schema says of it without its alternatives, and how it is drawn."""
    plain: Mapping[str, Any] = next((way for way in field.get("anyOf", ()) if way.get("type") != "null"), {})
    shown: dict[str, Any] = {**plain, **{key: value for key, value in field.items() if key != "anyOf"}}
    shown.pop("$ref", None)
    shown["title"] = rule.titles.get(name, {}).get(language, name)
    if choices := shown.get("enum") or shown.get("items", {}).get("enum"):
        words = rule.words.get(name, {})
        shown["x-words"] = {value: words.get(value, {}).get(language, value) for value in choices}
    if name in rule.references:
        shown["x-source"] = rule.references[name]
    if name in rule.widgets:
        shown["x-widget"] = rule.widgets[name]
    if name in rule.shown_if:
        shown["x-show-if"] = dict(rule.shown_if[name])
    if name in rule.advanced:
        shown["x-advanced"] = True
    return shown
