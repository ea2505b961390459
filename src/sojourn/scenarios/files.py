"""Scenario files: YAML or JSON with names in place of ids, so that a file fits every installation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import yaml

from sojourn.kernel import Clock, Settings
from sojourn.kernel.errors import NotFound, Problem, SojournError
from sojourn.scenarios.checks import check_document
from sojourn.scenarios.graph import MAX_BYTES, ScenarioDocument, read_document
from sojourn.scenarios.node_type import references
from sojourn.scenarios.nodes import node_types
from sojourn.scenarios.references import Catalogue
from sojourn.scenarios.versions import Scenario, activate, create_scenario, get_scenario, publish, save_draft
from sojourn.segments import RULES

Connection = psycopg.Connection[Any]


def read_file(path: Path) -> ScenarioDocument:
    """The document in a file.

    Raises:
        SojournError: it cannot be read, or has errors; with line and column, or node.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SojournError("bad_file", f"A scenario file has at most {MAX_BYTES // 1000} kB.", str(path))
        return read_document(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound("no_file", f"There is no file {path}.", str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SojournError("bad_file", f"The file cannot be read: {error}.", str(path)) from None


def validate(connection: Connection, path: Path) -> list[Problem]:
    """All problems of a file against this installation."""
    return check_document(connection, read_file(path))


def apply(
    connection: Connection,
    clock: Clock,
    path: Path,
    *,
    settings: Settings,
    publish_it: bool = False,
    activate_it: bool = False,
    accept_sandbox: bool = False,
) -> Scenario:
    """Create the scenario of a file, or replace the draft of the one with its name; publish and activate on request.

    Raises:
        SojournError: the file has errors; `not_ready` with all problems if it is to be published. Nothing has changed then.
    """
    document = read_file(path)
    problems = check_document(connection, document) if publish_it or activate_it else []
    if problems:
        raise SojournError("not_ready", "The scenario has problems.", str(path), problems=problems)
    with connection.transaction():
        try:
            known = get_scenario(connection, document.name)
            scenario = save_draft(connection, clock, known.id, known.revision, document)
        except NotFound:
            scenario = create_scenario(connection, clock, document)
        if publish_it or activate_it:
            scenario = publish(connection, clock, scenario.id, settings=settings, accept_sandbox=accept_sandbox)
        if activate_it:
            scenario = activate(connection, clock, scenario.id)
    return scenario


def export(connection: Connection, reference: int | str) -> str:
    """The draft of a scenario as YAML, with names in place of ids."""
    document = get_scenario(connection, reference).document
    catalogue = Catalogue(connection)
    data = document.model_dump(mode="json", exclude_none=True)
    data["database"] = catalogue.name_of("database", document.database)
    for node in data["nodes"]:
        node["settings"] = _with_names(node["type"], node["settings"], catalogue)
        for name in ("title", "comment", "links"):
            if not node[name]:
                del node[name]
    for name in ("description", "tags"):
        if not data[name]:
            del data[name]
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=120)


def _with_names(type_: str, settings: dict[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    node_type = node_types().get(type_)
    if node_type is None:
        return settings
    kinds = references(node_type)
    named = {
        name: catalogue.name_of(kinds[name], value) if name in kinds and value is not None else value
        for name, value in settings.items()
        if name != "definition"
    }
    if named.get("rules"):
        named["rules"] = _rules_with_names(named["rules"], catalogue)
    return named


def _rules_with_names(tree: Any, catalogue: Catalogue) -> Any:
    if isinstance(tree, dict) and tree.get("rule") in RULES:
        kinds = RULES[tree["rule"]].references
        return {
            name: catalogue.name_of(kinds[name], value) if name in kinds and value is not None else value
            for name, value in tree.items()
        }
    if isinstance(tree, dict):
        return {key: _rules_with_names(value, catalogue) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_rules_with_names(child, catalogue) for child in tree]
    return tree
