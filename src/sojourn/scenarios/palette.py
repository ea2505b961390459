"""The node types as the editor needs them: texts in the user's language, settings as JSON Schema, outputs and summaries for given settings."""

from __future__ import annotations

from typing import Any

import psycopg

from sojourn.profiles import database
from sojourn.scenarios.graph import ScenarioDocument
from sojourn.scenarios.node_type import Language, NodeType, Port, Surroundings, parse_settings
from sojourn.scenarios.nodes import node_types
from sojourn.scenarios.references import Catalogue


def palette(language: Language) -> list[dict[str, Any]]:
    """All node types: type, category, icon, title, description, schema, ports, defaults."""
    return [_entry(node_type, language) for node_type in node_types().values()]


def _entry(node_type: NodeType, language: Language) -> dict[str, Any]:
    schema = node_type.settings.model_json_schema()
    schema["properties"] = {
        name: field for name, field in schema.get("properties", {}).items() if not field.get("x-hidden")
    }
    own = {name: field for name, field in schema["properties"].items() if not field.get("x-last")}
    schema["properties"] = own | schema["properties"]
    for field in schema["properties"].values():
        if words := field.get("x-words"):
            field["x-words"] = {word: text[language] for word, text in words.items()}
    defaults, _ = parse_settings(node_type, {})
    ports = node_type.ports(defaults) if defaults is not None else node_type.ports(node_type.settings.model_construct())
    return {
        "type": node_type.code, "schema_version": node_type.schema_version, "category": node_type.category, "icon": node_type.icon,
        "title": node_type.title[language], "description": node_type.description[language], "schema": schema, "ports": [_port(port, language) for port in ports],
        "defaults": defaults.model_dump(mode="json", exclude_none=True) if defaults is not None else {}, "takes_input": node_type.category != "trigger",
    }  # fmt: skip


def _port(port: Port, language: Language) -> dict[str, Any]:
    return {
        "id": port.id,
        "title": port.title[language],
        "tone": port.tone,
        "optional": port.optional,
        "linkable": port.linkable,
    }


def describe_document(
    connection: psycopg.Connection[Any], document: ScenarioDocument, language: Language
) -> dict[int, dict[str, Any]]:
    """For each node: its type's title, icon and category, outputs and summary, so that the canvas knows no node by name."""
    around = Surroundings(
        database(connection, document.database), Catalogue(connection), frozenset(node.id for node in document.nodes)
    )
    return {node.id: describe_node(node.type, node.settings, language, around) for node in document.nodes}


def describe_node(type_: str, settings: dict[str, Any], language: Language, around: Surroundings) -> dict[str, Any]:
    """One node: outputs, summary lines, problems of the settings."""
    node_type = node_types().get(type_)
    if node_type is None:
        problem = {"code": "unknown_type", "message": f"There is no node type “{type_}”.", "place": "type"}
        return {
            "type_title": type_,
            "icon": "help",
            "category": "action",
            "ports": [],
            "summary": [],
            "problems": [problem],
        }
    parsed, wrong = parse_settings(node_type, settings)
    ports = node_type.ports(parsed if parsed is not None else node_type.settings.model_construct())
    summary: list[str] = []
    if parsed is not None:
        wrong = node_type.check(parsed, around)
        summary = [] if wrong else node_type.summary(parsed, language, around)
    return {
        "type_title": node_type.title[language], "icon": node_type.icon, "category": node_type.category, "ports": [_port(port, language) for port in ports],
        "summary": summary[:2], "problems": [problem.as_dict() for problem in wrong],
    }  # fmt: skip
