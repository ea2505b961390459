"""Values: what fits which field, and that columns of texts are read as single values are."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sojourn.profiles.columns import parse_column
from sojourn.profiles.contacts import parse_email, parse_phone
from sojourn.profiles.copy_text import typed_cell
from sojourn.profiles.fields import CUSTOM_TYPES, STANDARD_FIELDS, Field
from sojourn.profiles.values import Reading, parse_value

FIELDS = {
    kind: Field(kind, kind, kind, "f1", sql_type, options=("Red", "green", "2") if kind == "enum" else ())
    for kind, sql_type in CUSTOM_TYPES.items()
}
FIELDS |= {field.type: field for field in STANDARD_FIELDS if field.type not in CUSTOM_TYPES} | {
    "day": next(f for f in STANDARD_FIELDS if f.name == "_bdate")
}


@pytest.mark.parametrize(
    ("kind", "given_value", "value"),
    [
        ("integer", "100", 100), ("integer", 5.0, 5), ("integer", " -7 ", -7), ("integer", "12.00", 12), ("float", "100,5", 100.5), ("float", 3, 3.0), ("line", 12, "12"),
        ("date", "2024-05-27T12:00:00Z", datetime(2024, 5, 27, 12, tzinfo=UTC)), ("date", "2024-05-27", datetime(2024, 5, 27, tzinfo=UTC)),
        ("date", "2001-12-31T00:00+03:00", datetime(2001, 12, 30, 21, tzinfo=UTC)), ("date", 1716811200000, datetime(2024, 5, 27, 12, tzinfo=UTC)),
        ("date", "1716811200000", datetime(2024, 5, 27, 12, tzinfo=UTC)), ("date", "27.05.2024 12:30", datetime(2024, 5, 27, 12, 30, tzinfo=UTC)),
        ("day", "2001-12-31T00:00+03:00", date(2001, 12, 31)), ("day", "31.12.2001", date(2001, 12, 31)), ("boolean", "да", True), ("boolean", 0, False), ("boolean", True, True),
        ("enum", "red", "Red"), ("enum", 1, "green"), ("enum", "0", "Red"), ("enum", 2, "2"), ("ip", " 127.0.0.1", "127.0.0.1"), ("tags", "a, b,,a", ["a", "b"]),
        ("tags", ["x", " y "], ["x", "y"]), ("object", '{"a": {"b": null}}', {"a": {"b": None}}), ("objects", [{"a": 1}], [{"a": 1}]), ("email", " Me@Example.COM ", "me@example.com"),
        ("email", "12@localhost", None), ("phones", "+79001234567; 8 (900) 123-45-68", ["+79001234567", "+79001234568"]), ("phones", 79001234567, ["+79001234567"]),
        ("sex", "female", 1), ("sex", 0, 0), ("sex", "М", 0), ("status", "subscriber", 0), ("status", "5", 5), ("status", "invalid", 6), ("line", "", None), ("integer", None, None),
    ],
)  # fmt: skip
def test_what_fits_becomes_the_value(kind: str, given_value: Any, value: Any) -> None:
    assert parse_value(FIELDS[kind], given_value, Reading(phone_region="RU")) == (value, None)


@pytest.mark.parametrize(
    ("kind", "given_value", "code"),
    [
        ("integer", "many", "incorrect_number"), ("integer", 2**63, "incorrect_number"), ("integer", True, "incorrect_number"), ("integer", 1.5, "incorrect_number"),
        ("integer", "9" * 5000, "incorrect_number"), ("float", "nan", "incorrect_number"), ("float", "1e999", "incorrect_number"), ("float", "1_0", "incorrect_number"),
        ("float", 10**400, "incorrect_number"), ("line", "a\x00b", "bad_text"), ("line", "\ud800", "bad_text"), ("line", ["a"], "not_a_text"), ("line", "x" * 40_000, "text_too_long"),
        ("date", "31/12/2024", "incorrect_date"), ("date", "yesterday", "incorrect_date"), ("date", 1e300, "incorrect_date"), ("date", "0001-01-01T00:00+14:00", "incorrect_date"),
        ("date", True, "incorrect_date"), ("boolean", "maybe", "incorrect_boolean"), ("boolean", 2, "incorrect_boolean"), ("enum", "blue", "not_an_option"), ("enum", 3, "not_an_option"),
        ("ip", "1.2.3", "incorrect_ip"), ("ip", "256.1.1.1", "incorrect_ip"), ("ip", "::1", "incorrect_ip"), ("ip", "01.2.3.4", "incorrect_ip"), ("tags", 5, "incorrect_tags"),
        ("object", "[1]", "incorrect_object"), ("object", {"a": math.inf}, "incorrect_object"), ("object", {"a\x00": 1}, "incorrect_object"), ("object", "[" * 100_000, "incorrect_object"),
        ("objects", [1], "incorrect_object"), ("email", "nobody", "incorrect_email"), ("email", "a@b@c.d", "incorrect_email"), ("email", 5, "incorrect_email"),
        ("phones", "+7900", "incorrect_phone"), ("phones", "call me", "incorrect_phone"), ("phones", "++79001234567", "incorrect_phone"), ("sex", "x", "incorrect_sex"), ("status", 7, "incorrect_status"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_code_and_place(kind: str, given_value: Any, code: str) -> None:
    value, problem = parse_value(FIELDS[kind], given_value)
    assert value is None and problem and (problem.code, problem.place) == (code, FIELDS[kind].name)


def test_a_chosen_date_format_is_the_only_one() -> None:
    reading = Reading(date_format="%m/%d/%Y")
    assert parse_value(FIELDS["day"], "12/31/2024", reading) == (date(2024, 12, 31), None)
    _, problem = parse_value(FIELDS["day"], "2024-12-31", reading)
    assert problem and "%m/%d/%Y" in problem.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(FIELDS)), JSON)
@settings(max_examples=400)
def test_any_json_value_gives_a_value_or_a_problem_and_never_an_error(kind: str, value: Any) -> None:
    parsed, problem = parse_value(FIELDS[kind], value)
    assert problem is None or (parsed is None and problem.message)


TEXTS = st.text(max_size=20) | st.sampled_from(
    ["1", "12", "2024-05-27", "2024-02-30", "2024-05-27T12:00:00Z", "2024-05-27 25:00:00", "0000-01-01", "a@b.cd", "A@B.cd", "a..b@c.de", "+79001234567", "+0", "8900", "Red", "yes",
     "1.2.3.4", "a,b", "\\N", "\\", "a\tb", "a\nb", " ", "{}", "[]", '{"a": "\\t"}', "male", "subscribed", "-5", "٣", "²"]
)  # fmt: skip


@given(st.sampled_from(sorted(FIELDS)), st.lists(TEXTS, max_size=30))
@example("date", ["2024-05-27T12:00:00Z", "2024-05-27 12:00:00"])
@settings(max_examples=400)
def test_a_column_is_read_as_its_cells_are(kind: str, texts: list[str]) -> None:
    field = FIELDS[kind]
    for repeated in (texts, texts * 20):
        cells, problems = parse_column(field, repeated)
        for row, text in enumerate(repeated):
            value, problem = parse_value(field, text)
            assert problems.get(row) == problem
            if problem is None:
                assert same(field, cells[row], typed_cell(value, field.sql_type)), (text, cells[row])


def same(field: Field, one: str, other: str) -> bool:
    """Whether two cells mean the same to the server."""
    if one == other or field.type not in ("date", "integer", "phones"):
        return one == other
    if field.type == "integer":
        return int(one) == int(other)
    if field.type == "phones":
        return one.replace('"', "") == other.replace('"', "")
    read = [datetime.fromisoformat(cell) for cell in (one, other)]
    return len({moment.replace(tzinfo=moment.tzinfo or UTC) for moment in read}) == 1


DOCUMENT_NUMBERS = st.floats(-1e15, 1e15)  # beyond, PostgreSQL gives whole numbers back with all their digits
DOCUMENT = st.recursive(
    st.none() | st.booleans() | st.integers() | DOCUMENT_NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=10), max_size=5),
    DOCUMENT,
    st.datetimes(timezones=st.just(UTC)),
    st.floats(allow_nan=False),
)
@settings(max_examples=100, deadline=timedelta(seconds=2))
def test_what_is_written_as_copy_text_is_read_back(
    server: Any, tags: list[str], document: Any, moment: datetime, number: float
) -> None:
    document, problem = parse_value(FIELDS["object"], {"x": document})
    values = [tags, document if problem is None else None, moment, number, "".join(tags)]
    types = ["text[]", "jsonb", "timestamptz", "float8", "text"]
    from sojourn.kernel.database import connect

    global _connection
    _connection = _connection or connect(server.url, "test")
    _connection.execute(
        "CREATE TEMP TABLE IF NOT EXISTS t (a text[], b jsonb, c timestamptz, d float8, e text); DELETE FROM t"
    )
    with _connection.cursor() as cursor, cursor.copy("COPY t FROM STDIN") as copy:
        copy.write("\t".join(typed_cell(value, kind) for value, kind in zip(values, types, strict=True)) + "\n")
    assert list(_connection.execute("SELECT * FROM t").fetchone() or ()) == values


_connection: psycopg.Connection[Any] | None = None


@given(st.emails() | st.text(max_size=30))
def test_a_parsed_email_is_parsed_to_itself(text: str) -> None:
    address = parse_email(text)
    assert address is None or parse_email(address) == address


@given(st.from_regex(r"\+?[0-9 ()-]{5,18}", fullmatch=True))
@example("+3523000")
def test_a_parsed_phone_is_parsed_to_itself(text: str) -> None:
    number = parse_phone(text, "RU")
    assert number is None or parse_phone(number) == number
