"""Staged rows: each record with the profile it belongs to, in a temporary table of the import's connection.

First the keys alone are looked up, then the rows are copied with the profiles they found or the numbers they are to get, in the order
(lane, profile) in which all writers lock profiles. Everything later reads this one relation, on the outer side of probes of indexes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any, NamedTuple

import psycopg

from sojourn.kernel.statement import quoted
from sojourn.profiles.copy_text import array
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import Field
from sojourn.profiles.matching import Key, candidates, kinds_of, needs_lock, owns_email
from sojourn.profiles.records import Options
from sojourn.profiles.regrouping import standing
from sojourn.profiles.statuses import IDENTITY_EMAIL

OUT, CREATE, UPDATE, EXISTS, UNKNOWN = range(5)
"""Kinds of placements: refused; to be created; to be updated; left alone because the mode creates only, or updates only."""

_LOCK_SLOTS = 256
_LOCK_CLASS = 73_100_000

# With indexes for every probe, the other join methods win by estimate only: on stale statistics they read everybody for each chunk.
_PLANNER = "SET LOCAL enable_seqscan = {0}; SET LOCAL enable_hashjoin = {0}; SET LOCAL enable_mergejoin = {0};"
# Long arrays are looked up by hashing only where the planner sees them, that is not in a generic plan.
_BULK = "SET LOCAL plan_cache_mode = force_custom_plan;"

_FIXED = "seq int NOT NULL, grp smallint NOT NULL, profile_id bigint NOT NULL, lane smallint NOT NULL, kind smallint NOT NULL"
SUBSCRIPTION_COLUMNS = (
    "profile_id", "lane", "seq", "created", "resource_id", "channel", "contact", "status", "priority", "cats", "custom", "opted_in_at", "ip", "url", "consent",
)  # fmt: skip
_SUBSCRIPTIONS = """CREATE TEMP TABLE IF NOT EXISTS staged_subscription (profile_id bigint NOT NULL, lane smallint NOT NULL, seq int NOT NULL, created boolean NOT NULL,
  resource_id int NOT NULL, channel smallint NOT NULL, contact text NOT NULL, status smallint, priority smallint, cats text[], custom jsonb, opted_in_at timestamptz,
  ip text, url text, consent text) ON COMMIT DELETE ROWS; DELETE FROM staged_subscription;"""


_MANY = 1_000
_ABSENT = """SELECT k FROM unnest(%s::smallint[]) k
 WHERE NOT EXISTS (SELECT FROM identity i WHERE i.database_id = %s AND i.kind = k AND i.kind <> 1)"""


class Placement(NamedTuple):
    """Where a row belongs. `several`: more profiles than this one matched."""

    seq: int
    profile_id: int | None
    kind: int
    several: bool = False


@dataclass(frozen=True)
class Stage:
    """The temporary table for one shape of a database, and the fields that this import brings."""

    database: Database
    fields: tuple[Field, ...]

    @cached_property
    def _columns(self) -> str:
        return ", ".join(f"{quoted(field.column)} {field.sql_type}" for field in self.database.fields.values())

    @cached_property
    def table(self) -> str:
        return f"staged_{self.database.id}_{zlib.crc32(self._columns.encode())}"

    def prepare(self, connection: psycopg.Connection[Any], *, subscriptions: bool, bulk: bool) -> None:
        """Make the tables where missing and tell the planner; inside the import's transaction."""
        connection.execute(
            standing(self.database.id)
            + _PLANNER.format("off")
            + (_BULK if bulk else "")
            + f"CREATE TEMP TABLE IF NOT EXISTS {self.table} ({_FIXED}, {self._columns}) ON COMMIT DELETE ROWS; DELETE FROM {self.table};"
            + (_SUBSCRIPTIONS if subscriptions else "")
        )

    def clear(self, connection: psycopg.Connection[Any], *, subscriptions: bool = False) -> None:
        """Empty the tables between the rounds of one transaction."""
        connection.execute(f"DELETE FROM {self.table}" + ("; DELETE FROM staged_subscription" if subscriptions else ""))

    def fill(self, connection: psycopg.Connection[Any], lines: Iterable[str]) -> None:
        """Copy lines of COPY text: seq, grp, profile_id, lane, kind, then the fields."""
        columns = ", ".join(
            ["seq", "grp", "profile_id", "lane", "kind", *(quoted(field.column) for field in self.fields)]
        )
        with connection.cursor() as cursor, cursor.copy(f"COPY {self.table} ({columns}) FROM STDIN") as copy:
            copy.write("".join(lines))

    def mark_out(self, connection: psycopg.Connection[Any], seqs: Iterable[int]) -> None:
        """Take rows out of what is applied."""
        if chosen := list(seqs):
            connection.execute(f"UPDATE {self.table} SET kind = {OUT} WHERE seq = ANY(%s)", (chosen,))

    @staticmethod
    def release_planner(connection: psycopg.Connection[Any]) -> None:
        """Give the planner back its freedom, for those who come after us in the same transaction."""
        connection.execute(_PLANNER.format("DEFAULT") + "SET LOCAL plan_cache_mode = DEFAULT")


class Placing:
    """Finds the profiles of rows, and draws the numbers of new ones. Serialises the creation of one new person.

    `guessed`: the last rows were taken for new people without a look, since those before them all were. The unique index of addresses tells
    whether that is true when the rows claim theirs; if it does not hold, `place` them again with `look`.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], database: Database, options: Options, *, may_guess: bool = False
    ) -> None:
        self._connection, self._database, self._options = connection, database, options
        self._statement = self._search_without(frozenset())
        self._may_create = options.mode != "update" and options.matching != "profile_id"
        self._may_guess = may_guess and self._may_create and owns_email(options.matching)
        self._strangers_only = False
        self._address_alone = False
        self.guessed = False

    def _search_without(self, absent: frozenset[int]) -> str | None:
        options = self._options
        ways = candidates(self._database, options.matching, options.field_name, options.resource_id, absent)
        return _search(ways) if ways else None

    def _leave_out_absent(self) -> None:
        """Before many rows: don't look for each of them where the database has nothing at all, such as e-mail subscriptions."""
        kinds = [kind for kind in kinds_of(self._options.matching) if kind != IDENTITY_EMAIL]
        absent = frozenset(kind for (kind,) in self._connection.execute(_ABSENT, (kinds, self._database.id)))
        self._statement = self._search_without(absent)
        self._address_alone = absent.issuperset(kinds)

    def place(
        self, seqs: Sequence[int], keys: Sequence[Key], *, look: bool = False
    ) -> tuple[list[Placement], set[int]]:
        """The placements of rows in the order in which profiles are locked, and the rows that must wait for one of these: same profile."""
        many = len(keys) > _MANY
        if many:
            self._leave_out_absent()
        self.guessed = many and self._may_guess and self._strangers_only and self._address_alone and not look
        found = {} if self.guessed else self._find(seqs, keys)
        self._strangers_only = many and not found
        missing = [number for number, seq in enumerate(seqs) if seq not in found] if found else range(len(seqs))
        if missing and self._may_create and needs_lock(self._options.matching):
            self._lock([keys[number] for number in missing])
            # Whoever held the lock before us may have created the person: look again, now that nobody else can.
            again = self._find([seqs[number] for number in missing], [keys[number] for number in missing])
            found |= again
            missing = [number for number in missing if seqs[number] not in again]
        placements, later = self._known(found)
        strangers = [seqs[number] for number in missing]
        if self._may_create:
            placements += map(Placement, strangers, self._new_ids(len(strangers)), repeat(CREATE))
        else:
            placements += map(Placement, strangers, repeat(None), repeat(UNKNOWN))
        placements.sort(key=_lock_order)
        return placements, later

    def _known(self, found: Mapping[int, tuple[int, bool]]) -> tuple[list[Placement], set[int]]:
        kind = EXISTS if self._options.mode == "create" else UPDATE
        taken: set[int] = set()
        later: set[int] = set()
        placements = []
        for seq, (profile_id, several) in found.items():
            if kind == UPDATE and profile_id in taken:
                later.add(seq)
                continue
            taken.add(profile_id)
            placements.append(Placement(seq, profile_id, kind, several))
        return placements, later

    def _find(self, seqs: Sequence[int], keys: Sequence[Key]) -> dict[int, tuple[int, bool]]:
        """Row → profile and whether there are several, for the rows that have one, in the rows' order."""
        if self._statement is None:
            return {}
        values = {"first": _literal([key.first for key in keys]), "second": _literal([key.second for key in keys])}
        return {
            seqs[number - 1]: (profile_id, several)
            for number, profile_id, several in self._connection.execute(self._statement, values)
        }

    def _lock(self, keys: Sequence[Key]) -> None:
        # A lock for each key would overflow the server's table of locks, so keys share slots. Taken in order: no two imports wait crosswise.
        parts = {part for key in keys for part in (key.first, key.second) if part is not None}
        slots = sorted({zlib.crc32(part.encode()) % _LOCK_SLOTS for part in parts})
        self._connection.execute(
            f"SELECT pg_advisory_xact_lock({_LOCK_CLASS + self._database.id}, slot) FROM unnest(%s::int[]) WITH ORDINALITY x(slot, n) ORDER BY n",
            (slots,),
        )

    def _new_ids(self, count: int) -> list[int]:
        if not count:
            return []
        row = self._connection.execute(
            "SELECT array_agg(nextval('profile_id_seq')) FROM generate_series(1, %s)", (count,)
        ).fetchone()
        return row[0] or [] if row else []


def _lock_order(place: Placement) -> int:
    """By lane and profile; one number is compared faster than a pair."""
    profile_id = place[1] or 0
    return (profile_id & 63) << 63 | profile_id


def _search(ways: Sequence[str]) -> str:
    joins = "".join(
        f" LEFT JOIN LATERAL (SELECT min(c.profile_id) AS id, min(c.profile_id) <> max(c.profile_id) AS several FROM ({way}) c(profile_id)) w{number} ON true"
        for number, way in enumerate(ways)
    )
    found = "coalesce(" + ", ".join(f"w{number}.id" for number in range(len(ways))) + ")"
    several = (
        "CASE "
        + "".join(f"WHEN w{number}.id IS NOT NULL THEN w{number}.several " for number in range(len(ways)))
        + "END"
    )
    return (
        f"SELECT s.n::int, {found}, {several} FROM unnest(%(first)s::text[], %(second)s::text[]) WITH ORDINALITY s(key1, key2, n){joins}"
        f" WHERE {found} IS NOT NULL ORDER BY 1"
    )


def _literal(keys: Sequence[str | None]) -> str:
    """Keys as an array literal; one text is a tenth of the work of a list of parameters."""
    if not any(keys):
        return "{}"
    if None in keys:
        return "{" + ",".join("NULL" if key is None else array([key])[1:-1] for key in keys) + "}"
    joined = '","'.join(keys)  # type: ignore[arg-type]
    plain = "\\" not in joined and joined.count('"') == 2 * (len(keys) - 1)
    return '{"' + joined + '"}' if plain else array(keys)  # type: ignore[arg-type]
