"""Suppression lists: values in all their forms, digests of other systems, search, pages and the exchange format."""

from __future__ import annotations

import hashlib
from typing import Any

import psycopg
import pytest

from sojourn.kernel import SojournError, VirtualClock
from sojourn.kernel.errors import Conflict
from sojourn.profiles.suppression import (
    add_entries,
    create_list,
    delete_list,
    export_lines,
    get_list,
    list_entries,
    list_lists,
    remove_entries,
)

Connection = psycopg.Connection[Any]


def test_values_are_what_they_look_like(connection: Connection, clock: VirtualClock) -> None:
    made = create_list(connection, clock, "Mine")
    added = add_entries(
        connection,
        clock,
        made.id,
        [
            "Ada@Example.com",
            "ada@example.com ",
            "+7 900 123-45-67",
            "@Shop.test",
            "*@spam.*",
            "",
            "???",
            hashlib.md5(b"x@y.z").hexdigest(),
        ],
    )
    assert (added.total, added.imported, added.duplicated) == (7, 5, 1)
    assert added.refused == ((7, "???"),)
    entries, following = list_entries(connection, made.id)
    assert {(entry.kind, entry.value) for entry in entries} == {
        ("email", "ada@example.com"), ("phone", "+79001234567"), ("domain", "shop.test"), ("pattern", "*@spam.*"), ("email", None)
    }  # fmt: skip
    assert following is None and get_list(connection, made.id).entries == 5
    assert add_entries(connection, clock, made.id, ["ada@example.com"]).duplicated == 1


def test_entries_are_found_paged_and_removed(connection: Connection, clock: VirtualClock) -> None:
    add_entries(connection, clock, 1, [f"p{n}@example.com" for n in range(120)])
    seen, cursor = [], None
    while True:
        page, cursor = list_entries(connection, 1, after=cursor, limit=50)
        seen += [entry.value for entry in page]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 120
    assert [entry.value for entry in list_entries(connection, 1, search="P7@example.com")[0]] == ["p7@example.com"]
    assert list_entries(connection, 1, search="nobody")[0] == []
    assert (
        remove_entries(
            connection, 1, ["p7@example.com", hashlib.md5(b"p8@example.com").hexdigest(), "nobody@example.com"]
        )
        == 2
    )
    with pytest.raises(SojournError, match="cursor"):
        list_entries(connection, 1, after="x~y")


def test_lists_are_exchanged_as_digests(connection: Connection, clock: VirtualClock) -> None:
    add_entries(connection, clock, 1, ["ada@example.com", "*@spam.test"])
    lines = list(export_lines(connection, 1))
    assert lines[0] == "kind,md5,reason\r\n"
    assert set(lines[1:]) == {
        f"email,{hashlib.md5(b'ada@example.com').hexdigest()},manual\r\n",
        'pattern,"*@spam.test",manual\r\n',
    }


def test_the_global_list_is_there_and_stays(connection: Connection, clock: VirtualClock) -> None:
    assert [one.is_global for one in list_lists(connection)] == [True]
    with pytest.raises(Conflict):
        delete_list(connection, 1)
    other = create_list(connection, clock, "Other")
    with pytest.raises(Conflict):
        create_list(connection, clock, "Other")
    delete_list(connection, other.id)
    with pytest.raises(SojournError):
        create_list(connection, clock, " ")
