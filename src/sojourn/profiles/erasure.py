"""Erasure of one person: everything that is kept about them goes, from all rooms, in one transaction.

What stays: that somebody was erased (number, moment, who asked), sums that were counted, and a keyed digest of each contact in the
global suppression list. The same is written to a file outside the database beforehand, so that a database restored from an older
backup forgets the person again (`replay`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from sojourn.kernel import Clock, Settings, lane_of
from sojourn.kernel.errors import NotFound
from sojourn.kernel.holdings import Text, erase_files, holdings
from sojourn.kernel.tokens import installation_key
from sojourn.profiles.databases import Database, database
from sojourn.profiles.importing import in_transaction
from sojourn.profiles.keyed_digest import keyed_digest
from sojourn.profiles.profile import delete_profile
from sojourn.profiles.statuses import CAUSE_SYSTEM

Connection = psycopg.Connection[Any]
JOURNAL = "erasures.jsonl"
_ERASED, _REASON_ERASED = 5, 6
"""Kind and reason of the entries in the global suppression list."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is to be forgotten: the profile with those that were merged into it, and their contacts."""

    database_id: int
    ids: tuple[int, ...]
    contacts: tuple[str, ...]

    @property
    def values(self) -> dict[str, Any]:
        """What the statements of erasers may name: `ids`, `lanes`, `contacts`, `database`."""
        return {
            "ids": list(self.ids),
            "lanes": sorted({lane_of(number) for number in self.ids}),
            "contacts": list(self.contacts),
            "database": self.database_id,
        }


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the preview."""

    code: str
    title: Text
    count: int


_SUBSCRIPTION_CONTACTS = "SELECT DISTINCT contact FROM subscription WHERE lane = ANY(%(lanes)s::smallint[]) AND profile_id = ANY(%(ids)s::bigint[])"
_MERGED = """
WITH RECURSIVE merged AS (
  SELECT %(id)s::bigint AS id UNION SELECT a.profile_id FROM merged m JOIN profile_alias a ON a.survivor_id = m.id)
SELECT id FROM merged
"""


def person(connection: Connection, base: Database, profile_id: int) -> Person:
    """The person behind a profile.

    Raises:
        NotFound: `unknown_profile`.
    """
    row = connection.execute(
        f'SELECT email, phones FROM "{base.table}" WHERE lane = %s AND id = %s', (lane_of(profile_id), profile_id)
    ).fetchone()
    if row is None:
        raise NotFound("unknown_profile", "There is no such profile.", "profile_id")
    ids = tuple(sorted(number for (number,) in connection.execute(_MERGED, {"id": profile_id})))
    known = Person(base.id, ids, ())
    contacts = {contact for (contact,) in connection.execute(_SUBSCRIPTION_CONTACTS, known.values)}
    contacts |= {value for value in (row[0], *(row[1] or ())) if value}
    return Person(base.id, ids, tuple(sorted(contacts)))


def preview(connection: Connection, base: Database, profile_id: int) -> list[Part]:
    """What an erasure would remove, by kind; kinds of which there is nothing are left out.

    Raises:
        NotFound: `unknown_profile`.
    """
    wanted = person(connection, base, profile_id)
    parts = []
    for holding in holdings():
        row = connection.execute(holding.count, wanted.values).fetchone()
        if row and row[0]:
            parts.append(Part(holding.code, holding.title, int(row[0])))
    return parts


def erase(
    connection: Connection, clock: Clock, settings: Settings, base: Database, profile_id: int, *, user_id: int | None = None
) -> int:  # fmt: skip
    """Forget a person; tells how many things were removed.

    Raises:
        NotFound: `unknown_profile`. Unavailable: `database_busy`.
    """
    wanted = person(connection, base, profile_id)
    digests = [keyed_digest(installation_key(settings.data), contact) for contact in wanted.contacts]
    at = clock.now()
    _note(settings, at, base.id, profile_id, digests)
    return in_transaction(connection, lambda: _erase(connection, clock, at, base, profile_id, wanted, digests, user_id))


def _erase(
    connection: Connection, clock: Clock, at: datetime, base: Database, profile_id: int, wanted: Person, digests: Sequence[bytes], user_id: int | None
) -> int:  # fmt: skip
    delete_profile(connection, clock, base, profile_id, cause=CAUSE_SYSTEM)
    removed = 1
    for holding in holdings():
        for statement in holding.remove:
            removed += connection.execute(statement, wanted.values).rowcount
    connection.execute(
        "INSERT INTO suppression_entry (list_id, kind, added_at, reason, digest) SELECT l.id, %s, %s, %s, d FROM suppression_list l, unnest(%s::bytea[]) d"
        " WHERE l.is_global ON CONFLICT DO NOTHING",
        (_ERASED, at, _REASON_ERASED, list(digests)),
    )
    connection.execute(
        "INSERT INTO erasure (at, profile_id, database_id, by_user, digests) VALUES (%s, %s, %s, %s, %s)",
        (at, profile_id, base.id, user_id, list(digests)),
    )
    return removed


def journal(settings: Settings) -> Path:
    """The file of erasures. Keep it with the newest backup, never go back to an older one."""
    return settings.data / JOURNAL


def _note(settings: Settings, at: datetime, database_id: int, profile_id: int, digests: Sequence[bytes]) -> None:
    """Write to the journal before anything is removed: what is written twice is harmless, what is missing is not."""
    entry = {
        "at": at.isoformat(),
        "database": database_id,
        "profile": profile_id,
        "digests": [digest.hex() for digest in digests],
    }
    descriptor = os.open(journal(settings), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
        file.flush()
        os.fsync(file.fileno())


def replay(connection: Connection, clock: Clock, settings: Settings) -> int:
    """Erase again whom the journal names and the database still knows, as after a restore; tells how many.

    A person is found by the profile's number only if the profile still has one of the contacts (as keyed digests), since numbers
    that were drawn after the backup are drawn again.
    """
    path = journal(settings)
    if not path.exists():
        return 0
    key = installation_key(settings.data)
    again = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the last line of a host that lost its power
        if connection.execute(
            "SELECT 1 FROM erasure WHERE profile_id = %s AND at = %s", (entry["profile"], entry["at"])
        ).fetchone():
            continue
        again += _erase_again(connection, clock, settings, key, entry)
    return again


def _erase_again(
    connection: Connection, clock: Clock, settings: Settings, key: bytes, entry: Mapping[str, Any]
) -> bool:
    try:
        base = database(connection, int(entry["database"]))
        wanted = person(connection, base, int(entry["profile"]))
    except NotFound:
        return False
    known = set(entry["digests"])
    digests = [keyed_digest(key, contact) for contact in wanted.contacts]
    if known and not known & {digest.hex() for digest in digests}:
        return False
    at = datetime.fromisoformat(entry["at"])
    in_transaction(
        connection,
        lambda: _erase(connection, clock, at, base, int(entry["profile"]), wanted, digests, None),
    )
    erase_files(connection, settings, base.id)
    return True
