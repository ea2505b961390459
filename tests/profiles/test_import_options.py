"""What an import can be told: constants, tags, subscriptions, segments, formats; test runs; runs that go on after a crash; the report."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
import pytest

from sojourn.kernel import SojournError, VirtualClock
from sojourn.kernel.task_parts import noted_parts
from sojourn.profiles import Database, Resource, add_field, change_sets, database, of_profile
from sojourn.profiles import row_import as module
from sojourn.profiles.import_arguments import ColumnTarget, ImportOptions, ImportSubscription
from sojourn.profiles.import_options import FileOptions, Target
from sojourn.profiles.reading_rows import RowsReader
from sojourn.profiles.rejections import list_rejections, place_of, rejections_csv
from sojourn.profiles.run_import import run_import

Connection = psycopg.Connection[Any]


class Run:
    """Imports rows and gives the report."""

    def __init__(self, connection: Connection, clock: VirtualClock, shop: Database) -> None:
        self.connection, self.clock, self.shop = connection, clock, shop

    def __call__(self, header: Sequence[str], rows: Sequence[Sequence[Any]], **wishes: Any) -> dict[str, Any]:
        told = {name: wishes.pop(name) for name in ("task_id", "resume", "test_run") if name in wishes}
        reader = RowsReader(header, rows)
        given = {"task_id": None} | told
        return run_import(self.connection, self.clock, self.shop.id, reader, ImportOptions(**wishes), **given)

    def values(self, *names: str) -> list[tuple[Any, ...]]:
        base = database(self.connection, self.shop.id)
        columns = ", ".join(base.field(name).column for name in names)
        return self.connection.execute(f"SELECT {columns} FROM {base.table} ORDER BY email, id").fetchall()

    def ids(self) -> list[int]:
        return [row[0] for row in self.connection.execute(f"SELECT id FROM {self.shop.table} ORDER BY email")]

    def task(self) -> int:
        row = self.connection.execute(
            "INSERT INTO background_task (created_at, kind, title, state) VALUES (%s, 'profile_import', 'x', 'running') RETURNING id",
            (self.clock.now(),),
        ).fetchone()
        assert row
        return int(row[0])


@pytest.fixture
def run(connection: Connection, clock: VirtualClock, shop: Database) -> Run:
    return Run(connection, clock, shop)


def counts(result: dict[str, Any]) -> dict[str, int]:
    words = ("total", "created", "updated", "unchanged", "skipped", "rejected", "repeated", "several", "left_out")
    return {word: result[word] for word in words if result[word]}


def test_constants_separators_and_added_tags(run: Run) -> None:
    mapping = {"mail": "email", "likes": ColumnTarget(field="likes", separator=";", add=True)}
    rows = [("a@b.cd", "x; y,z"), ("a@b.cd", "w;x"), ("b@b.cd", None)]
    first = run(["mail", "likes"], rows, mapping=mapping, constants={"bonus": "7", "_city": "Perm"})
    assert counts(first) == {"total": 3, "created": 2, "updated": 1, "repeated": 1}
    assert run.values("likes", "bonus", "_city") == [(["x", "y,z", "w"], 7, "Perm"), (None, 7, "Perm")]
    again = run(["mail", "likes"], [("a@b.cd", "new"), ("b@b.cd", "")], mapping=mapping)
    assert counts(again) == {"total": 2, "updated": 1, "unchanged": 1}
    assert run.values("likes")[0] == (["x", "y,z", "w", "new"],)
    for wishes, code in (
        ({"constants": {"bonus": "many"}}, "bad_constant"), ({"constants": {"email": "x@b.cd"}}, "field_twice"), ({"constants": {"nothing": "x"}}, "unknown_field"),
        ({"mapping": {"mail": ColumnTarget(field="email", add=True)}}, "not_tags"), ({"mapping": {"mail": ColumnTarget(field="email", separator="::")}}, "bad_separator"),
    ):  # fmt: skip
        with pytest.raises(SojournError) as error:
            run(["mail", "likes"], rows, **({"mapping": mapping} | wishes))
        assert error.value.code == code


def test_each_column_is_read_in_its_own_format(run: Run, clock: VirtualClock) -> None:
    add_field(run.connection, clock, run.shop.id, "sum", "Sum", "float")
    mapping = {
        "email": "email", "born": ColumnTarget(field="_bdate", date_format="%m/%d/%y"), "since": ColumnTarget(field="_regdate", date_format="%d.%m.%Y %H:%M"),
        "phone": ColumnTarget(field="phones", phone_region="RU"), "sum": ColumnTarget(field="sum", decimal=","), "bonus": ColumnTarget(field="bonus", decimal="."),
        "city": ColumnTarget(field="_city", clear_empty=True),
    }  # fmt: skip
    run(
        list(mapping),
        [("a@b.cd", "12/31/99", "01.02.2020 03:04", "8 (900) 000-00-01", "1 234.567,5", "1,234", "Perm")],
        mapping=mapping,
    )
    run(
        ["email", "city"],
        [("a@b.cd", "")],
        mapping={"email": "email", "city": ColumnTarget(field="_city", clear_empty=True)},
    )
    [(born, since, phones, total, bonus, city)] = run.values("_bdate", "_regdate", "phones", "sum", "bonus", "_city")
    assert (str(born), since.isoformat()[:16], phones) == ("1999-12-31", "2020-02-01T03:04", ["+79000000001"])
    assert (total, bonus, city) == (1234567.5, 1234, None)


def test_rows_subscribe_by_columns_lists_and_categories(run: Run, news: Resource) -> None:
    plans = [
        ImportSubscription(resource_id=news.id, channel=1, status="unconfirmed", priority=3, cats=["vip"]),
        ImportSubscription(resource_id=news.id, channel=1, column="second"),
    ]
    rows = [("a@b.cd", "Other@b.cd"), ("b@b.cd", ""), ("c@b.cd", "nobody")]
    result = run(["email", "second"], rows, mapping={"email": "email"}, subscriptions=plans)
    assert counts(result) == {"total": 3, "created": 2, "rejected": 1}
    first, second = run.ids()
    found = [(s.contact, s.status, s.priority, s.cats) for s in of_profile(run.connection, first)]
    assert sorted(found) == [("a@b.cd", 4, 3, ["vip"]), ("other@b.cd", 0, 0, None)]
    assert [s.contact for s in of_profile(run.connection, second)] == ["b@b.cd"]
    wishes = {"mapping": {"email": "email"}, "subscriptions": plans, "skip_invalid_subscriptions": True}
    assert counts(run(["email", "second"], rows, **wishes)) == {"total": 3, "created": 1, "unchanged": 2, "left_out": 1}
    listed = json.dumps([{"resource_id": news.id, "channel": "sms", "phone": "+79000000001", "status": "subscribed"}])
    mapping = {"email": "email", "subs": "_subscriptions"}
    assert counts(run(["email", "subs"], [("a@b.cd", listed)], mapping=mapping)) == {"total": 1, "updated": 1}
    assert "+79000000001" in [s.contact for s in of_profile(run.connection, first)]
    for wrong in ("nonsense", "[1]", '[{"resource_id": 99, "channel": "email", "email": "a@b.cd"}]', "[" * 5_000):
        assert counts(run(["email", "subs"], [("a@b.cd", wrong)], mapping=mapping)) == {"total": 1, "rejected": 1}


def test_profiles_are_found_by_push_and_several_are_noted(run: Run, news: Resource, shop: Database) -> None:
    mapping = {"email": "email", "provider": "_provider", "token": "_subscription_id", "name": "_fname"}
    listed = json.dumps([{"resource_id": news.id, "channel": "push", "provider": "fcm", "subscription_id": "t1"}])
    run(["email", "subs"], [("a@b.cd", listed)], mapping={"email": "email", "subs": "_subscriptions"})
    result = run(
        ["provider", "token", "name"],
        [("fcm", "t1", "Ann"), ("fcm", "", "B")],
        mapping={k: mapping[k] for k in ("provider", "token", "name")},
        matching="push_sub",
        mode="update",
    )
    assert counts(result) == {"total": 2, "updated": 1, "rejected": 1}
    assert run.values("_fname") == [("Ann",)]
    run(["email", "phone"], [("p@b.cd", "+79000000009"), ("q@b.cd", "+79000000009")])
    assert counts(run(["phone", "bonus"], [("+79000000009", 1)], matching="phone"))["several"] == 1


def test_static_segments_are_filled_with_whom_the_import_wrote(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, list[int], list[int]]] = []

    def enter(
        connection: Connection,
        at: datetime,
        database_id: int,
        add: Sequence[int],
        remove: Sequence[int],
        cause: int,
        cause_id: int | None,
    ) -> None:
        row = connection.execute("SELECT count(*) FROM imported").fetchone()
        assert row
        seen.append((row[0], list(add), list(remove)))

    monkeypatch.setattr(change_sets, "_membership", [enter])
    rows = [("a@b.cd", 1), ("A@b.cd", 2), ("b@b.cd", 1), ("nobody", 1)]
    run(["email", "bonus"], rows, add_to_segments=[5], remove_from_segments=[6])
    run(["email", "bonus"], rows[:1], add_to_segments=[5], mode="create")
    run(["email", "bonus"], rows, add_to_segments=[5], test_run=True)
    run(["email", "bonus"], rows)
    assert seen == [(2, [5], [6]), (0, [5], [])]


def test_a_test_run_tells_what_would_be_and_writes_nothing(
    run: Run, news: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_ROWS", 3)
    run(["email", "bonus", "card"], [("a@b.cd", 1, "A"), ("b@b.cd", 1, "B")])
    rows = [("a@b.cd", 1), ("b@b.cd", 2), ("c@b.cd", 1), ("C@b.cd", 9), ("d@b.cd", 1), ("nobody", 1), ("e@b.cd", "x")]
    before = run.connection.execute("SELECT count(*) FROM change").fetchone()
    tried = run(["email", "bonus"], rows, test_run=True)
    assert run.connection.execute("SELECT count(*) FROM change").fetchone() == before
    assert len(run.ids()) == 2 and run.values("bonus") == [(1,), (1,)]
    done = run(["email", "bonus"], rows)
    assert (
        counts(tried)
        == counts(done)
        == {"total": 7, "created": 2, "updated": 2, "unchanged": 1, "rejected": 2, "repeated": 1}
    )
    taken = [("a@b.cd", "B")]
    wishes = {"matching": "custom", "field_name": "card"}
    assert (
        counts(run(["email", "card"], taken, **wishes, test_run=True))
        == counts(run(["email", "card"], taken, **wishes))
        == {"total": 1, "rejected": 1}
    )
    subscribed = {"subscriptions": [ImportSubscription(resource_id=news.id, channel=1)]}
    assert counts(run(["email"], [("a@b.cd",)], test_run=True, **subscribed)) == {"total": 1, "updated": 1}
    assert list(of_profile(run.connection, run.ids()[0])) == []


def test_a_second_run_goes_on_after_what_the_first_one_applied(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_ROWS", 10)
    rows = [(f"p{number:02d}@b.cd" if number % 10 else "nobody", number) for number in range(40)]
    task_id = run.task()

    def broken() -> Any:
        yield from rows[:25]
        raise SojournError("gone", "The source is gone.", "source")

    reader = RowsReader(["email", "bonus"], broken())
    with pytest.raises(SojournError):
        run_import(run.connection, run.clock, run.shop.id, reader, ImportOptions(), task_id=task_id, resume=True)
    done = noted_parts(run.connection, task_id)
    assert done and set(done) <= {0, 1}
    result = run(["email", "bonus"], rows, task_id=task_id, resume=True)
    assert counts(result) == {"total": 40, "created": 36, "rejected": 4}
    assert [row.line for row in list_rejections(run.connection, task_id)] == [1, 11, 21, 31]
    assert result["reasons"] == [
        {"field": "email", "column": "email", "reason": "An e-mail address is needed.", "count": 4}
    ]
    row = run.connection.execute("SELECT count(*), count(DISTINCT profile_id) FROM change").fetchone()
    assert row == (36, 36)


def test_refused_rows_come_back_as_a_file_without_formulas_that_can_be_imported_again(run: Run) -> None:
    task_id = run.task()
    header = ["e-mail", "=cmd|calc", "phone"]
    rows = [
        ("nobody", "=1+1", "+79000000001"),
        ("x", 'say "hi",\nyou', "-5"),
        ("y", "@SUM(A1)", "+cmd"),
        ("ok@b.cd", "", ""),
    ]
    mapping = {"e-mail": "email", "phone": "phones", "=cmd|calc": "_fname"}
    result = run(header, rows, mapping=mapping, task_id=task_id)
    assert (result["created"], result["rejected"]) == (1, 3)
    content = b"".join(rejections_csv(run.connection, task_id, result["header"])).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(content, newline="")))
    assert lines[0] == ["Line", "Column", "Reason", "e-mail", "'=cmd|calc", "phone"]
    assert [line[3:] for line in lines[1:]] == [
        ["nobody", "'=1+1", "+79000000001"], ["x", 'say "hi",\nyou', "-5"], ["y", "'@SUM(A1)", "'+cmd"]
    ]  # fmt: skip
    assert [line[:2] for line in lines[1:]] == [["1", "e-mail"], ["2", "e-mail"], ["3", "e-mail"]]
    found = list_rejections(run.connection, task_id, limit=2)
    assert [row.line for row in list_rejections(run.connection, task_id, after=place_of(found[-1]))] == [3]


@pytest.mark.parametrize(
    "odd", ['"', "'; DROP TABLE profile; --", "\\", "%s", "{0}", "a\x00b", "x" * 500, "\ud800", "f1", "id"]
)
def test_headings_and_values_never_reach_the_database_as_statements(run: Run, odd: str) -> None:
    header = RowsReader([odd, "email"], []).header
    wishes: dict[str, Any] = {"mapping": {header[0]: "_fname", "email": "email"}}
    result = run([odd, "email"], [(odd, "a@b.cd"), (odd, odd)], **wishes)
    assert result["created"] + result["rejected"] == 2 and len(run.ids()) <= 1
    for bad in (
        {"mapping": {header[0]: odd}},
        {"mapping": {"email": "email", header[0]: ColumnTarget(field=odd)}},
        {"constants": {odd: "x"}},
    ):
        with pytest.raises(SojournError):
            run([odd, "email"], [(odd, "a@b.cd")], **bad)
    assert Target(odd).field == odd and FileOptions().reading.decimal is None


def test_formats_that_are_none_are_refused_when_they_are_given() -> None:
    for wrong in ("%Y%Y", "%", "%q", "%j%d%j"):
        with pytest.raises(ValueError, match="format"):
            ColumnTarget(field="x", date_format=wrong)
