"""Databases and their fields."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from sojourn.kernel import Clock, SojournError
from sojourn.kernel.database import connect
from sojourn.kernel.errors import Conflict, NotFound
from sojourn.profiles import add_field, create_database, database, list_databases, use_for_matching
from sojourn.profiles.fields import CUSTOM_TYPES

Connection = psycopg.Connection[Any]


def test_a_new_database_has_a_table_a_view_and_the_standard_fields(connection: Connection, clock: Clock) -> None:
    shop = create_database(connection, clock, "Shop", description="All customers")
    assert shop.table == f"profile_{shop.id}"
    assert shop.manager_title == "Shop"
    assert shop.field("_fname").column == "fname"
    assert shop.field("_bdate").sql_type == "date"
    assert connection.execute(f"SELECT id, email, _fname, _status FROM profiles_{shop.id}").fetchall() == []
    assert database(connection, "Shop") == database(connection, shop.id) == shop


def test_every_type_of_field_can_be_added_and_stands_in_the_view(connection: Connection, clock: Clock) -> None:
    shop = create_database(connection, clock, "Shop")
    for number, (kind, sql_type) in enumerate(CUSTOM_TYPES.items()):
        options = ["one", "two"] if kind == "enum" else None
        field = add_field(
            connection, clock, shop.id, f"c{number}", f"Field {number}", kind, options=options, required=kind == "line"
        )
        assert (field.type, field.sql_type, field.column) == (kind, sql_type, f"f{field.id}")
    fresh = database(connection, shop.id)
    assert [name for name in fresh.fields if name.startswith("c")] == [f"c{n}" for n in range(10)]
    assert fresh.field("c2").required
    names = ", ".join(f"c{n}" for n in range(10))
    assert connection.execute(f"SELECT {names} FROM profiles_{shop.id}").fetchall() == []


@pytest.mark.parametrize(
    "name", ["_own", "Name", "1st", "a b", 'x"; DROP TABLE change; --', "email", "", "a" * 64, "имя"]
)
def test_a_field_name_is_a_plain_word_that_is_not_taken(connection: Connection, clock: Clock, name: str) -> None:
    shop = create_database(connection, clock, "Shop")
    with pytest.raises(SojournError) as error:
        add_field(connection, clock, shop.id, name, "Title", "line")
    assert error.value.code == "bad_field_name"


def test_mistakes_are_told_with_a_code(connection: Connection, clock: Clock) -> None:
    shop = create_database(connection, clock, "Shop")
    add_field(connection, clock, shop.id, "bonus", "Bonus", "integer")
    with pytest.raises(Conflict) as error:
        add_field(connection, clock, shop.id, "bonus", "Bonus", "integer")
    assert error.value.code == "field_exists"
    with pytest.raises(SojournError) as options:
        add_field(connection, clock, shop.id, "level", "Level", "enum")
    assert options.value.code == "bad_options"
    with pytest.raises(Conflict):
        create_database(connection, clock, " Shop ")
    for unknown in (99, "Nowhere", 2**40, "\x00"):
        with pytest.raises(NotFound):
            database(connection, unknown)
    with pytest.raises(SojournError) as field:
        shop.field("nothing")
    assert (field.value.code, field.value.place) == ("unknown_field", "nothing")


def test_lists_are_paged(connection: Connection, clock: Clock) -> None:
    made = [create_database(connection, clock, f"Base {n}") for n in range(5)]
    add_field(connection, clock, made[3].id, "bonus", "Bonus", "integer")
    first = list_databases(connection, limit=3)
    second = list_databases(connection, after=first[-1].id, limit=3)
    assert [d.name for d in first + second] == [d.name for d in made]
    assert "bonus" in second[0].fields and "bonus" not in second[1].fields


def test_a_field_is_added_while_somebody_holds_the_table(
    connection: Connection, database_url: str, clock: Clock
) -> None:
    shop = create_database(connection, clock, "Shop")
    with connect(database_url, "test", autocommit=False) as other:
        other.execute(f"SELECT count(*) FROM {shop.table}")
        timer = threading.Timer(2.5, other.commit)
        timer.start()
        assert add_field(connection, clock, shop.id, "bonus", "Bonus", "integer").column
        timer.join()


def test_a_field_that_is_no_key_cannot_be_used_for_matching(connection: Connection, clock: Clock) -> None:
    shop = create_database(connection, clock, "Shop")
    add_field(connection, clock, shop.id, "weight", "Weight", "float")
    with pytest.raises(SojournError) as error:
        use_for_matching(connection, clock, shop.id, "weight")
    assert error.value.code == "field_not_for_matching"
