"""What the editor of rules asks: all kinds of rules in both languages, and what a tree says or what is wrong with it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from sojourn.kernel import VirtualClock
from sojourn.profiles import add_field, create_database
from tests.web.api.browser import Browser


@pytest.fixture
def base(connection: psycopg.Connection[Any], clock: VirtualClock) -> int:
    made = create_database(connection, clock, "People")
    add_field(connection, clock, made.id, "points", "Points", "integer")
    return made.id


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_rule_operator_and_choice_has_a_title(browser: Browser, language: str) -> None:
    types = browser.get(f"/rule-types?language={language}")
    groups, operators = {group["code"] for group in types["groups"]}, {one["code"] for one in types["operators"]}
    assert {rule["group"] for rule in types["rules"]} == groups
    for rule in types["rules"]:
        assert rule["title"] and rule["description"]
        for name, setting in rule["settings"]["properties"].items():
            assert setting["title"] and setting["title"] != name, (rule["code"], name)
            words = setting.get("enum") or setting.get("items", {}).get("enum") or []
            assert all(setting["x-words"][word] != "" for word in words)
            if words and language == "ru" and name != "channel":
                assert any("а" <= sign <= "я" for word in words for sign in setting["x-words"][word].lower())
    assert all(set(codes) <= operators for codes in types["operators_by_type"].values())
    assert set().union(*types["operators_by_type"].values()) == operators


def test_a_tree_is_told_in_words(browser: Browser, base: int) -> None:
    rules = {"all": [{"rule": "field", "field": "_bdate", "operator": "anniversary", "value": [0, 7]}, {"rule": "field", "field": "points", "operator": "ge", "value": 3}]}  # fmt: skip
    for database in (base, "People"):
        told = browser.post("/rule-types/describe?language=ru", {"database": database, "rules": rules}, 200)
        assert told == {"text": "Дата рождения годовщина: сегодня плюс 0 … 7 дн. и Points не меньше 3", "problems": [], "hints": []}  # fmt: skip


def test_what_is_wrong_is_told_at_its_place(browser: Browser, base: int) -> None:
    rules = {"any": [{"rule": "field", "field": "points", "operator": "ge"}, {"not": {"rule": "external", "field": "email", "table": "Lost"}}]}  # fmt: skip
    told = browser.post("/rule-types/describe", {"database": base, "rules": rules}, 200)
    assert told["text"] is None
    assert [(one["code"], one["place"]) for one in told["problems"]] == [
        ("value_needed", "rules.any.0.value"),
        ("unknown_reference", "rules.any.1.not.table"),
    ]


def test_hints_are_told(browser: Browser, base: int) -> None:
    negative = {"not": {"rule": "field", "field": "points", "operator": "ge", "value": 3}}
    told = browser.post("/rule-types/describe", {"database": base, "rules": {"any": [negative, negative]}}, 200)
    assert len(told["hints"]) == 1 and "only leaves out people who have both" in told["hints"][0]


def test_a_subscription_that_must_not_be_there_counts_as_negative(browser: Browser, base: int) -> None:
    rules = {"any": [{"rule": "subscription", "presence": "none"}, {"rule": "field", "field": "phones", "operator": "not_country", "value": ["DE"]}]}  # fmt: skip
    told = browser.post("/rule-types/describe?language=ru", {"database": base, "rules": rules}, 200)
    assert len(told["hints"]) == 1 and "Не то или не это" in told["hints"][0]


@pytest.mark.parametrize("database", [99, "Nowhere", "\x00", 2**70])
def test_a_database_that_is_not_there_is_said(browser: Browser, base: int, database: Any) -> None:
    browser.refused("POST", "/rule-types/describe", 404, json={"database": database, "rules": {}})
