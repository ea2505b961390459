"""Staged rows: what an import is about to apply, in temporary tables of its connection, and the profiles they belong to.

`staged` takes the rows as they come; `placed` holds them with the profile each belongs to, in the order (lane, profile) in which all
writers lock profiles. Everything later reads `placed` alone: one relation on the outer side of nested loops over indexes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from sojourn.kernel.statement import quoted
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import Field
from sojourn.profiles.matching import candidates, needs_lock
from sojourn.profiles.records import Options

OUT, CREATE, UPDATE, EXISTS, UNKNOWN, LATER = 0, 1, 2, 3, 4, 9
"""Kinds of placed rows: refused; to be created; to be updated; the mode creates only, or updates only; for the next round."""

_LOCK_SLOTS = 256
_LOCK_CLASS = 73_100_000

# With indexes for every probe, the other join methods win by estimate only: on stale statistics they read everybody for each chunk.
_PLANNER = "SET LOCAL enable_seqscan = {0}; SET LOCAL enable_hashjoin = {0}; SET LOCAL enable_mergejoin = {0};"
# Long arrays are looked up by hashing only where the planner sees them, that is not in a generic plan.
_BULK = "SET LOCAL plan_cache_mode = force_custom_plan;"

_STAGED = "seq int NOT NULL, grp smallint NOT NULL, key1 text, key2 text"
_PLACED = "profile_id bigint, lane smallint, kind smallint NOT NULL, several boolean NOT NULL"
SUBSCRIPTION_COLUMNS = (
    "profile_id", "lane", "seq", "created", "resource_id", "channel", "contact", "status", "priority", "cats", "custom", "opted_in_at", "ip", "url",
)  # fmt: skip
_SUBSCRIPTIONS = """CREATE TEMP TABLE IF NOT EXISTS staged_subscription (profile_id bigint NOT NULL, lane smallint NOT NULL, seq int NOT NULL, created boolean NOT NULL,
  resource_id int NOT NULL, channel smallint NOT NULL, contact text NOT NULL, status smallint, priority smallint, cats text[], custom jsonb, opted_in_at timestamptz,
  ip text, url text) ON COMMIT DELETE ROWS;"""


@dataclass(frozen=True)
class Stage:
    """The temporary tables of one shape of a database, and the fields that this import brings."""

    database: Database
    fields: tuple[Field, ...]

    @property
    def suffix(self) -> str:
        newest = max((field.id for field in self.database.fields.values()), default=0)
        return f"{self.database.id}_{newest}"

    @property
    def staged(self) -> str:
        return f"staged_{self.suffix}"

    @property
    def placed(self) -> str:
        return f"placed_{self.suffix}"

    @property
    def columns(self) -> list[str]:
        """The columns of a staged line, in order."""
        return ["seq", "grp", "key1", "key2", *(quoted(field.column) for field in self.fields)]

    def prepare(self, connection: psycopg.Connection[Any], *, subscriptions: bool, bulk: bool) -> None:
        """Make the tables where missing, empty them, and tell the planner; inside the import's transaction."""
        columns = ", ".join(f"{quoted(field.column)} {field.sql_type}" for field in self.database.fields.values())
        connection.execute(
            _PLANNER.format("off")
            + (_BULK if bulk else "")
            + f"CREATE TEMP TABLE IF NOT EXISTS {self.staged} ({_STAGED}, {columns}) ON COMMIT DELETE ROWS;"
            + f"CREATE TEMP TABLE IF NOT EXISTS {self.placed} ({_STAGED}, {columns}, {_PLACED}) ON COMMIT DELETE ROWS;"
            + (_SUBSCRIPTIONS if subscriptions else "")
        )

    def clear(self, connection: psycopg.Connection[Any]) -> None:
        """Empty the tables between the rounds of one transaction."""
        connection.execute(f"DELETE FROM {self.staged}; DELETE FROM {self.placed}")

    def fill(self, connection: psycopg.Connection[Any], lines: Iterable[str]) -> None:
        """Copy lines of COPY text into `staged`."""
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {self.staged} ({', '.join(self.columns)}) FROM STDIN") as copy,
        ):
            copy.write("".join(lines))

    def place(self, connection: psycopg.Connection[Any], options: Options) -> None:
        """Find the profile of each staged row; the numbers of new profiles are drawn here. Serialises the creation of one new person."""
        ways = candidates(self.database, options.matching, options.field_name, options.resource_id)
        statement = self._placing(ways, options)
        connection.execute(statement)
        if options.mode != "update" and needs_lock(options.matching):
            locked = connection.execute(
                f"SELECT pg_advisory_xact_lock({_LOCK_CLASS + self.database.id}, slot) FROM (SELECT DISTINCT hashtext(k) & {_LOCK_SLOTS - 1} AS slot"
                f" FROM {self.placed} s, LATERAL (VALUES (s.key1), (s.key2)) x(k) WHERE s.kind = {CREATE} AND k IS NOT NULL ORDER BY slot) x"
            )
            if locked.rowcount:
                # Whoever held the lock before us may have created the person: look again, now that nobody else can.
                connection.execute(f"DELETE FROM {self.placed}")
                connection.execute(statement)

    def _placing(self, ways: Sequence[str], options: Options) -> str:
        columns = ", ".join(self.columns)
        joins = "".join(
            f" LEFT JOIN LATERAL (SELECT min(c.profile_id) AS id, count(*) > 1 AS several FROM ({way}) c(profile_id)) w{number} ON true"
            for number, way in enumerate(ways)
        )
        found = "coalesce(" + ", ".join([f"w{number}.id" for number in range(len(ways))] + ["NULL::bigint"]) + ")"
        several = (
            "CASE " + "".join(f"WHEN w{n}.id IS NOT NULL THEN w{n}.several " for n in range(len(ways))) + "END"
            if ways
            else "false"
        )
        new = "NULL" if options.mode == "update" or options.matching == "profile_id" else "nextval('profile_id_seq')"
        absent = UNKNOWN if new == "NULL" else CREATE
        known = EXISTS if options.mode == "create" else UPDATE
        return f"""
INSERT INTO {self.placed} ({columns}, profile_id, lane, kind, several)
SELECT {columns}, id, (id & 63)::smallint, CASE WHEN found IS NULL THEN {absent} ELSE {known} END, coalesce(several, false) FROM (
  SELECT s.*, {found} AS found, {several} AS several, CASE WHEN {found} IS NULL THEN {new} ELSE {found} END AS id
    FROM {self.staged} s{joins}) x ORDER BY (id & 63), id, seq
"""

    def postpone_doubles(self, connection: psycopg.Connection[Any]) -> set[int]:
        """Leave one row for each found profile, the first; the others are for the next round."""
        rows = connection.execute(
            f"UPDATE {self.placed} s SET kind = {LATER} WHERE s.seq IN (SELECT seq FROM (SELECT seq, row_number() OVER (PARTITION BY profile_id ORDER BY seq) AS n"
            f" FROM {self.placed} WHERE kind = {UPDATE}) x WHERE n > 1) RETURNING s.seq"
        )
        return {row[0] for row in rows}

    def mark(self, connection: psycopg.Connection[Any], seqs: Iterable[int], kind: int) -> None:
        """Give some placed rows another kind."""
        if chosen := list(seqs):
            connection.execute(f"UPDATE {self.placed} SET kind = {kind} WHERE seq = ANY(%s)", (chosen,))

    @staticmethod
    def release_planner(connection: psycopg.Connection[Any]) -> None:
        """Give the planner back its freedom, for those who come after us in the same transaction."""
        connection.execute(_PLANNER.format("DEFAULT") + "SET LOCAL plan_cache_mode = DEFAULT")
