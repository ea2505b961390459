"""Whatever settings a rule is given: they are refused in words, or the rule can be asked, told and hinted at. Nothing ends in an error of the database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from sojourn.cli.wiring import connect_rooms
from sojourn.kernel.database import DatabaseServer, connect, with_database
from sojourn.kernel.errors import SojournError
from sojourn.segments import RULES, check, describe, resolve
from sojourn.segments.hints import hints
from sojourn.segments.operators import OPERATORS
from tests.segments.drawn import BEHAVIOUR, DATES, INSIDE, PLAIN
from tests.segments.people import settle
from tests.segments.world import World

connect_rooms()
ODD_TEXTS = ["", " ", "'", '"', "\\", "%", "%s", "%(p1)s", "{0}", "}{", "$1", "; DROP TABLE account; --", "\x00", "\ud800", "é\u0301", "💥", "2026-02-30", "9999-12-31", "0001-01-01",
             "NaN", "Infinity", "1e999", "(", "[", "a{1000}", "lax $", "key.'x", 'k."y', "x" * 2_000, "..", "a..b", "-0"]  # fmt: skip
ODD_NUMBERS = [0, -1, 1, 2**15, 2**31, 2**63, 2**64, 10**400, 0.1, -0.0, 1e308]
WORDS = sorted({word for kind in RULES.values() for words in kind.words.values() for word in words})
scalars = st.one_of(
    st.none(), st.booleans(), st.sampled_from(ODD_NUMBERS), st.integers(-400, 400), st.sampled_from(ODD_TEXTS), st.text(max_size=12), st.sampled_from(WORDS),
    st.sampled_from(["2026-03-29", "gold", "RU", "google", "+79001234567", "male", "News", "a"]),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda part: st.one_of(
        st.lists(part, max_size=3), st.dictionaries(st.sampled_from(["a", "operator", "value", "name", "x'"]), part, max_size=2)
    ),
    max_leaves=4,
)  # fmt: skip
comparisons = st.fixed_dictionaries(
    {"operator": st.sampled_from([*OPERATORS, "?"]), "value": values},
    optional={"name": scalars, "type": st.sampled_from(["line", "float", "boolean", "date", "x"])},
)
RIGHT = st.one_of([*PLAIN, *DATES, *INSIDE, *BEHAVIOUR])


texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=12))
TEXT_SETTINGS = ["value", "path", "contact", "category", "link", "name", "column"]


@st.composite
def nearly_right(draw: st.DrawFn) -> dict[str, Any]:
    """A rule that is right but for an odd setting: of the same type as the right one, or of any."""
    tree = dict(draw(RIGHT))
    names = [name for name in RULES[tree["rule"]].model_fields if name != "rule"]
    name = draw(st.sampled_from([name for name in names if name in TEXT_SETTINGS] * 2 + names))
    right = tree.get(name)
    if draw(st.integers(0, 3)) == 0:
        tree[name] = draw(values)
    elif "comparison" in RULES[tree["rule"]].widgets.get(name, ""):
        tree[name] = draw(comparisons)
    elif isinstance(right, list):
        tree[name] = draw(st.lists(texts if right and isinstance(right[0], str) else scalars, max_size=3))
    elif isinstance(right, str) or name in TEXT_SETTINGS:
        tree[name] = draw(texts)
    else:
        tree[name] = draw(st.one_of(st.sampled_from(ODD_NUMBERS), st.integers(-400, 400), scalars))
    return tree


@pytest.fixture(scope="module")
def world(server: DatabaseServer) -> Iterator[World]:
    with connect(with_database(server.url, "postgres"), "test") as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS settings_test WITH (FORCE)"))
        admin.execute("CREATE DATABASE settings_test TEMPLATE template_sojourn")
    with connect(with_database(server.url, "settings_test"), "test") as connection:
        yield World(connection, *settle(connection, 40))


@given(tree=nearly_right())
@settings(max_examples=2_500, deadline=None, suppress_health_check=list(HealthCheck))
def test_odd_settings_are_refused_or_can_be_asked(world: World, tree: dict[str, Any]) -> None:
    tree = json.loads(json.dumps(tree))
    problems = check(tree, world.base, world)
    assert all(problem.place and problem.place.startswith("rules") for problem in problems)
    if problems:
        return
    assert describe(tree, "en", world.base, world) and describe(tree, "ru", world.base, world)
    hints(tree, "ru")
    resolved = resolve(tree, world)
    for mode in ("row", "set"):
        world.who(resolved, mode)
        everyone = world.who({"any": [resolved, {"not": resolved}]}, mode)
        assert len(everyone) == len(world.people)  # true or false of everybody, never neither


@pytest.mark.parametrize(
    "tree",
    [
        None, 1, "x", [], [[]], {}, {"rule": None}, {"rule": []}, {"rule": {}}, {"all": None}, {"all": {}}, {"not": []}, {"not": None}, {"any": [None]}, {"rule": "field", "field": ["a"], "operator": {}},
        {"all": [{"rule": "sample", "start": 5, "end": 5}]}, {"rule": "field", "field": "points", "operator": "eq", "value": json.loads("[" * 500 + "]" * 500)},
        {"rule": "field", "field": "points", "operator": "in", "value": [1] * 10_001}, {"rule": "subscription", "state": []}, {"rule": "subscription", "state": ["confirmed", 5]},
    ],
)  # fmt: skip
def test_what_is_no_tree_is_refused(world: World, tree: Any) -> None:
    problems = check(tree, world.base, world)
    assert problems and all(problem.place and problem.place.startswith("rules") for problem in problems)


def test_a_long_list_of_values_is_found_quickly(world: World) -> None:
    for tree in (
        {"rule": "field", "field": "town", "operator": "not_in", "value": [f"t{number}" for number in range(10_000)]},
        {"rule": "field", "field": "seen", "operator": "in", "value": ["2026-03-29", *(f"{year:04}-01-01" for year in range(1, 9_999))]},
    ):  # fmt: skip
        assert check(tree, world.base, world) == []
        with world.connection.transaction():
            world.connection.execute("SET LOCAL statement_timeout = '2s'")
            world.who(tree, "set")


def test_a_rule_that_is_gone_is_said(world: World) -> None:
    with pytest.raises(SojournError):
        world.who({"rule": "field", "field": "vanished", "operator": "set"}, "row")
