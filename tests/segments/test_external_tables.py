"""Outside tables: fetched by a job, swapped whole, and never answering from nothing."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from sojourn.cli.task_kinds import register_all
from sojourn.connections import create_link
from sojourn.kernel import Settings, VirtualClock
from sojourn.kernel.errors import SojournError
from sojourn.kernel.files import FileStore
from sojourn.kernel.tasks import list_tasks, perform
from sojourn.kernel.vault import Vault
from sojourn.profiles import Options, Record, create_database, database, import_records
from sojourn.scenarios import Catalogue
from sojourn.segments import resolve
from sojourn.segments.counting import count
from sojourn.segments.evaluation import Question
from sojourn.segments.external_tables import (
    TableDraft,
    change_external_table,
    create_external_table,
    delete_external_table,
    external_table,
    start_due_fetches,
    values_of,
)
from tests.connections.conftest import WebServer, web

__all__ = ["web"]
Connection = psycopg.Connection[Any]
IN = {"all": [{"rule": "external", "field": "email", "table": "vip"}]}
NOT_IN = {"all": [{"rule": "external", "field": "email", "presence": "not_in", "table": "vip"}]}


class Tables:
    def __init__(self, connection: Connection, clock: VirtualClock, settings: Settings, url: str) -> None:
        self.connection, self.clock, self.url = connection, clock, url
        self.settings = settings.model_copy(update={"private_hosts": ["127.0.0.1"]})
        register_all(self.settings)
        base = create_database(connection, clock, "People")
        self.base = database(connection, base.id)
        import_records(connection, clock, self.base, [Record({"email": f"{name}@x.test"}) for name in "abc"], Options())

    def link(self, kind: str, given: dict[str, Any]) -> int:
        return create_link(self.connection, self.clock, Vault.of(self.settings), kind, kind, given, {}).id

    def make(self, kind: str, **more: Any) -> int:
        draft = TableDraft.model_validate({"name": "VIP", "short_name": "vip", "kind": kind, **more})
        return create_external_table(self.connection, self.clock, self.settings, draft).id

    def fetch_due(self) -> str:
        """Do what is due; tells how the last fetch ended."""
        assert start_due_fetches(self.connection, self.clock) == 1
        return perform(self.url, self.clock, list_tasks(self.connection, limit=1)[0].id).state

    def count(self, rules: dict[str, Any]) -> int:
        catalogue = Catalogue(self.connection)
        question = Question(resolve(rules, catalogue), None, None)
        return count(self.connection, self.clock, self.base, question, catalogue).number


@pytest.fixture
def tables(connection: Connection, clock: VirtualClock, settings: Settings, database_url: str) -> Tables:
    return Tables(connection, clock, settings, database_url)


def test_a_pasted_list_answers_at_once_and_for_ever(tables: Tables) -> None:
    tables.make("list", values=["a@x.test", "a@x.test", " ", "z@x.test"])
    tables.clock.advance(timedelta(days=1000))
    assert (tables.count(IN), tables.count(NOT_IN)) == (1, 2)


def test_a_file_gives_a_column_each(tables: Tables) -> None:
    key = FileStore.of(tables.settings).save([b"id;mail\n1;a@x.test\n2;b@x.test\n"], 1_000)
    number = tables.make("file", file=key, file_name="vip.csv")
    assert external_table(tables.connection, number).columns == ["id", "mail"]
    rule = {"rule": "external", "field": "email", "table": "vip", "column": "mail"}
    assert tables.count({"all": [rule]}) == 2
    with pytest.raises(SojournError, match="column is missing"):
        tables.count({"all": [rule | {"column": "none", "presence": "not_in"}]})


def test_a_query_is_fetched_when_due_and_its_values_swapped_whole(tables: Tables) -> None:
    folder = tables.settings.data / "sqlite"
    folder.mkdir(exist_ok=True)
    file = sqlite3.connect(folder / "crm.db")
    file.execute("CREATE TABLE vip (email text)")
    file.execute("INSERT INTO vip VALUES ('a@x.test')")
    file.commit()
    tables.make(
        "sql",
        connection_id=tables.link("sql", {"system": "sqlite", "database": "crm.db"}),
        query="SELECT email FROM vip",
    )
    with pytest.raises(SojournError, match="VIP"):
        tables.count(NOT_IN)
    assert tables.fetch_due() == "completed" and tables.count(IN) == 1
    file.execute("UPDATE vip SET email = 'b@x.test'")
    file.commit()
    assert start_due_fetches(tables.connection, tables.clock) == 0
    tables.clock.advance(timedelta(hours=1))
    assert tables.fetch_due() == "completed"
    assert (tables.count(IN), tables.count(NOT_IN)) == (1, 2)
    assert tables.connection.execute("SELECT value FROM external_value").fetchall() == [("b@x.test",)]


def test_a_failed_fetch_keeps_the_old_values_for_a_while_and_then_stops_every_rule(
    tables: Tables, web: WebServer
) -> None:
    web.answers["/vip"] = (200, {"content-type": "text/plain"}, b"a@x.test\n\nb@x.test\n")
    number = tables.make("http", connection_id=tables.link("http", {"url": f"{web.url}/vip"}))
    assert tables.fetch_due() == "completed" and tables.count(NOT_IN) == 1
    del web.answers["/vip"]
    tables.clock.advance(timedelta(hours=1))
    assert tables.fetch_due() == "failed"
    found = external_table(tables.connection, number)
    assert found.error == "The address answered with 404." and found.next_at > tables.clock.now()
    assert tables.count(NOT_IN) == 1
    tables.clock.advance(timedelta(hours=1))
    for rules in (IN, NOT_IN, {"not": IN}):
        with pytest.raises(SojournError) as caught:
            tables.count(rules)
        assert caught.value.code == "rules_unanswerable"
    web.answers["/vip"] = (200, {"content-type": "text/plain"}, b"c@x.test")
    assert tables.fetch_due() == "completed" and tables.count(IN) == 1


def test_another_source_makes_old_values_unusable_at_once(tables: Tables, web: WebServer) -> None:
    web.answers["/vip"] = (200, {"content-type": "application/json"}, b'{"segment": {"emails": ["a@x.test"]}}')
    link = tables.link("http", {"url": f"{web.url}/vip"})
    number = tables.make("http", connection_id=link, path="segment.emails")
    assert tables.fetch_due() == "completed" and tables.count(IN) == 1
    draft = TableDraft(name="VIP", short_name="vip", kind="http", connection_id=link, path="segment.others")
    change_external_table(tables.connection, tables.clock, tables.settings, number, draft)
    with pytest.raises(SojournError):
        tables.count(IN)
    assert tables.fetch_due() == "failed"
    delete_external_table(tables.connection, number)
    with pytest.raises(SojournError):
        tables.count(IN)


@pytest.mark.parametrize(
    ("body", "media", "path", "values"),
    [
        (b'{"a": [{"b": 1}, {"b": "x"}, {"b": null}]}', "application/json", "a.b", ["1", "x"]),
        (b'["x", 2]', "application/json", "", ["x", "2"]),
        (b"<names><name> Ann </name><name>Bob</name></names>", "application/xml", "names.name", ["Ann", "Bob"]),
        (b"\xef\xbb\xbfAnn\r\n\r\nBob", "text/plain", "", ["Ann", "Bob"]),
    ],
)
def test_values_are_found_in_every_form_of_answer(body: bytes, media: str, path: str, values: list[str]) -> None:
    assert values_of(body, media, None, path) == values


@pytest.mark.parametrize(
    ("body", "media", "path"),
    [
        (b"{", "application/json", ""), (b'{"a": 1}', "application/json", "b"), (b'{"a": {"c": 1}}', "application/json", "a"), (b"<a>", "text/xml", "a"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "text/xml", "x"), (b"<a><b/></a>", "text/xml", "a.b"), (b"\xff\xfe\xfd", "text/plain", ""),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_read_is_an_error_and_no_empty_set(body: bytes, media: str, path: str) -> None:
    with pytest.raises(SojournError):
        values_of(body, media, None, path)
