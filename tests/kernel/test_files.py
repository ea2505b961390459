"""The store of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from sojourn.kernel.errors import NotFound, SojournError, TooLarge
from sojourn.kernel.files import FileStore


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def test_a_stored_file_is_read_back_by_its_key(store: FileStore) -> None:
    key = store.save([b"one,", b"two\n"], limit=100, suffix=".csv")
    assert key.endswith(".csv")
    with store.open(key) as file:
        assert file.read() == b"one,two\n"


def test_a_file_that_is_too_large_leaves_nothing_behind(store: FileStore, tmp_path: Path) -> None:
    taken = []

    def endless():  # type: ignore[no-untyped-def]
        while True:
            taken.append(1)
            yield b"x" * 1000

    with pytest.raises(TooLarge, match="larger than 2500 bytes"):
        store.save(endless(), limit=2500)
    assert len(taken) == 3, "reading goes on after the limit"
    assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


def test_an_upload_that_breaks_off_leaves_nothing_behind(store: FileStore, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError), store.create(limit=100) as writer:
        writer.write(b"half")
        raise ConnectionError
    assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


def test_a_deleted_file_is_unknown_and_deleting_it_again_is_harmless(store: FileStore) -> None:
    key = store.save([b"x"], limit=10)
    store.delete(key)
    store.delete(key)
    with pytest.raises(NotFound):
        store.open(key)


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "a/b", "0" * 32 + ".c/v", "0" * 32 + "\n"])
def test_what_is_no_key_never_becomes_a_path(store: FileStore, key: str) -> None:
    with pytest.raises(SojournError, match="not the key of a file"):
        store.open(key)
