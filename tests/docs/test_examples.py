"""Examples of the documentation work."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from typer.main import get_command

from demo.seed import seed
from sojourn.cli.app import app
from sojourn.kernel import Settings, VirtualClock
from sojourn.profiles import database
from sojourn.scenarios import Catalogue, check_document, read_document
from sojourn.segments import check
from tests.docs.pages import Block, blocks, links, pages


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    broken = [target for target in links(page) if not (page.parent / target.partition("#")[0]).exists()]
    assert [target for target in broken if not target.endswith(".png")] == []


@pytest.mark.parametrize("block", blocks("yaml scenario"), ids=str)
def test_a_scenario_of_the_documentation_is_in_order(
    connection: psycopg.Connection[Any], clock: VirtualClock, block: Block
) -> None:
    seed(connection, clock, codes=10)
    assert check_document(connection, read_document(block.text)) == []


@pytest.mark.parametrize("block", blocks("yaml rules"), ids=str)
def test_rules_of_the_documentation_are_in_order(
    connection: psycopg.Connection[Any], clock: VirtualClock, block: Block
) -> None:
    seed(connection, clock, codes=10)
    assert check(yaml.safe_load(block.text), database(connection, "Customers"), Catalogue(connection)) == []


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_of_the_documentation_is_json(block: Block) -> None:
    json.loads(block.text)


def _commands() -> list[tuple[str, list[str]]]:
    lines = [(str(block), line) for block in blocks("sh") for line in block.text.replace("\\\n", " ").splitlines()]
    return [(place, words) for place, line in lines if "sojourn" in (words := shlex.split(line, comments=True))]


@pytest.mark.parametrize(("place", "words"), _commands(), ids=str)
def test_a_command_of_the_documentation_exists_with_its_options(place: str, words: list[str]) -> None:
    words = words[words.index("sojourn") + 1 :]
    command: Any = get_command(app)
    while words and hasattr(command, "commands"):
        name = words.pop(0)
        assert name in command.commands, f"{place}: there is no command {name}"
        command = command.commands[name]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} - known == set()


@pytest.mark.parametrize("block", blocks("sh"), ids=str)
def test_a_setting_of_the_documentation_exists(block: Block) -> None:
    names = {f"SOJOURN_{name.upper()}" for name in Settings.model_fields}
    used = {word.partition("=")[0] for word in block.text.split() if word.startswith("SOJOURN_") and "=" in word}
    assert {name.partition("__")[0] for name in used} - names - {"SOJOURN_CONFIG"} == set()
