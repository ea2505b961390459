"""`/rule-types`: all rules and operators, as the editor of rules draws them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from sojourn.scenarios.node_type import Language
from sojourn.segments.catalogue import catalogue
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
