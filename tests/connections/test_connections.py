"""Connections to real counterparts: what they give, what they refuse, and that nothing tells their secrets."""

from __future__ import annotations

from typing import Any

import paramiko
import pytest

from sojourn.connections import (
    KINDS,
    FileKind,
    RowKind,
    change_link,
    create_link,
    delete_link,
    draft,
    keep_learnt,
    link,
    list_links,
    opened,
)
from sojourn.kernel import Settings
from sojourn.kernel.errors import Conflict, SojournError
from sojourn.kernel.vault import Vault


def rows_of(settings: Settings, query: str, database: str, **values: Any) -> list[tuple[Any, ...]]:
    kind = KINDS["sql"]
    assert isinstance(kind, RowKind)
    ready = draft(kind, settings, {"system": "sqlite", "database": database}, {})
    with kind.rows(ready, query, values) as found:
        return [tuple(row) for row in found.rows]


def fetched(kind: FileKind, ready: Any, name: str) -> bytes:
    parts: list[bytes] = []
    kind.fetch(ready, name, parts.append)
    return b"".join(parts)


def test_a_query_gives_its_rows_with_bound_values(settings, sqlite_file):
    name = sqlite_file(
        "CREATE TABLE people (id integer, email text)", "INSERT INTO people VALUES (1, 'a@x.test'), (2, 'b@x.test')"
    )
    assert rows_of(settings, "SELECT email FROM people WHERE id > :cursor", name, cursor=1) == [("b@x.test",)]
    assert rows_of(settings, "SELECT :cursor || '' AS x", name, cursor="'; DROP TABLE people; --") == [
        ("'; DROP TABLE people; --",)
    ]
    assert KINDS["sql"].test(draft(KINDS["sql"], settings, {"system": "sqlite", "database": name}, {}))["tables"] == [
        "people"
    ]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT * FROM nothing", "query_failed"),
        ("DELETE FROM people", "query_failed"),
        ("", "query_failed"),
        ("SELECT :other", "query_failed"),
    ],
)
def test_a_query_that_fails_or_writes_is_refused(settings, sqlite_file, query, code):
    name = sqlite_file("CREATE TABLE people (id integer)", "INSERT INTO people VALUES (1)")
    with pytest.raises(SojournError) as caught:
        rows_of(settings, query, name)
    assert caught.value.code == code
    assert rows_of(settings, "SELECT id FROM people", name) == [(1,)]


@pytest.mark.parametrize("database", ["../secret.key", "/etc/passwd", "none.db", "shop.db?mode=rwc"])
def test_sqlite_files_are_only_those_of_the_folder(settings, sqlite_file, database):
    sqlite_file("CREATE TABLE t (id integer)")
    with pytest.raises(SojournError):
        rows_of(settings, "SELECT 1", database)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("sql", {"system": "postgresql", "host": "127.0.0.1", "database": "x"}),
        ("http", {"url": "http://127.0.0.1:9/x"}),
        ("http", {"url": "http://localhost:9/x"}),
        ("s3", {"bucket": "exports", "endpoint": "http://127.0.0.1:9", "access_key": "k"}),
        ("ftp", {"host": "127.0.0.1", "encryption": "off"}),
        ("sftp", {"host": "localhost", "user": "ann"}),
    ],
)
def test_private_networks_are_refused_by_every_kind(settings, kind, given):
    secret = {"secret_key": "secret"} if kind == "s3" else {}
    with pytest.raises(SojournError) as caught:
        KINDS[kind].test(draft(KINDS[kind], settings, given, secret))
    assert caught.value.code == "private_host"


def test_an_address_is_read_with_its_secrets_which_go_to_no_other_host(allowing, web):
    http = KINDS["http"]
    assert isinstance(http, FileKind)
    web.answers["/people.csv"] = (200, {"etag": '"1"', "content-type": "text/csv"}, b"email\na@x.test\n")
    web.answers["/old"] = (302, {"location": web.url.replace("127.0.0.1", "localhost") + "/people.csv"}, b"")
    ready = draft(http, allowing, {"url": f"{web.url}/people.csv", "headers": {"x-own": "1"}}, {"token": "very-secret"})
    assert [(one.name, one.mark) for one in http.files(ready, "*")] == [("people.csv", '"1"')]
    assert fetched(http, ready, "people.csv") == b"email\na@x.test\n"
    assert web.asked[-1][2]["Authorization"] == "Bearer very-secret"
    moved = draft(http, allowing, {"url": f"{web.url}/old"}, {"token": "very-secret"})
    assert fetched(http, moved, "x") == b"email\na@x.test\n"
    assert "Authorization" not in web.asked[-1][2]
    web.answers["/private"] = (302, {"location": "http://10.0.0.1/x"}, b"")
    for path, code in (("/none", "connection_failed"), ("/private", "private_host")):
        with pytest.raises(SojournError) as caught:
            http.test(draft(http, allowing, {"url": web.url + path}, {}))
        assert caught.value.code == code


def test_files_of_an_ftp_server_are_listed_read_moved_and_deleted(allowing, ftp):
    port, folder = ftp
    (folder / "b.csv").write_text("email\nb@x.test\n")
    (folder / "a.txt").write_text("x")
    kind = KINDS["ftp"]
    assert isinstance(kind, FileKind)
    given = {"host": "127.0.0.1", "port": port, "user": "ann", "encryption": "off"}
    ready = draft(kind, allowing, given, {"password": "secret"})
    [found] = kind.files(ready, "*.csv")
    assert (found.name, found.size) == ("b.csv", 15)
    assert fetched(kind, ready, "b.csv") == b"email\nb@x.test\n"
    kind.move(ready, "b.csv", "done")
    assert (folder / "done" / "b.csv").exists()
    kind.remove(ready, "a.txt")
    assert kind.files(ready, "*") == []
    with pytest.raises(SojournError, match="name of a file"):
        kind.fetch(ready, "../x", print)
    with pytest.raises(SojournError) as caught:
        kind.test(draft(kind, allowing, given, {"password": "wrong-password"}))
    assert "wrong-password" not in caught.value.message


def test_files_of_an_sftp_server_are_read_and_its_key_is_pinned(allowing, sftp, connection, clock):
    (sftp.folder / "b.csv").write_text("email\nb@x.test\n")
    kind = KINDS["sftp"]
    assert isinstance(kind, FileKind)
    given = {"host": "127.0.0.1", "port": sftp.port, "user": "ann"}
    made = create_link(connection, clock, Vault.of(allowing), "Depot", "sftp", given, {"password": "secret"})
    ready = opened(connection, allowing, made.id)[1]
    with pytest.raises(SojournError) as caught:
        kind.files(ready, "*")
    assert caught.value.code == "host_key_unknown"
    assert keep_learnt(connection, clock, made.id, kind.test(ready)) == {"files": ["b.csv"]}
    ready = opened(connection, allowing, made.id)[1]
    assert fetched(kind, ready, "b.csv") == b"email\nb@x.test\n"
    kind.move(ready, "b.csv", "done")
    assert (sftp.folder / "done" / "b.csv").exists()
    sftp.key = paramiko.ECDSAKey.generate()
    with pytest.raises(SojournError) as caught:
        kind.files(ready, "*")
    assert caught.value.code == "host_key_changed"


def test_files_of_a_bucket_are_listed_read_moved_and_deleted(allowing, s3):
    url, client = s3
    client.put_object(Bucket="exports", Key="daily/a.csv", Body=b"email\na@x.test\n")
    client.put_object(Bucket="exports", Key="daily/deep/c.csv", Body=b"x")
    kind = KINDS["s3"]
    assert isinstance(kind, FileKind)
    given = {"bucket": "exports", "prefix": "daily", "endpoint": url, "access_key": "key"}
    ready = draft(kind, allowing, given, {"secret_key": "secret-key"})
    assert [one.name for one in kind.files(ready, "*.csv")] == ["a.csv"]
    assert fetched(kind, ready, "a.csv") == b"email\na@x.test\n"
    kind.move(ready, "a.csv", "done")
    assert kind.files(ready, "*") == []
    keys = [one["Key"] for one in client.list_objects_v2(Bucket="exports")["Contents"]]
    assert keys == ["daily/deep/c.csv", "daily/done/a.csv"]
    with pytest.raises(SojournError):
        kind.test(draft(kind, allowing, given | {"bucket": "nobody"}, {"secret_key": "secret-key"}))


def test_secrets_are_encrypted_kept_for_the_same_place_only_and_never_told(connection, clock, settings):
    vault = Vault.of(settings)
    given = {"system": "mysql", "host": "db.example.com", "database": "shop", "user": "reader"}
    made = create_link(connection, clock, vault, "Shop", "sql", given, {"password": "very-secret"})
    assert made.has_secret and "very-secret" not in repr(made)
    stored = connection.execute("SELECT settings::text, secret FROM connection").fetchone()
    assert "very-secret" not in stored[0] and b"very-secret" not in stored[1]
    assert opened(connection, settings, made.id)[1].secret.password == "very-secret"
    change_link(connection, clock, vault, made.id, "Shop 2", given | {"query_seconds": 60}, None)
    assert opened(connection, settings, made.id)[1].secret.password == "very-secret"
    with pytest.raises(SojournError) as caught:
        change_link(connection, clock, vault, made.id, "Shop", given | {"host": "evil.example.com"}, None)
    assert caught.value.code == "secret_needed"
    assert [one.name for one in list_links(connection)] == ["Shop 2"]
    with pytest.raises(Conflict):
        create_link(connection, clock, vault, "Shop 2", "sql", given, {})
    delete_link(connection, made.id)
    with pytest.raises(SojournError):
        link(connection, made.id)


@pytest.mark.parametrize(
    ("kind", "given", "place"),
    [
        ("sql", {"system": "x y", "database": "d"}, "settings.system"),
        ("sql", {"system": "nosuchsystem", "host": "db.example.com", "port": 1, "database": "d"}, "settings.system"),
        ("sql", {"database": "host=evil"}, "settings.database"),
        ("http", {"url": "file:///etc/passwd"}, "settings.url"),
        ("http", {"url": "http://u:p@x.test/"}, "settings.url"),
        ("http", {"url": "http://x.test/", "headers": {"a": "b\r\nc: d"}}, "settings.headers"),
        ("ftp", {}, "settings.host"),
        ("s3", {"bucket": "exports", "endpoint": "ftp://x"}, "settings.endpoint"),
        ("sftp", {"host": "x", "user": "u", "more": 1}, "settings.more"),
    ],
)
def test_wrong_settings_are_told_with_their_place(settings, kind, given, place):
    with pytest.raises(SojournError) as caught:
        KINDS[kind].test(draft(KINDS[kind], settings, given, {}))
    assert caught.value.place == place
