"""Rules over outside tables: who is in, who is not, and that values which may not be used stop the question instead of answering it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import psycopg
import pytest

from sojourn.kernel import VirtualClock
from sojourn.kernel.ids import public_id
from sojourn.profiles import Database, add_field, create_database, database
from sojourn.scenarios import Catalogue
from sojourn.segments import check
from sojourn.segments.definitions import StoredSegments
from sojourn.segments.evaluation import Question, ask, everybody
from tests.conftest import START

MODES: tuple[Literal["row", "set"], ...] = ("row", "set")


@pytest.fixture
def base(connection: psycopg.Connection[Any], clock: VirtualClock) -> Database:
    made = create_database(connection, clock, "People")
    add_field(connection, clock, made.id, "card", "Card", "integer")
    add_field(connection, clock, made.id, "labels", "Labels", "tags")
    base = database(connection, made.id)
    card, labels = base.field("card").column, base.field("labels").column
    for number, (email, points, tags) in enumerate(
        [("a@x.test", 7, ["new", "old"]), ("b@x.test", None, []), (None, 8, None)], start=1
    ):
        connection.execute(
            f"INSERT INTO {base.table} (id, lane, created_at, updated_at, email, {card}, {labels}) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (number, number & 63, START, START, email, points, tags),
        )
    return base


def table(
    connection: psycopg.Connection[Any], columns: dict[str, list[str]], *, generation: int = 2, usable_until: datetime | None = None
) -> int:  # fmt: skip
    row = connection.execute(
        "INSERT INTO external_table (created_at, updated_at, name, short_name, kind, columns, generation, usable_until) VALUES (%s, %s, 'Buyers', 'buyers', 'list', %s, %s, %s) RETURNING id",
        (START, START, list(columns), generation, usable_until),
    ).fetchone()
    assert row
    for number, values in enumerate(columns.values(), start=1):
        for value in values:
            connection.execute("INSERT INTO external_value VALUES (%s, 2, %s, %s)", (row[0], number, value))
        connection.execute(
            "INSERT INTO external_value VALUES (%s, 1, %s, 'b@x.test')", (row[0], number)
        )  # of an earlier fetch
    return int(row[0])


def who(connection: psycopg.Connection[Any], base: Database, tree: dict[str, Any], mode: Literal["row", "set"]) -> set[int]:  # fmt: skip
    asked = ask(base, Question(tree), START, StoredSegments(connection), mode)
    if mode == "set":
        statement = everybody(base, asked, "p.id")
    else:
        statement = f"SELECT p.id FROM {base.table} p WHERE {asked.truth}"
    return {row[0] for row in connection.execute(statement, asked.values)}


def rule(number: int, field: str, presence: str = "in", column: str | None = None) -> dict[str, Any]:
    return {"rule": "external", "field": field, "presence": presence, "table": number, "column": column}


@pytest.mark.parametrize("mode", MODES)
def test_a_field_is_in_a_column_or_is_not(connection: psycopg.Connection[Any], base: Database, mode: Any) -> None:
    number = table(
        connection, {"mail": ["a@x.test", "z@x.test"], "card": ["8", "9"], "label": ["old"], "id": [public_id(2)]}
    )
    assert who(connection, base, rule(number, "email"), mode) == {1}
    assert who(connection, base, rule(number, "email", "not_in"), mode) == {2, 3}
    assert who(connection, base, rule(number, "card", "in", "card"), mode) == {3}
    assert who(connection, base, rule(number, "card", "not_in", "card"), mode) == {1, 2}
    assert who(connection, base, rule(number, "labels", "in", "label"), mode) == {1}
    assert who(connection, base, rule(number, "labels", "not_in", "label"), mode) == {2, 3}
    assert who(connection, base, rule(number, "_id", "in", "id"), mode) == {2}
    assert who(connection, base, {"not": rule(number, "email", "in", "mail")}, mode) == {2, 3}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("presence", ["in", "not_in"])
@pytest.mark.parametrize(
    "spoilt", [{"generation": 0}, {"usable_until": START}, {"usable_until": START - timedelta(days=1)}]
)
def test_values_that_may_not_be_used_stop_the_question(
    connection: psycopg.Connection[Any], base: Database, mode: Any, presence: str, spoilt: dict[str, Any]
) -> None:
    number = table(connection, {"mail": ["a@x.test"]}, **spoilt)
    for tree in (rule(number, "email", presence), {"not": rule(number, "email", presence)}):
        with pytest.raises(psycopg.Error, match="“Buyers” has no values that may be used") as stopped:
            who(connection, base, tree, mode)
        assert stopped.value.sqlstate == "SJ001"


@pytest.mark.parametrize("mode", MODES)
def test_a_table_or_column_that_is_gone_stops_the_question(
    connection: psycopg.Connection[Any], base: Database, mode: Any
) -> None:
    number = table(connection, {"mail": ["a@x.test"]}, usable_until=START + timedelta(seconds=1))
    assert who(connection, base, rule(number, "email"), mode) == {1}
    with pytest.raises(psycopg.Error, match="column is missing"):
        who(connection, base, rule(number, "email", "not_in", "phone"), mode)
    with pytest.raises(psycopg.Error, match="is gone"):
        who(connection, base, rule(number + 1, "email", "not_in"), mode)


def test_what_is_wrong_is_said_before(connection: psycopg.Connection[Any], base: Database) -> None:
    lookup = Catalogue(connection)
    number = table(connection, {"mail": []})
    assert check(rule(number, "email"), base, lookup) == []
    assert [problem.place for problem in check(rule(99, "_bdate"), base, lookup)] == ["rules.table", "rules.field"]
    assert [problem.place for problem in check(rule(number, "nothing"), base, lookup)] == ["rules.field"]
