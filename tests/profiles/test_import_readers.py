# ruff: noqa: DTZ001 - workbooks know no time zones
"""Files of other formats than CSV: the same rows come out, memory and archives are bounded, and nothing broken ends as an accident."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.kernel.errors import SojournError
from sojourn.profiles import archives, sheet_reader
from sojourn.profiles.import_arguments import ReadingArguments
from sojourn.profiles.json_reader import JsonReader
from sojourn.profiles.opening_files import Named, open_files
from sojourn.profiles.reading_rows import LONGEST_ROW, Reader, RowsReader

Save = Callable[..., Path]
PEOPLE = [{"email": "a@b.cd", "name": "Ann", "bonus": 5}, {"email": "b@b.cd", "name": "Жанна", "bonus": None}]
TABLE = [["a@b.cd", "Ann", "5"], ["b@b.cd", "Жанна", ""]]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(content: bytes | str, name: str = "file") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def read(*paths: Path, **how: Any) -> Reader:
    return open_files([Named(path, path.name) for path in paths], ReadingArguments(**how))


def rows(reader: Reader, size: int = 100) -> list[list[str]]:
    try:
        return [list(row) for chunk in reader.chunks(size) for row in chunk.rows]
    finally:
        reader.close()


def workbook(*sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, content in enumerate(sheets, 1):
        sheet = book.create_sheet(f"Page {number}")
        for row in content:
            sheet.append(row)
    inner = io.BytesIO()
    book.save(inner)
    return inner.getvalue()


def zipped(**files: bytes) -> bytes:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return inner.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(PEOPLE),
        json.dumps({"meta": {"count": 2, "data": [1]}, "data": PEOPLE}, indent=2),
        "\n".join(map(json.dumps, PEOPLE)),
        "\r\n\r\n".join(json.dumps(person, ensure_ascii=False) for person in PEOPLE) + "\r\n",
        json.dumps(PEOPLE, ensure_ascii=False).encode("utf-8-sig"),
        json.dumps(PEOPLE, ensure_ascii=False, indent=1).encode("utf-16"),
    ],
)
def test_json_in_every_usual_shape_gives_the_same_rows(save: Save, content: str | bytes) -> None:
    reader = read(save(content))
    assert reader.header == ["email", "name", "bonus"]
    assert rows(reader) == TABLE


def test_what_json_nests_becomes_the_text_that_its_field_reads(save: Save) -> None:
    person = {
        "tags": ["x", "y, z"],
        "address": {"city": "Köln"},
        "orders": [{"id": 1}],
        "yes": True,
        "no": None,
        "n": 1e3,
    }
    assert rows(read(save(json.dumps([person])))) == [
        ['x,"y, z"', '{"city": "Köln"}', '[{"id": 1}]', "true", "", "1000"]
    ]


def test_large_json_is_read_in_pieces(save: Save) -> None:
    people = [{"email": f"p{number}@b.cd", "text": "ж" * 300} for number in range(5_000)]
    for content in (json.dumps(people, ensure_ascii=False), "\n".join(json.dumps(person) for person in people)):
        reader = read(save(content))
        chunks = list(reader.chunks(1_000))
        assert [len(chunk.rows) for chunk in chunks][:5] == [1_000] * 5
        assert chunks[-1].done_bytes == reader.total_bytes
        assert chunks[4].rows[-1][0] == "p4999@b.cd"


def test_a_broken_line_of_json_stops_nothing_and_a_broken_list_says_where(save: Save) -> None:
    lines = save('{"email": "a@b.cd"}\n{"email": \n[1]\n' + '{"email": "' + "x" * LONGEST_ROW + '"}\n{"email": "\\ud800"}\n{"email": "b@b.cd"}\n')  # fmt: skip
    [chunk] = list(read(lines).chunks(100))
    assert [row[0] for row in chunk.rows] == ["a@b.cd", "b@b.cd"]
    assert [(item.line, item.code) for item in chunk.rejections] == [
        (2, "bad_json"), (3, "not_an_object"), (4, "row_too_long"), (5, "bad_text"),
    ]  # fmt: skip
    for content in (
        '[{"email": "a@b.cd"}, {"email": ',
        '[{"email": "a@b.cd"}',
        '[{"email": "a@b.cd"}, nonsense]',
        "[{",
    ):
        with pytest.raises(SojournError):
            rows(read(save(content)))


@pytest.mark.parametrize("at_once", [1 << 30, 0])
def test_a_workbook_gives_its_values_as_fields_read_them(
    save: Save, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(sheet_reader, "AT_ONCE", at_once)
    content = workbook(
        [[None], ["Email", "Phone", None, "Born", "Seen", "Sum"], ["a@b.cd", 79001234567, "x", date(2001, 2, 3), datetime(2026, 1, 2, 3, 4, 5), 1.5], [None] * 6, ["b@b.cd", None, None, None, None, True]],
        [["other"], ["z"]],
    )  # fmt: skip
    reader = read(save(content, "people.anything"))
    assert reader.header == ["Email", "Phone", "Column 3", "Born", "Seen", "Sum"]
    [chunk] = list(reader.chunks(10))
    assert [list(row) for row in chunk.rows] == [
        ["a@b.cd", "79001234567", "x", "2001-02-03", "2026-01-02T03:04:05", "1.5"],
        ["b@b.cd", "", "", "", "", "true"],
    ]
    assert chunk.lines[1] - chunk.lines[0] == 2 and chunk.done_bytes == reader.total_bytes
    reader.close()
    assert rows(read(save(content), sheet="Page 2")) == [["z"]]
    assert read(save(content), sheet="Page 2", has_header=False).header == ["1"]
    with pytest.raises(SojournError, match="no sheet"):
        read(save(content), sheet="Page 3")


def test_workbooks_that_are_broken_or_too_large_are_refused(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    good = workbook([["a"], ["b"]])
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    for content in (
        good[: len(good) // 2],
        zipped(**{"xl/workbook.xml": b"<nonsense"}),
        old + b"\0" * 1_000,
        old,
        workbook([[]]),
    ):
        with pytest.raises(SojournError):
            rows(read(save(content)))
    monkeypatch.setattr(sheet_reader, "AT_ONCE", 0)
    monkeypatch.setattr(sheet_reader, "LARGEST", 100)
    with pytest.raises(SojournError, match="too large"):
        read(save(good))


def test_archives_and_several_files_are_read_as_one(save: Save) -> None:
    first, second = b"email,name\na@b.cd,Ann\n", json.dumps([{"name": "Bob", "bonus": 7}]).encode()
    packed = zipped(**{"in/one.csv": first, "__MACOSX/one.csv": b"x", "two.json": second, ".hidden": b"y"})
    tape = io.BytesIO()
    with tarfile.open(fileobj=tape, mode="w:gz") as archive:
        for name, content in (("one.csv", first), ("two.json", second)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    separate = [save(first, "one.csv"), save(second, "two.json")]
    for reader in (read(save(packed)), read(save(tape.getvalue())), read(*separate)):
        assert reader.header == ["email", "name", "bonus"]
        chunks = list(reader.chunks(100))
        assert [chunk.file for chunk in chunks] == [0, 1]
        assert rows(reader) == [["a@b.cd", "Ann", ""], ["", "Bob", "7"]]


def test_archives_are_bounded_and_leave_nothing_behind(
    save: Save, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    monkeypatch.setattr(archives.tempfile, "tempdir", str(folder))
    monkeypatch.setattr(archives, "_SMALL", 1_000)
    bomb = zipped(bomb=b"a" * 5_000_000)
    nested = zipped(inner=zipped(file=b"email\na@b.cd\n"))
    many = zipped(**{str(number): b"email\n" for number in range(archives.MOST_FILES + 1)})
    for content, code in ((bomb, "archive_too_large"), (nested, "bad_archive"), (many, "too_many_files"), (zipped(), "empty_file"), (bomb[:-30], "bad_archive")):  # fmt: skip
        with pytest.raises(SojournError) as error:
            read(save(content))
        assert error.value.code == code
    climbing = zipped(**{"../../climbed.csv": b"email\na@b.cd\n"})
    assert rows(read(save(climbing))) == [["a@b.cd"]]
    assert not (tmp_path.parent / "climbed.csv").exists() and list(folder.iterdir()) == []


def test_rows_of_queries_come_as_texts_and_unfit_ones_are_told() -> None:
    closed: list[bool] = []

    def answer() -> Any:
        try:
            yield (1, "a@b.cd", datetime(2026, 1, 2), ["x", "y"], {"k": 1})
            yield (None, None, None, None, None)
            yield (2, "nul\x00", None, None, None)
        finally:
            closed.append(True)

    reader = RowsReader(["id", "email", "email", "tags", ""], answer())
    assert reader.header == ["id", "email", "email (2)", "tags", "Column 5"]
    chunks = list(reader.chunks(1))
    assert [list(row) for chunk in chunks for row in chunk.rows] == [["1", "a@b.cd", "2026-01-02", "x,y", '{"k": 1}']]
    assert [(item.line, item.code) for chunk in chunks for item in chunk.rejections] == [(3, "bad_text")]
    reader.close()
    assert closed == [True]


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=12))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_no_json_whatever_it_holds_is_an_accident(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    for content in (json.dumps([value]), json.dumps({"a": value}), json.dumps([{"a": value}])):
        path.write_text(content)
        try:
            reader = JsonReader(path)
            for chunk in reader.chunks(2):
                for row in chunk.rows:
                    assert len(row) == len(reader.header)
                    "".join(row).encode()
        except SojournError:
            continue


@given(st.binary(max_size=400), st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"[{", b'{"data": [', b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe"]))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_no_file_whatever_it_holds_is_an_accident(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, start: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(start + content)
    try:
        rows(read(path))
    except SojournError as error:
        assert error.message
