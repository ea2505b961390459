"""`/node-types`: what the editor's palette holds."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from sojourn.profiles import database, list_databases
from sojourn.scenarios import Catalogue, Surroundings, describe_node, get_scenario, palette
from sojourn.scenarios.node_type import Category, Language
from sojourn.web.api.call import Reading
from sojourn.web.api.pages import Page
from sojourn.web.api.scenarios import NodeDescription, PortShape

router = APIRouter(tags=["scenarios"])


class NodeTypeShape(BaseModel):
    """A kind of node: texts, JSON Schema of its settings, outputs for the settings it begins with."""

    model_config = ConfigDict(populate_by_name=True)

    type: str
    schema_version: int
    category: Category
    icon: str
    title: str
    description: str
    schema_: Annotated[dict[str, Any], Field(alias="schema")]
    ports: list[PortShape]
    defaults: dict[str, Any]
    takes_input: bool


class DescribeOrder(BaseModel):
    """Settings to describe, in the surroundings of a scenario or of a database."""

    settings: dict[str, Any] = {}
    scenario_id: int | None = None
    database_id: int | None = None
    language: Language | None = None


@router.get("/node-types")
def list_node_types(call: Reading, language: Annotated[Language | None, Query()] = None) -> Page[NodeTypeShape]:
    """All kinds of nodes, in the order of the palette."""
    return Page(items=[NodeTypeShape.model_validate(entry) for entry in palette(call.language(language))])


@router.post("/node-types/{type_code}/describe")
def describe_node_type(type_code: str, given: DescribeOrder, call: Reading) -> NodeDescription:
    """Outputs, summary and problems of a node with these settings."""
    with call.connection() as connection:
        nodes: frozenset[int] = frozenset()
        if given.scenario_id is not None:
            scenario = get_scenario(connection, given.scenario_id)
            base, nodes = (
                database(connection, scenario.database_id),
                frozenset(node.id for node in scenario.document.nodes),
            )
        elif given.database_id is not None:
            base = database(connection, given.database_id)
        else:
            base = (list_databases(connection, limit=1) or [database(connection, 0)])[0]
        around = Surroundings(base, Catalogue(connection), nodes)
        return NodeDescription.model_validate(
            describe_node(type_code, given.settings, call.language(given.language), around)
        )
