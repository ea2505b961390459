"""The compiled SQL of some scenarios, pinned: a change of it is seen in review. `SOJOURN_GOLDEN=write` writes the files anew."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sojourn.kernel import VirtualClock
from sojourn.loyalty import create_pool
from sojourn.profiles import add_field, create_database, create_resource, database
from sojourn.scenarios import check_document
from sojourn.scenarios.compiler import CompiledStage, CompiledVersion, Pass, compile_version
from sojourn.scenarios.files import read_file
from sojourn.scenarios.versions import resolve_document
from sojourn.templates import TemplateContent, save_template

HERE = Path(__file__).parent / "golden"
WELCOME = Path(__file__).parents[2] / "demo" / "welcome.yaml"
TABLES = ("profile_database", "profile_field", "resource", "template", "promo_pool", "request_definition")
FILES = [WELCOME, *sorted(HERE.glob("*.yaml"))]


def furnish(connection: psycopg.Connection[Any], clock: VirtualClock) -> None:
    """What the files name, always with the same numbers."""
    for number, table in enumerate(TABLES):  # so that every number in the text says what it stands for
        connection.execute(f"ALTER TABLE {table} ALTER id RESTART WITH {100 * (number + 1)}")
    base = create_database(connection, clock, "Customers")
    for name, kind in (("bonus_points", "integer"), ("points", "integer"), ("level", "line"), ("labels", "tags")):
        add_field(connection, clock, base.id, name, name.title(), kind)
    create_resource(connection, clock, "Newsletter", channels=["email", "sms"])
    letter = TemplateContent(
        subject="Hello", html='<p>Hello</p><a href="{{ unsubscribe_url }}">Leave</a><a href="{{ opt_in_url }}">Yes</a>'
    )
    for name in ("Welcome letter", "Gift letter"):
        save_template(connection, clock, name, 1, letter, confirmation=name == "Welcome letter")
    for name in ("Reminder", "Confirmation reminder"):
        save_template(connection, clock, name, 2, TemplateContent(text="Hello"))
    create_pool(connection, clock, "Welcome codes", "WELCOME")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_compiled_sql_is_as_reviewed(file: Path, connection: psycopg.Connection[Any], clock: VirtualClock) -> None:
    furnish(connection, clock)
    document = read_file(file)
    assert check_document(connection, document) == []
    base = database(connection, document.database)
    text = _text(compile_version(700, 800, resolve_document(connection, document), base))
    golden = HERE / f"{file.stem}.sql"
    if os.environ.get("SOJOURN_GOLDEN") == "write":
        golden.write_text(text)
    assert text == golden.read_text(), (
        f"{golden.name} differs; SOJOURN_GOLDEN=write writes it anew, git shows the difference"
    )


def test_compiling_twice_gives_the_same_text(connection: psycopg.Connection[Any], clock: VirtualClock) -> None:
    furnish(connection, clock)
    base = database(connection, "Customers")
    document = resolve_document(connection, read_file(WELCOME))
    assert _text(compile_version(700, 800, document, base)) == _text(compile_version(700, 800, document, base))


def _text(version: CompiledVersion) -> str:
    parts = []
    for passes, words in ((version.captures, "captured at"), (version.wakes, "woken at")):
        for node, done in sorted(passes.items()):
            parts += [f"-- {'=' * 40} {words} node {node}\n", *_stages(done)]
    return "\n".join(parts)


def _stages(done: Pass) -> list[str]:
    stages = [_stage("first of all", done.before)] if done.before else []
    stages.append(_stage("first stage", done.stage))
    for following in done.following:
        more = "" if following.pool_id is None else f", after pool {following.pool_id} dealt"
        stages.append(_stage(f"then from node {following.node_id}{more}", following.stage))
    return stages


def _stage(title: str, stage: CompiledStage) -> str:
    values = "\n".join(f"--   {name} = {value!r}" for name, value in stage.values.items())
    leaves = "\n".join(
        f"--   {leaf.exit.name.lower()} at node {leaf.node_id}: "
        + "; ".join(" ".join(f"{node}.{output}" for node, output in way) or "no step" for way in leaf.flow.paths)
        for leaf in stage.leaves
    )
    return f"-- {title}; values:\n{values}\n-- ways out:\n{leaves}\n{stage.sql};\n"
