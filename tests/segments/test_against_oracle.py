"""Every rule in both of its forms against the oracle: gaps, empty values, the account's zone, the night in which clocks change, leap days."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from sojourn.cli.wiring import connect_rooms
from sojourn.kernel.database import DatabaseServer, connect, with_database
from sojourn.segments import RULES, check
from sojourn.segments.evaluation import Question, ask
from sojourn.segments.operators import OPERATORS
from tests.segments.drawn import BEHAVIOUR, DATES, DRAWN, INSIDE, NAMES, PLAIN, trees
from tests.segments.oracle import holds
from tests.segments.people import NOW, settle
from tests.segments.world import DYNAMIC, World


@pytest.fixture(scope="module")
def world(server: DatabaseServer) -> Iterator[World]:
    connect_rooms()
    with connect(with_database(server.url, "postgres"), "test") as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS oracle_test WITH (FORCE)"))
        admin.execute("CREATE DATABASE oracle_test TEMPLATE template_sojourn")
    with connect(with_database(server.url, "oracle_test"), "test") as connection:
        yield World(connection, *settle(connection))


def compare(world: World, tree: dict[str, Any]) -> None:
    assert check(tree, world.base, world) == []
    expected = {person.id for person in world.people if holds(tree, person, DYNAMIC)}
    assert world.who(tree, "row") == expected
    assert world.who(tree, "set") == expected


many_examples = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))


@many_examples
@given(tree=st.one_of(PLAIN))
def test_fields(world: World, tree: dict[str, Any]) -> None:
    compare(world, tree)


@many_examples
@given(tree=st.one_of(DATES))
def test_dates(world: World, tree: dict[str, Any]) -> None:
    compare(world, tree)


@many_examples
@given(tree=st.one_of(INSIDE))
def test_values_inside_of_objects(world: World, tree: dict[str, Any]) -> None:
    compare(world, tree)


@many_examples
@given(tree=st.one_of(BEHAVIOUR))
def test_behaviour(world: World, tree: dict[str, Any]) -> None:
    compare(world, tree)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=trees)
def test_nested_trees(world: World, tree: dict[str, Any]) -> None:
    compare(world, tree)


def test_every_rule_and_type_of_field_is_drawn() -> None:
    assert {kind for operator in OPERATORS.values() for kind in operator.types} == set(NAMES)
    # What only scenarios can ask is compared in random plays (tests/reference).
    assert {code for code, rule in RULES.items() if not rule.for_scenarios} - {"external"} <= DRAWN


@given(text=st.text(max_size=60))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_text_of_a_user_reaches_the_statement(world: World, text: str) -> None:
    for tree in (
        {"rule": "field", "field": text, "operator": "eq", "value": 1}, {"rule": "field", "field": "town", "operator": "contains", "value": text},
        {"rule": "field", "field": "town", "operator": "matches", "value": text}, {"rule": "field", "field": "car", "operator": "eq", "value": text, "path": text},
        {"rule": "subscription", "contact": text, "category": text}, {"rule": "activity", "event": "clicked", "link": text}, {"rule": "sample", "start": 0, "end": 50, "name": text},
        {"rule": "field", "field": "labels", "operator": "has_any", "value": [text, "a"]},
    ):  # fmt: skip
        if check(tree, world.base, world):
            continue
        world.who({"not": tree}, "row")
        asked = ask(world.base, Question(tree), NOW, world)
        if len(text) > 6:
            assert text not in asked.condition


def test_the_shares_of_a_sample_are_even_and_draws_are_independent(world: World) -> None:
    row = world.connection.execute(
        "SELECT count(*) FILTER (WHERE a < 5000), count(*) FILTER (WHERE b < 5000), count(*) FILTER (WHERE a < 5000 AND b < 5000) FROM ("
        "SELECT mod(('x' || substr(md5(':' || g), 1, 8))::bit(32)::bigint, 10000) AS a, mod(('x' || substr(md5('x:' || g), 1, 8))::bit(32)::bigint, 10000) AS b"
        " FROM generate_series(1, 40000) g) q"
    ).fetchone()
    assert row and all(
        abs(found - wanted) < 4 * (wanted * (1 - wanted / 40_000)) ** 0.5
        for found, wanted in zip(row, (20_000, 20_000, 10_000), strict=True)
    )


def test_a_rule_that_is_never_null_is_the_same_with_and_without_not(world: World) -> None:
    everyone = {person.id for person in world.people}
    tree = {"rule": "field", "field": "points", "operator": "gt", "value": 0}
    assert world.who(tree, "row") | world.who({"not": tree}, "row") == everyone
