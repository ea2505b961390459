"""CSV files: read whatever they are, imported by the same rules as single records, every refused row told with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.kernel import SojournError, VirtualClock
from sojourn.profiles import Database, Resource, change_sets, of_profile, staging
from sojourn.profiles import row_import as module
from sojourn.profiles.column_mapping import guess_mapping
from sojourn.profiles.csv_import import FileOptions, Report, SubscribeAll, import_csv
from sojourn.profiles.csv_reader import CsvReader
from sojourn.profiles.reading_rows import LONGEST_ROW
from sojourn.profiles.records import Options
from sojourn.profiles.statuses import CAUSE_FILE
from tests.profiles.together import together

Connection = psycopg.Connection[Any]
FILE = Options(cause=CAUSE_FILE, source="file")


class Run:
    """Imports texts as files and keeps what was refused."""

    def __init__(self, connection: Connection, clock: VirtualClock, shop: Database, folder: Path) -> None:
        self.connection, self.clock, self.shop, self.folder = connection, clock, shop, folder
        self.refused: list[tuple[int, str | None, str]] = []

    def __call__(self, content: str | bytes, **options: Any) -> Report:
        path = self.folder / "people.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.refused = []
        return import_csv(
            self.connection,
            self.clock,
            self.shop,
            path,
            FileOptions(**options),
            reject=lambda line, field, reason, text: self.refused.append((line, field, reason)),
        )

    def rows(self, *names: str) -> list[tuple[Any, ...]]:
        columns = ", ".join(self.shop.field(name).column for name in names)
        return self.connection.execute(f"SELECT {columns} FROM {self.shop.table} ORDER BY email, id").fetchall()


@pytest.fixture
def run(connection: Connection, clock: VirtualClock, shop: Database, tmp_path: Path) -> Run:
    return Run(connection, clock, shop, tmp_path)


def test_a_file_makes_profiles_and_the_same_file_again_changes_nothing(run: Run) -> None:
    content = 'Email,Имя,Bonus,Level,Телефон,Likes,Date of birth\nA@b.cd,Ann,5,gold,+79000000001,"x, y",2001-02-03\nb@b.cd,"O""Neil, \nJr",,,,,\n'
    assert run(content) == Report(total=2, created=2)
    assert run.rows("email", "_fname", "bonus", "level", "phones", "likes")[0] == (
        "a@b.cd",
        "Ann",
        5,
        "gold",
        ["+79000000001"],
        ["x", "y"],
    )
    assert run.rows("email", "_fname", "bonus")[1] == ("b@b.cd", 'O"Neil, \nJr', None)
    assert run(content) == Report(total=2, unchanged=2)
    assert run.connection.execute("SELECT kind, cause, count(*) FROM change GROUP BY 1, 2").fetchall() == [
        (1, CAUSE_FILE, 2)
    ]


def test_empty_cells_leave_or_clear(run: Run) -> None:
    run("email,bonus,_fname\na@b.cd,5,Ann\n")
    assert run("email,bonus,_fname\na@b.cd,,\n") == Report(total=1, unchanged=1)
    assert run("email,bonus,_fname\na@b.cd,,\n", clear_empty=frozenset({"bonus"})) == Report(total=1, updated=1)
    assert run.rows("bonus", "_fname") == [(None, "Ann")]


def test_repeated_people_are_applied_one_after_the_other(run: Run) -> None:
    assert run("email,bonus,_fname\na@b.cd,1,Ann\nA@b.cd,2,\na@b.cd,,Anna\na@b.cd,2,Anna\n") == Report(
        total=4, created=1, updated=2, unchanged=1, repeated=3
    )
    assert run.rows("bonus", "_fname") == [(2, "Anna")]
    only_new = Options(mode="create", cause=CAUSE_FILE, source="file")
    assert run("email,bonus\na@b.cd,9\nc@b.cd,1\nc@b.cd,2\n", options=only_new) == Report(
        total=3, created=1, skipped=2, repeated=1
    )
    only_known = Options(mode="update", cause=CAUSE_FILE, source="file")
    assert run("email,bonus\nc@b.cd,9\nd@b.cd,1\nd@b.cd,2\n", options=only_known) == Report(
        total=3, updated=1, skipped=2, repeated=1
    )
    assert run.rows("email", "bonus") == [("a@b.cd", 2), ("c@b.cd", 9)]


def test_every_row_that_does_not_fit_is_told_and_the_others_go_in(run: Run) -> None:
    lines = [
        b"email,bonus,_fname", b"a@b.cd,1,A", b"b@b.cd,many,B", b"nobody,1,C", b",1,D", b"c@b.cd,1", b"d@b.cd,1,D,extra", b'e@b.cd,1,"open', b"f@b.cd,1,F", b'g@b.cd,1,"x"y',
        b"h@b.cd,1,nu\x00l", b"i@b.cd,1,\xff\xfe", b"", b'j@b.cd,1,5" pipe', b"k@b.cd,1,K",
    ]  # fmt: skip
    report = run(b"\r\n".join(lines) + b"\r\n", encoding="utf-8")
    assert [email for (email,) in run.rows("email")] == ["a@b.cd", "f@b.cd", "j@b.cd", "k@b.cd"]
    assert sorted(line for line, _, _ in run.refused) == [3, 4, 5, 6, 7, 8, 10, 11, 12]
    by_line = {line: (field, reason) for line, field, reason in run.refused}
    assert by_line[3] == ("bonus", "A whole number is needed.") and by_line[4][0] == "email"
    assert (
        "2 cells instead of 3" in by_line[6][1]
        and "not closed" in by_line[8][1]
        and "NUL" in by_line[11][1]
        and "not valid utf-8" in by_line[12][1]
    )
    assert report == Report(total=13, created=4, rejected=9)


def test_a_line_of_more_than_a_megabyte_is_refused_and_the_import_goes_on(run: Run) -> None:
    for huge in ("x" * (LONGEST_ROW + 10), "x" * (LONGEST_ROW * 5)):
        content = f"email,_fname\na{len(huge)}@b.cd,A\nb@b.cd,{huge}\nc{len(huge)}@b.cd,C\n"
        report = run(content)
        assert (report.created, report.rejected) == (2, 1)
        [(line, _, reason)] = run.refused
        assert line == 3 and "longer than" in reason


def test_a_quote_that_is_never_closed_takes_no_other_row_with_it(run: Run) -> None:
    people = "".join(f"p{number}@b.cd,Name {number}\n" for number in range(60_000))
    report = run(f'email,_fname\nbad@b.cd,"open\n{people}')
    assert (report.created, report.rejected) == (60_000, 1)
    assert run.refused[0][0] == 2


def test_rejections_are_kept_under_their_task(run: Run) -> None:
    row = run.connection.execute(
        "INSERT INTO background_task (created_at, kind, title) VALUES (%s, 'import', 'x') RETURNING id",
        (run.clock.now(),),
    ).fetchone()
    assert row
    run("email,bonus\na@b.cd,1\nx\ty,2\nb@b.cd,z\n", task_id=row[0], delimiter=",")
    kept = run.connection.execute(
        "SELECT line, field, row_text FROM import_rejection WHERE task_id = %s ORDER BY line", (row[0],)
    ).fetchall()
    assert kept == [(3, "email", "x\ty,2"), (4, "bonus", "b@b.cd,z")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_are_recognised(run: Run, encoding: str, delimiter: str) -> None:
    rows = [["Почта", "Имя", "Город"], ["a@b.cd", "Жанна", "Тверь"], ["b@b.cd", "Ян", "Уфа"]]
    assert run("\n".join(delimiter.join(row) for row in rows).encode(encoding)).created == 2
    assert run.rows("_fname", "_city") == [("Жанна", "Тверь"), ("Ян", "Уфа")]


def test_headings_are_understood_in_both_languages(shop: Database) -> None:
    header = ["E-mail", "First name", "фамилия", "Phone number", "BONUS", "Card", "Дата рождения", "Nonsense", "email"]
    assert guess_mapping(shop, header) == {
        "E-mail": "email", "First name": "_fname", "фамилия": "_lname", "Phone number": "phones", "BONUS": "bonus", "Card": "card", "Дата рождения": "_bdate",
    }  # fmt: skip


def test_what_cannot_work_is_refused_before_anything_is_read(run: Run) -> None:
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("", {}, "empty_file"), ("a,b\n1,2\n", {}, "nothing_mapped"), ("name,bonus\nx,1\n", {}, "matching_key_missing"), ("email\na@b.cd\n", {"mapping": {"x": "email"}}, "unknown_column"),
        ("email\na@b.cd\n", {"mapping": {"email": "x"}}, "unknown_field"), ("a,b\n1,2\n", {"mapping": {"a": "email", "b": "email"}}, "field_twice"),
        ("email\na@b.cd\n", {"encoding": "ebcdic"}, "unknown_encoding"), ("email\na@b.cd\n", {"delimiter": "::"}, "unknown_delimiter"),
        ("email\na@b.cd\n", {"subscribe": SubscribeAll(99)}, "unknown_resource"),
    ]  # fmt: skip
    for content, options, code in cases:
        with pytest.raises(SojournError) as error:
            run(content, **options)
        assert error.value.code == code


def test_files_match_by_other_keys(run: Run) -> None:
    run("email,phone,card\na@b.cd,+79000000001,A\nb@b.cd,+79000000002,B\n")
    ids = [row[0] for row in run.connection.execute(f"SELECT id FROM {run.shop.table} ORDER BY email")]
    for number, (content, options) in enumerate([
        ("phone,bonus\n8 900 000-00-01,{0}\n+79000000002,{0}\n", {"options": Options(matching="phone", source="file"), "phone_region": "RU"}),
        ("card,bonus\nA,{0}\nB,{0}\n", {"options": Options(matching="custom", field_name="card", source="file")}),
        (f"profile_id,bonus\n{ids[0]:024x},{{0}}\n{ids[1]:024x},{{0}}\n", {"options": Options(matching="profile_id", source="file")}),
        ("email,phone,bonus\na@b.cd,,{0}\n,+79000000002,{0}\n", {"options": Options(matching="email_phone", source="file")}),
    ]):  # fmt: skip
        assert run(content.format(number), **options) == Report(total=2, updated=2)
        assert run.rows("bonus") == [(number,), (number,)]


def test_with_two_keys_rows_that_share_one_follow_each_other(run: Run) -> None:
    both = Options(matching="email_phone", source="file")
    report = run(
        "email,phone,bonus\na@b.cd,+79000000001,1\n,+79000000001,2\na@b.cd,,3\nc@b.cd,+79000000003,4\n", options=both
    )
    assert report == Report(total=4, created=2, updated=2, repeated=2)
    assert run.rows("email", "bonus") == [("a@b.cd", 3), ("c@b.cd", 4)]


def test_rows_subscribe_by_their_contacts(run: Run, news: Resource) -> None:
    wanted = SubscribeAll(news.id, (1, 2), status=4)
    assert run("email,phone\na@b.cd,+79000000001\nb@b.cd,\n", subscribe=wanted).created == 2
    [(first,), (second,)] = run.connection.execute(f"SELECT id FROM {run.shop.table} ORDER BY email").fetchall()
    assert [(s.channel, s.contact, s.status, s.preferred) for s in of_profile(run.connection, first)] == [
        (1, "a@b.cd", 4, True),
        (2, "+79000000001", 4, True),
    ]
    assert [s.contact for s in of_profile(run.connection, second)] == ["b@b.cd"]
    assert run("email,phone\na@b.cd,+79000000001\nb@b.cd,\n", subscribe=wanted) == Report(total=2, unchanged=2)
    assert run("email\na@b.cd\n", subscribe=SubscribeAll(news.id, (1,), status=0)) == Report(total=1, updated=1)


def test_chunks_tell_their_progress_and_can_be_stopped(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "CHUNK_ROWS", 100)
    path = tmp_path / "many.csv"
    path.write_text("email\n" + "".join(f"p{number}@b.cd\n" for number in range(1_000)))
    seen: list[tuple[int, int, int]] = []
    report = import_csv(
        run.connection,
        run.clock,
        run.shop,
        path,
        FileOptions(),
        progress=lambda *state: seen.append(state),
        cancelled=lambda: len(seen) >= 3,
    )
    assert report.cancelled and 300 <= report.total <= 500 and run.rows("email")[0]
    assert [state[0] for state in seen] == sorted(state[0] for state in seen) and all(
        state[1] == path.stat().st_size for state in seen
    )
    assert import_csv(run.connection, run.clock, run.shop, path, FileOptions()).total == 1_000
    assert len(run.rows("email")) == 1_000


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Small chunks, one after the other; tells of each time rows were placed whether that was without a look."""
    monkeypatch.setattr(module, "CHUNK_ROWS", 10)
    monkeypatch.setattr(module, "APPLIERS", 1)
    monkeypatch.setattr(staging, "_MANY", 5)
    guesses: list[bool] = []
    place = staging.Placing.place

    def noted(self: staging.Placing, *args: Any, **named: Any) -> Any:
        placed = place(self, *args, **named)
        guesses.append(self.guessed)
        return placed

    monkeypatch.setattr(staging.Placing, "place", noted)
    return guesses


def test_after_a_chunk_of_strangers_the_next_one_is_only_looked_up_if_somebody_in_it_is_known(
    run: Run, news: Resource, looks: list[bool]
) -> None:
    head = "email,bonus\n"
    assert run(head + "".join(f"p{number}@b.cd,1\n" for number in range(24, 30))).created == 6
    looks.clear()
    everybody = [f"p{number:02}@b.cd" for number in range(40)]
    content = head + "".join(f"{email},2\n" for email in everybody)
    report = run(content, subscribe=SubscribeAll(news.id, (1,)))
    assert report == Report(total=40, created=34, updated=6)
    assert looks == [False, True, True, False, False]
    assert run.rows("email", "bonus") == [(email, 2) for email in everybody]
    counts = run.connection.execute(
        "SELECT (SELECT count(*) FROM identity WHERE kind = 1), (SELECT count(*) FROM subscription)"
    )
    assert counts.fetchone() == (40, 40)


def test_the_same_strangers_in_two_files_at_once_become_one_profile_each(
    run: Run, database_url: str, looks: list[bool]
) -> None:
    content = "email,bonus\n" + "".join(f"p{number:02}@b.cd,1\n" for number in range(60))
    reports: list[Report] = []
    path = run.folder / "both.csv"
    path.write_text(content)

    def work(mine: Connection, _: int) -> None:
        reports.append(import_csv(mine, run.clock, run.shop, path, FileOptions()))

    together(database_url, 2, work)
    assert sum(report.created for report in reports) == 60 == sum(report.unchanged for report in reports)
    assert len(run.rows("email")) == 60


def test_change_sets_of_files_reach_the_triggers(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []

    class Watcher:
        def wanted(self, connection: Connection, database_id: int, source: str) -> bool:
            return source == "file"

        def consume(self, connection: Connection, at: Any, database_id: int, source: str) -> None:
            seen.extend(connection.execute("SELECT kind, count(*) FROM change_set GROUP BY kind").fetchall())

    monkeypatch.setattr(change_sets, "_hooks", [Watcher()])
    run("email,bonus\na@b.cd,1\nb@b.cd,1\n")
    run("email,bonus\na@b.cd,2\nb@b.cd,1\nc@b.cd,1\n")
    run("email,bonus\nd@b.cd,2\n", options=Options(skip_triggers=True, source="file"))
    assert seen == [(1, 2), (1, 1), (2, 1)] or seen == [(1, 2), (2, 1), (1, 1)]


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r\n\ufffd\ufeff"), max_size=8)


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=20), st.sampled_from([",", ";", "\t"]), st.booleans())
@settings(max_examples=200, deadline=None)
def test_what_the_standard_writer_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], delimiter: str, quote_all: bool
) -> None:
    import csv

    path = tmp_path_factory.getbasetemp() / "round.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL)
        writer.writerow(["a", "b", "c"])
        writer.writerows(rows)
    read = [tuple(row) for chunk in CsvReader(path, encoding="utf-8").chunks(7) for row in chunk.rows]
    assert read == [row for row in rows if any(row)]


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_file_whatever_is_in_it_stops_the_reader(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(b"a,b\n" + content)
    lines = content.count(b"\n") + 1
    for chunk in CsvReader(path, encoding="utf-8").chunks(3):
        assert all(len(row) == 2 for row in chunk.rows) and all(2 <= r.line <= lines + 1 for r in chunk.rejections)
