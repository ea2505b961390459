"""Patterns that users write, and the countries of phone numbers: what the database finds is what others find."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import phonenumbers
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.kernel.database import DatabaseServer, connect, with_database
from sojourn.segments.patterns import BadPattern, check_pattern
from sojourn.segments.phone_countries import COUNTRIES, number_patterns


@pytest.fixture(scope="module")
def postgres(server: DatabaseServer) -> Iterator[psycopg.Connection[Any]]:
    with connect(with_database(server.url, "postgres"), "test") as connection:
        yield connection


_signs = st.one_of(
    st.sampled_from("ab1. -"),
    st.sampled_from(["\\d", "\\w", "\\s", "\\.", "\\D", "\\W", "\\S", "[ab]", "[^a]", "[a-b1]", "[\\d-]", "\\-"]),
)
patterns = st.recursive(
    _signs,
    lambda part: st.one_of(
        st.lists(part, min_size=1, max_size=3).map("".join), st.lists(part, min_size=2, max_size=3).map(lambda ways: f"({'|'.join(ways)})"),
        st.tuples(part, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,1}", "{1,}"])).map(lambda two: f"({two[0]}){two[1]}"),
        part.map(lambda inner: f"^{inner}"), part.map(lambda inner: f"{inner}$"),
    ),
    max_leaves=6,
).filter(lambda text: len(text) <= 200)  # fmt: skip


@given(pattern=patterns, texts=st.lists(st.text("ab1 .-\n", max_size=12), min_size=1, max_size=5))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_patterns_mean_in_the_database_what_they_mean_elsewhere(
    postgres: psycopg.Connection[Any], pattern: str, texts: list[str]
) -> None:
    check_pattern(pattern)
    found = postgres.execute(
        "SELECT t ~* %s FROM unnest(%s::text[]) WITH ORDINALITY u(t, n) ORDER BY n", (pattern, texts)
    )
    elsewhere = re.compile(pattern.replace("$", r"\Z"), re.IGNORECASE | re.DOTALL)
    assert [row[0] for row in found] == [elsewhere.search(text) is not None for text in texts]


@given(pattern=st.text("ab()[]{}*+?|^$.\\-,19dw:=", max_size=14))
@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_pattern_that_passes_is_one_for_the_database(postgres: psycopg.Connection[Any], pattern: str) -> None:
    try:
        check_pattern(pattern)
    except BadPattern:
        return
    postgres.execute("SELECT 'ab1'::text ~* %s", (pattern,))


@pytest.mark.parametrize(
    "pattern", ["(a*)*b", "((a+)+)+$", "(a|aa)+$", "(.*)(.*)(.*)(.*)[^x]y", "(x+x+)+y", "([a-z]{1,40}){1,40}!"]
)
def test_no_pattern_keeps_the_database_busy(postgres: psycopg.Connection[Any], pattern: str) -> None:
    check_pattern(pattern)
    with postgres.transaction():
        postgres.execute("SET LOCAL statement_timeout = '3s'")
        postgres.execute(
            "SELECT count(*) FROM generate_series(1, 20) n WHERE repeat('ax', 16000) || n ~* %s", (pattern,)
        )


@pytest.mark.parametrize("pattern", ["", "a|", "*a", "(a", "a)", "[a", "[]", "(?i)a", "(?=a)", "a{2,1}", "a{101}", "(a{100}){100}", "\\1", "\\b", "[z-a]", "[\\d-z]", "***=a", "a**", "[[:alpha:]]", "a" * 201, "\\"])  # fmt: skip
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        check_pattern(pattern)


@pytest.mark.parametrize("country", COUNTRIES)
def test_numbers_belong_to_the_country_that_the_library_says(postgres: psycopg.Connection[Any], country: str) -> None:
    numbers = [found for kind in range(11) if (found := phonenumbers.example_number_for_type(country, kind))]
    own, others = number_patterns(country)
    for number in numbers:
        text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        row = postgres.execute("SELECT %s ~ %s AND coalesce(%s !~ %s, true)", (text, own, text, others)).fetchone()
        assert row == (phonenumbers.region_code_for_number(number) == country,)
