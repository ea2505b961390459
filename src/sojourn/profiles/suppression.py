"""Suppression lists: contacts that nobody writes to, whatever their subscriptions say. The global list holds for everybody.

Entries are kept by the MD5 of the normalised value, the form in which such lists are exchanged; the value itself stands beside it where it
is known. Patterns and erased people are the exceptions: a pattern is kept as written, an erased contact as a keyed digest.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg

from sojourn.kernel import Clock
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.profiles.contacts import parse_email, parse_phone
from sojourn.profiles.keyed_digest import keyed_digest

Connection = psycopg.Connection[Any]
KindWord = Literal["email", "phone", "domain", "pattern"]
EMAIL, PHONE, DOMAIN, PATTERN, ERASED = 1, 2, 3, 4, 5
KINDS: dict[str, int] = {"email": EMAIL, "phone": PHONE, "domain": DOMAIN, "pattern": PATTERN, "erased": ERASED}
KIND_WORDS = {number: word for word, number in KINDS.items()}
REASONS = {1: "manual", 2: "file", 3: "api", 4: "hard_bounce", 5: "complaint", 6: "erased"}
BY_HAND, BY_API, HARD_BOUNCE, COMPLAINT = 1, 3, 4, 5
MOST_AT_ONCE = 100_000
MOST_PATTERNS = 1_000
_FRESH_SECONDS = 5.0
_MD5 = re.compile(r"[0-9a-fA-F]{32}")
_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}")
_PATTERN_TEXT = re.compile(r"[^\s\x00]{2,254}")


@dataclass(frozen=True, slots=True)
class SuppressionList:
    """A list, with how many entries it has and whose databases it is linked with."""

    id: int
    name: str
    description: str
    is_global: bool
    entries: int
    database_ids: list[int]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry; `value` is None where only the digest is known."""

    kind: str
    value: str | None
    digest: str
    reason: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Added:
    """What became of values that were added."""

    total: int
    imported: int
    duplicated: int
    refused: tuple[tuple[int, str], ...]
    """Position (from 1) and value of what is none of the kind."""


_LISTS = """
SELECT l.id, l.name, l.description, l.is_global, (SELECT count(*) FROM suppression_entry e WHERE e.list_id = l.id),
       ARRAY(SELECT d.id FROM profile_database d WHERE d.suppression_list_id = l.id ORDER BY d.id), l.created_at FROM suppression_list l
"""


def list_lists(connection: Connection, *, after: int = 0, limit: int = 100) -> list[SuppressionList]:
    """Lists in the order of their numbers, the global one first made."""
    rows = connection.execute(f"{_LISTS} WHERE l.id > %s ORDER BY l.id LIMIT %s", (after, max(1, min(limit, 1_000))))
    return [SuppressionList(*row) for row in rows]


def get_list(connection: Connection, list_id: int) -> SuppressionList:
    """One list.

    Raises:
        NotFound: `unknown_suppression_list`.
    """
    row = connection.execute(f"{_LISTS} WHERE l.id = %s", (list_id if 0 < list_id < 1 << 31 else 0,)).fetchone()
    if row is None:
        raise NotFound("unknown_suppression_list", f"There is no suppression list {list_id}.", "id")
    return SuppressionList(*row)


def create_list(connection: Connection, clock: Clock, name: str, description: str = "") -> SuppressionList:
    """Make a list.

    Raises:
        SojournError: `bad_name`. Conflict: `suppression_list_exists`.
    """
    try:
        row = connection.execute(
            "INSERT INTO suppression_list (created_at, name, description) VALUES (%s, %s, %s) RETURNING id",
            (clock.now(), _name(name), description[:2_000]),
        ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise Conflict("suppression_list_exists", f"There is a suppression list “{name}” already.", "name") from None
    assert row
    return get_list(connection, row[0])


def change_list(
    connection: Connection, list_id: int, *, name: str, description: str, database_ids: Collection[int]
) -> SuppressionList:
    """Rename a list and link it with databases; a database has one list besides the global one.

    Raises:
        SojournError: `bad_name`. NotFound: `unknown_suppression_list`, `unknown_database`. Conflict: `suppression_list_exists`.
    """
    known = get_list(connection, list_id)
    wanted = sorted(set(database_ids))
    found = connection.execute("SELECT count(*) FROM profile_database WHERE id = ANY(%s)", (wanted,)).fetchone()
    if found is None or found[0] != len(wanted):
        raise NotFound("unknown_database", "One of the profile databases does not exist.", "database_ids")
    try:
        with connection.transaction():
            connection.execute(
                "UPDATE suppression_list SET name = %s, description = %s WHERE id = %s",
                (_name(name), description[:2_000], known.id),
            )
            if not known.is_global:
                connection.execute(
                    "UPDATE profile_database SET suppression_list_id = CASE WHEN id = ANY(%(ids)s) THEN %(list)s END WHERE id = ANY(%(ids)s) OR suppression_list_id = %(list)s",
                    {"ids": wanted, "list": list_id},
                )
    except psycopg.errors.UniqueViolation:
        raise Conflict("suppression_list_exists", f"There is a suppression list “{name}” already.", "name") from None
    return get_list(connection, list_id)


def delete_list(connection: Connection, list_id: int) -> None:
    """Remove a list with its entries; databases lose the link.

    Raises:
        NotFound: `unknown_suppression_list`. Conflict: `global_list`.
    """
    if get_list(connection, list_id).is_global:
        raise Conflict("global_list", "The global list cannot be removed.", "id")
    with connection.transaction():
        connection.execute(
            "UPDATE profile_database SET suppression_list_id = NULL WHERE suppression_list_id = %s", (list_id,)
        )
        connection.execute("DELETE FROM suppression_list WHERE id = %s", (list_id,))


def _name(name: str) -> str:
    if not 1 <= len(name.strip()) <= 200 or "\x00" in name:
        raise SojournError("bad_name", "A name of 1 to 200 characters is needed.", "name")
    return name.strip()


# ------------------------------------------------------------------------------------------------ entries


def md5_of(value: str) -> bytes:
    """The digest under which a normalised value is kept."""
    return hashlib.md5(value.encode(), usedforsecurity=False).digest()


def _normalised(kind: int, value: str) -> str | None:
    """A value as it is kept; None if it is none of the kind."""
    text = value.strip()
    if kind == EMAIL:
        return parse_email(text)
    if kind == PHONE:
        return parse_phone(text)
    lowered = text.lower().removeprefix("@")
    if kind == DOMAIN:
        return lowered if _DOMAIN.fullmatch(lowered) else None
    pattern = text.lower()
    return pattern if _PATTERN_TEXT.fullmatch(pattern) and "*" in pattern and pattern.strip("*") else None


def kind_of(value: str) -> KindWord:
    """What a value that was pasted without a kind is."""
    text = value.strip()
    if "*" in text:
        return "pattern"
    if "@" in text.lstrip("@"):
        return "email"
    return "phone" if re.fullmatch(r"[+()\d\s.-]+", text) else "domain"


def add_entries(
    connection: Connection, clock: Clock, list_id: int, values: Sequence[str], *, kind: KindWord | None = None, reason: int = BY_HAND
) -> Added:  # fmt: skip
    """Add values, each of the kind given or of the one it looks like; MD5 digests are taken as e-mails or phones of other systems.

    Raises:
        NotFound: `unknown_suppression_list`. SojournError: `too_many_values`, `too_many_patterns`.
    """
    get_list(connection, list_id)
    if len(values) > MOST_AT_ONCE:
        raise SojournError("too_many_values", f"At most {MOST_AT_ONCE} values at a time.", "values")
    rows: dict[tuple[int, bytes], str | None] = {}
    refused, total = [], 0
    for position, value in enumerate(values, 1):
        if not value.strip():
            continue
        total += 1
        row = _row(value, kind)
        if row is None:
            refused.append((position, value[:200]))
        else:
            rows.setdefault(row[:2], row[2])
    _bound_patterns(connection, list_id, sum(number == PATTERN for number, _ in rows))
    imported = connection.execute(
        "INSERT INTO suppression_entry (list_id, kind, added_at, reason, digest, value) SELECT %s, k, %s, %s, d, v FROM unnest(%s::smallint[], %s::bytea[], %s::text[]) x(k, d, v)"
        " ON CONFLICT DO NOTHING",
        (
            list_id,
            clock.now(),
            reason,
            [number for number, _ in rows],
            [digest for _, digest in rows],
            list(rows.values()),
        ),
    ).rowcount
    return Added(total, imported, total - imported - len(refused), tuple(refused))


def _row(value: str, kind: KindWord | None) -> tuple[int, bytes, str | None] | None:
    text = value.strip()
    if _MD5.fullmatch(text) and kind in (None, "email", "phone", "domain"):
        return KINDS[kind or "email"], bytes.fromhex(text), None
    number = KINDS[kind or kind_of(text)]
    normalised = _normalised(number, text)
    return None if normalised is None else (number, md5_of(normalised), normalised)


def _bound_patterns(connection: Connection, list_id: int, more: int) -> None:
    if not more:
        return
    row = connection.execute(
        "SELECT count(*) FROM suppression_entry WHERE list_id = %s AND kind = %s", (list_id, PATTERN)
    ).fetchone()
    if row and row[0] + more > MOST_PATTERNS:
        raise SojournError("too_many_patterns", f"A list has at most {MOST_PATTERNS} patterns.", "values")


def remove_entries(connection: Connection, list_id: int, values: Sequence[str]) -> int:
    """Take values, or digests, out of a list; tells how many were in. Who was written to before is not subscribed again by it.

    Raises:
        NotFound: `unknown_suppression_list`.
    """
    get_list(connection, list_id)
    digests = []
    for value in values[:MOST_AT_ONCE]:
        if _MD5.fullmatch(value.strip()):
            digests.append(bytes.fromhex(value.strip()))
        elif row := _row(value, None):
            digests.append(row[1])
    return connection.execute(
        "DELETE FROM suppression_entry WHERE list_id = %s AND digest = ANY(%s::bytea[])", (list_id, digests)
    ).rowcount


def list_entries(
    connection: Connection, list_id: int, *, search: str = "", after: str | None = None, limit: int = 50
) -> tuple[list[Entry], str | None]:
    """Entries, newest first, and the cursor of the next page; `search` is a whole value or digest.

    Raises:
        NotFound: `unknown_suppression_list`. SojournError: `bad_cursor`.
    """
    get_list(connection, list_id)
    limit = max(1, min(limit, 200))
    wanted: list[bytes] | None = None
    if search.strip():
        text = search.strip()
        wanted = [bytes.fromhex(text)] if _MD5.fullmatch(text) else [row[1]] if (row := _row(text, None)) else []
    at, digest = _cursor(after)
    rows = connection.execute(
        """SELECT kind, value, digest, reason, added_at FROM suppression_entry WHERE list_id = %(list)s AND (%(wanted)s::bytea[] IS NULL OR digest = ANY(%(wanted)s))
             AND (%(at)s::timestamptz IS NULL OR (added_at, digest) < (%(at)s, %(digest)s)) ORDER BY added_at DESC, digest DESC LIMIT %(limit)s""",
        {"list": list_id, "wanted": wanted, "at": at, "digest": digest, "limit": limit + 1},
    ).fetchall()
    page = [Entry(KIND_WORDS[row[0]], row[1], bytes(row[2]).hex(), REASONS[row[3]], row[4]) for row in rows[:limit]]
    more = len(rows) > limit
    return page, f"{page[-1].added_at.isoformat()}~{page[-1].digest}" if more else None


def _cursor(text: str | None) -> tuple[datetime | None, bytes | None]:
    if not text:
        return None, None
    try:
        at, _, digest = text.partition("~")
        return datetime.fromisoformat(at), bytes.fromhex(digest)
    except ValueError:
        raise SojournError("bad_cursor", "This is not a cursor of this list.", "after") from None


def export_lines(connection: Connection, list_id: int) -> Iterator[str]:
    """The list as CSV lines of kind, MD5 and reason: the form in which lists are exchanged. Patterns as they are; erased people are not told."""
    yield "kind,md5,reason\r\n"
    with connection.transaction(), connection.cursor("suppression_export") as cursor:
        cursor.itersize = 5_000
        cursor.execute(
            "SELECT kind, digest, value, reason FROM suppression_entry WHERE list_id = %s AND kind <> %s ORDER BY kind, digest",
            (list_id, ERASED),
        )
        for kind, digest, value, reason in cursor:
            shown = f'"{value}"' if kind == PATTERN else bytes(digest).hex()
            yield f"{KIND_WORDS[kind]},{shown},{REASONS[reason]}\r\n"


def suppress_globally(
    connection: Connection, at: datetime, channel_kind: int, contacts: Iterable[str], reason: int
) -> None:
    """Put contacts into the global list, in the transaction that learned of it."""
    values = sorted(set(contacts))
    connection.execute(
        "INSERT INTO suppression_entry (list_id, kind, added_at, reason, digest, value) SELECT l.id, %s, %s, %s, d, v FROM suppression_list l,"
        " unnest(%s::bytea[], %s::text[]) x(d, v) WHERE l.is_global ON CONFLICT DO NOTHING",
        (channel_kind, at, reason, [md5_of(value) for value in values], values),
    )


# ------------------------------------------------------------------------------------------------ the check before a message leaves


class Suppression:
    """Tells which contacts of a batch nobody may write to: one query a batch, none where all lists are empty."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._read = float("-inf")
        self._global = 0
        self._of_database: dict[int, int] = {}
        self._filled: frozenset[tuple[int, int]] = frozenset()
        self._patterns: dict[int, re.Pattern[str]] = {}

    def refused(self, connection: Connection, contacts: Sequence[tuple[str, int | None]], kind: int) -> set[int]:
        """Positions of contacts, given with the database of their profile, that stand in the global list or in that of their database."""
        self._refresh(connection)
        if not self._filled and not self._patterns:
            return set()
        found = set()
        asked: list[tuple[int, int, int, bytes]] = []
        for position, (contact, database_id) in enumerate(contacts):
            lists = {self._global, self._of_database.get(database_id or 0, self._global)}
            if any(self._patterns[number].fullmatch(contact) for number in lists if number in self._patterns):
                found.add(position)
                continue
            digests = {kind: md5_of(contact), ERASED: keyed_digest(self._key, contact)}
            if kind == EMAIL:
                digests[DOMAIN] = md5_of(contact.rpartition("@")[2])
            asked += [
                (position, number, one, digest)
                for number in lists
                for one, digest in digests.items()
                if (number, one) in self._filled
            ]
        if asked:
            columns = [list(column) for column in zip(*asked, strict=True)]
            rows = connection.execute(
                "SELECT DISTINCT a.n FROM unnest(%s::int[], %s::int[], %s::smallint[], %s::bytea[]) a(n, list_id, kind, digest) JOIN suppression_entry e USING (list_id, kind, digest)",
                columns,
            )
            found |= {row[0] for row in rows}
        return found

    def _refresh(self, connection: Connection) -> None:
        if time.monotonic() - self._read < _FRESH_SECONDS:
            return
        row = connection.execute("SELECT id FROM suppression_list WHERE is_global").fetchone()
        self._global = row[0] if row else 0
        self._of_database = dict(
            connection.execute(
                "SELECT id, suppression_list_id FROM profile_database WHERE suppression_list_id IS NOT NULL"
            ).fetchall()
        )
        lists = [self._global, *self._of_database.values()]
        self._filled = frozenset(
            connection.execute(
                "SELECT l, k FROM unnest(%s::int[]) l, unnest(%s::smallint[]) k WHERE EXISTS (SELECT FROM suppression_entry e WHERE e.list_id = l AND e.kind = k)",
                (lists, [EMAIL, PHONE, DOMAIN, ERASED]),
            ).fetchall()
        )
        texts: dict[int, list[str]] = {}
        for number, value in connection.execute(
            "SELECT list_id, value FROM suppression_entry WHERE kind = %s AND list_id = ANY(%s)", (PATTERN, lists)
        ):
            texts.setdefault(number, []).append(".*".join(re.escape(part) for part in value.split("*")))
        self._patterns = {number: re.compile("|".join(parts)) for number, parts in texts.items()}
        self._read = time.monotonic()
