"""`/rule-types`: all rules and operators, as the editor of rules draws them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from sojourn.profiles import database
from sojourn.scenarios import Catalogue
from sojourn.scenarios.node_type import Language
from sojourn.segments import check, describe
from sojourn.segments.catalogue import catalogue
from sojourn.segments.hints import hints
from sojourn.web.api.call import Reading

router = APIRouter(tags=["segments"])


class RuleGroupShape(BaseModel):
    """A group under which rules are offered."""

    code: str
    title: str


class RuleTypeShape(BaseModel):
    """A rule; `settings` is the JSON Schema of its settings, titles in the language asked for."""

    code: str
    group: str
    title: str
    description: str
    for_scenarios: bool
    settings: dict[str, Any]


class OperatorShape(BaseModel):
    """A comparison of a field; `shape` says what stands behind it."""

    code: str
    title: str
    shape: str


class ChoiceShape(BaseModel):
    """Something that can be chosen, with its title."""

    code: str
    title: str


class SystemFieldShape(BaseModel):
    """Something of a profile that rules can ask besides its fields."""

    name: str
    title: str
    type: str


class RuleTypes(BaseModel):
    """Everything that the editor of rules needs."""

    groups: list[RuleGroupShape]
    rules: list[RuleTypeShape]
    operators: list[OperatorShape]
    operators_by_type: dict[str, list[str]]
    system_fields: list[SystemFieldShape]
    json_types: list[ChoiceShape]
    domain_groups: list[ChoiceShape]
    countries: list[str]


@router.get("/rule-types")
def list_rule_types(call: Reading, language: Annotated[Language | None, Query()] = None) -> RuleTypes:
    """All rules and operators."""
    found = catalogue(call.language(language))
    rules = [{**entry, "settings": entry["schema"]} for entry in found["rules"]]
    return RuleTypes.model_validate(
        {**found, "rules": [{k: v for k, v in entry.items() if k != "schema"} for entry in rules]}
    )


class RulesOrder(BaseModel):
    """A tree of rules about the profiles of a database, which may be given by id or name."""

    database: int | str
    rules: dict[str, Any]


class RulesProblem(BaseModel):
    """What is wrong with a tree, and where in it: `rules.all.0.value`."""

    code: str
    message: str
    place: str | None


class RulesDescription(BaseModel):
    """A tree in words, where it is in order; what is wrong with it; what it probably does not mean."""

    text: str | None
    problems: list[RulesProblem]
    hints: list[str]


@router.post("/rule-types/describe")
def describe_rules(
    given: RulesOrder, call: Reading, language: Annotated[Language | None, Query()] = None
) -> RulesDescription:
    """What a tree says, and what is wrong with it. Nobody is counted."""
    words = call.language(language)
    with call.connection() as connection:
        lookup = Catalogue(connection)
        base = database(connection, lookup.find("database", given.database))
        if problems := check(given.rules, base, lookup):
            shown = [RulesProblem(code=one.code, message=one.message, place=one.place) for one in problems]
            return RulesDescription(text=None, problems=shown, hints=[])
        text = describe(given.rules, words, base, lookup)
    return RulesDescription(text=text, problems=[], hints=hints(given.rules, words))
