"""Rule trees: reading them, their problems in words, and their SQL against a slow oracle."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.kernel.errors import SojournError
from sojourn.kernel.statement import Bindings
from sojourn.profiles import add_field, create_database, database
from sojourn.scenarios import Catalogue
from sojourn.segments import RuleContext, check, describe, parse_tree, predicate, resolve


@pytest.fixture(scope="module")
def people(server) -> Any:
    """A database with a few hundred profiles that have gaps in their data."""
    from datetime import UTC, datetime

    from psycopg import sql

    from sojourn.kernel import VirtualClock
    from sojourn.kernel.database import connect, with_database

    with connect(with_database(server.url, "postgres"), "test") as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS rules_test WITH (FORCE)"))
        admin.execute("CREATE DATABASE rules_test TEMPLATE template_sojourn")
    connection = connect(with_database(server.url, "rules_test"), "test")
    clock = VirtualClock(datetime(2026, 11, 2, tzinfo=UTC))
    base = create_database(connection, clock, "People")
    for name, kind in (("points", "integer"), ("city", "line"), ("vip", "boolean"), ("labels", "tags")):
        add_field(connection, clock, base.id, name, name.title(), kind)
    base = database(connection, base.id)
    rows = []
    for number in range(1, 301):
        row = {
            "points": None if number % 5 == 0 else number % 11,
            "city": None if number % 7 == 0 else ("Riga", "riga", "Oslo", "")[number % 4],
            "vip": (None, True, False)[number % 3],
            "labels": None if number % 4 == 0 else [("a", "b", "c")[number % 3]],
        }
        rows.append((number, row))
        columns = ", ".join(f'"{base.field(name).column}"' for name in row)
        connection.execute(
            f"INSERT INTO {base.table} (id, lane, created_at, updated_at, {columns}) VALUES (%s, %s, now(), now(), %s, %s, %s, %s)",
            (number, number & 63, *row.values()),
        )
    yield connection, base, rows
    connection.close()


def oracle(tree: dict[str, Any], row: dict[str, Any]) -> bool:
    """The same question, asked in Python about one person."""
    if "all" in tree:
        return all(oracle(child, row) for child in tree["all"])
    if "any" in tree:
        return any(oracle(child, row) for child in tree["any"])
    if "not" in tree:
        return not oracle(tree["not"], row)
    have, want = row[tree["field"]], tree.get("value")
    match tree["operator"]:
        case "set":
            return have is not None
        case "not_set":
            return have is None
        case "ne":
            return have != want
        case "has_not":
            return have is None or want not in have
    if have is None:
        return False
    match tree["operator"]:
        case "eq":
            return bool(have == want)
        case "lt":
            return bool(have < want)
        case "le":
            return bool(have <= want)
        case "gt":
            return bool(have > want)
        case "ge":
            return bool(have >= want)
        case "in":
            return have in want
        case "contains":
            return want.lower() in have.lower()
        case "starts_with":
            return bool(have.lower().startswith(want.lower()))
    return want in have


def _rule(field: str, operators: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda o, v: (
            {"rule": "field", "field": field, "operator": o} | ({} if o in ("set", "not_set") else {"value": v})
        ),
        st.sampled_from(operators),
        values,
    )


leaves = st.one_of(
    _rule("points", ["eq", "ne", "lt", "le", "gt", "ge", "set", "not_set"], st.integers(-1, 12)),
    _rule("points", ["in"], st.lists(st.integers(0, 11), min_size=1, max_size=3)),
    _rule(
        "city",
        ["eq", "ne", "contains", "starts_with", "set", "not_set"],
        st.sampled_from(["Riga", "R", "i", "oslo", "%", "_"]),
    ),
    _rule("vip", ["eq", "ne", "set"], st.booleans()),
    _rule("labels", ["has", "has_not", "set", "not_set"], st.sampled_from(["a", "b", "z"])),
)
trees = st.recursive(
    leaves,
    lambda child: st.one_of(
        st.lists(child, min_size=1, max_size=3).map(lambda c: {"all": c}),
        st.lists(child, min_size=1, max_size=3).map(lambda c: {"any": c}),
        child.map(lambda c: {"not": c}),
    ),
    max_leaves=6,
)


@given(tree=trees)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_the_sql_of_a_tree_agrees_with_the_oracle_for_every_person(people: Any, tree: dict[str, Any]) -> None:
    connection, base, rows = people
    bindings = Bindings()
    found = predicate(tree, RuleContext(bindings, base, "p.lane", "p.id", None, "p.created_at", "p"))
    got = {row[0] for row in connection.execute(f"SELECT p.id FROM {base.table} p WHERE {found.sql}", bindings.values)}
    assert got == {number for number, row in rows if oracle(tree, row)}
    assert connection.execute(
        f"SELECT count(*) FROM {base.table} p WHERE ({found.sql}) IS NULL", bindings.values
    ).fetchone() == (0,)


@pytest.mark.parametrize(
    ("tree", "place"),
    [
        ([], "rules"),
        ({"all": []}, "rules.all"),
        ({"all": [{"rule": "field", "field": "points"}]}, "rules.all.0.operator"),
        ({"any": [{"rule": "weather"}]}, "rules.any.0.rule"),
        ({"all": [], "any": []}, "rules"),
        ({"not": {"rule": "message", "event": "vanished"}}, "rules.not.event"),
        ({"rule": "field", "field": "x'; DROP TABLE account; --", "operator": "eq", "value": 1}, "rules.field"),
        ({"rule": "field", "field": "points", "operator": "contains", "value": "1"}, "rules.operator"),
        ({"rule": "field", "field": "points", "operator": "eq", "value": "many"}, "rules.value"),
        ({"rule": "subscription", "resource": "Nowhere"}, "rules.resource"),
        ({"rule": "subscription", "state": ["confirmed", "lost"]}, "rules.state.1"),
        ({"rule": "subscription", "resource": {}}, "rules.resource"),
        (
            {
                "any": [
                    {"rule": "subscription"},
                    {"not": {"all": [{"rule": "subscription", "added": {"operator": "last_days"}}]}},
                ]
            },
            "rules.any.1.not.all.0.added.value",
        ),
        ({"all": [{"rule": "subscription", "custom": {"name": "a.b", "operator": "set"}}]}, "rules.all.0.custom.name"),
        ({"rule": "field", "field": "labels", "operator": "has", "value": ["a"]}, "rules.value"),
        ({"rule": "field", "field": "city", "operator": "matches", "value": "(a"}, "rules.value"),
        ({"rule": "field", "field": "phones", "operator": "has", "value": "12"}, "rules.value"),
        ({"rule": "field", "field": "phones", "operator": "country", "value": ["XX"]}, "rules.value"),
        ({"rule": "field", "field": "points", "operator": "between", "value": [5, 1]}, "rules.value"),
        ({"rule": "field", "field": "points", "operator": "set", "path": "a"}, "rules.path"),
    ],
)
def test_what_is_wrong_with_a_tree_is_said_with_its_place(people: Any, tree: Any, place: str) -> None:
    connection, base, _ = people
    problems = check(tree, base, Catalogue(connection))
    assert [p.place for p in problems] == [place]


def test_a_tree_that_is_too_deep_is_refused(people: Any) -> None:
    tree: dict[str, Any] = {"rule": "field", "field": "points", "operator": "set"}
    for _ in range(30):
        tree = {"not": tree}
    with pytest.raises(SojournError):
        parse_tree(tree)


def test_names_become_ids_and_a_tree_reads_as_a_sentence(people: Any) -> None:
    connection, base, _ = people
    from datetime import UTC, datetime

    from sojourn.kernel import VirtualClock
    from sojourn.profiles import create_resource

    resource = create_resource(connection, VirtualClock(datetime(2026, 11, 2, tzinfo=UTC)), "News", channels=[1])
    tree = {
        "any": [
            {"rule": "subscription", "resource": "News", "channel": "email"},
            {"not": {"rule": "field", "field": "points", "operator": "ge", "value": 3}},
        ]
    }
    assert resolve(tree, Catalogue(connection))["any"][0]["resource"] == resource.id
    assert (
        describe(tree, "en", base, Catalogue(connection))
        == "Subscription (“News”, email) is confirmed or not (Points is at least 3)"
    )
    assert describe(tree, "ru", base, Catalogue(connection)).startswith(
        "Подписка (“News”, email) подтверждена или не ("
    )
