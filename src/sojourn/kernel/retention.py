"""How long each kind of data is kept. Owners of tables register what they keep; what is past its period goes in the background.

Tables by month lose whole months at once; of a month that is only partly past, and of tables without months, rows go page by
page in the order in which they lie, so that no index is needed and nobody waits for a long statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import psycopg
from psycopg import sql

from sojourn.kernel.clock import Clock
from sojourn.kernel.errors import NotFound, SojournError

Connection = psycopg.Connection[Any]
Text = Mapping[Literal["en", "ru"], str]
LONGEST_DAYS = 36_500
_PAGES = 512
_COUNT_PATIENCE = "2s"
_LOCK_PATIENCE = "2s"
_AGAIN = timedelta(hours=6)
_BOUND = re.compile(r"FROM \('(?P<lower>[^']+)'\) TO \('(?P<upper>[^']+)'\)")


@dataclass(frozen=True, slots=True)
class Effect:
    """What a period would take away now: rows (or files), and whether the number is exact or an estimate."""

    rows: int
    exact: bool


class Store(Protocol):
    """Where data of one kind lie."""

    def effect(self, connection: Connection, before: datetime) -> Effect:
        """What is older than `before`."""
        ...

    def forget(self, connection: Connection, before: datetime, stop: Callable[[], bool]) -> int:
        """Remove what is older than `before`, in short transactions, until done or `stop()`; tells how many rows went."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of data. `loses` says in one sentence what nobody can see or ask any more once it is gone."""

    code: str
    title: Text
    loses: Text
    stores: tuple[Store, ...]
    least_days: Callable[[Connection], int] = lambda connection: 1
    """How many days must be kept for the product to work as configured now."""


@dataclass(frozen=True, slots=True)
class Period:
    """A kind with its period; `days` None: kept for ever. `forgotten` and `done_at`: the last clearing."""

    kind: Kind
    days: int | None
    done_at: datetime | None
    forgotten: int | None


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Offer a kind of data; a second one of the same code takes its place."""
    _kinds[kind.code] = kind


def kind_of(code: str) -> Kind:
    """A kind of data.

    Raises:
        NotFound: `unknown_retention_kind`.
    """
    if code not in _kinds:
        raise NotFound("unknown_retention_kind", f"There is no kind of data “{code}”.", "kind")
    return _kinds[code]


def periods(connection: Connection) -> list[Period]:
    """All kinds with their periods."""
    rows = connection.execute("SELECT kind, days, done_at, forgotten FROM retention_period").fetchall()
    known = {row[0]: row[1:] for row in rows}
    return [Period(kind, *known.get(code, (None, None, None))) for code, kind in _kinds.items()]


def effect(connection: Connection, clock: Clock, code: str, days: int) -> Effect:
    """What the period of `days` would take away now.

    Raises:
        NotFound: `unknown_retention_kind`. SojournError: `bad_period`.
    """
    kind = kind_of(code)
    before = clock.now() - timedelta(days=_checked(connection, kind, days))
    parts = [store.effect(connection, before) for store in kind.stores]
    return Effect(sum(part.rows for part in parts), all(part.exact for part in parts))


def set_period(
    connection: Connection, clock: Clock, code: str, days: int | None, *, user_id: int | None = None
) -> None:
    """Keep data of a kind for `days` from now on; None: for ever. What is past it goes within hours, or by `clear`.

    Raises:
        NotFound: `unknown_retention_kind`. SojournError: `bad_period`.
    """
    kind = kind_of(code)
    if days is None:
        connection.execute("DELETE FROM retention_period WHERE kind = %s", (code,))
        return
    connection.execute(
        "INSERT INTO retention_period (kind, days, changed_at, changed_by) VALUES (%s, %s, %s, %s) ON CONFLICT (kind) DO UPDATE"
        " SET days = excluded.days, changed_at = excluded.changed_at, changed_by = excluded.changed_by, done_at = NULL",
        (code, _checked(connection, kind, days), clock.now(), user_id),
    )


def _checked(connection: Connection, kind: Kind, days: int) -> int:
    least = kind.least_days(connection)
    if not least <= days <= LONGEST_DAYS:
        raise SojournError("bad_period", f"A period has {least} to {LONGEST_DAYS} days.", "days")
    return days


def clear(connection: Connection, clock: Clock, stop: Callable[[], bool] = lambda: False) -> int:
    """Remove what is past its period, of kinds that were not cleared in the last hours; tells how many rows went."""
    total = 0
    for period in periods(connection):
        if period.days is None or (period.done_at and clock.now() - period.done_at < _AGAIN):
            continue
        before = clock.now() - timedelta(days=max(period.days, period.kind.least_days(connection)))
        gone = 0
        for store in period.kind.stores:
            gone += store.forget(connection, before, stop)
        total += gone
        if stop():
            break
        connection.execute(
            "UPDATE retention_period SET done_at = %s, forgotten = %s WHERE kind = %s",
            (clock.now(), gone, period.kind.code),
        )
    return total


@dataclass(frozen=True, slots=True)
class PlainTable:
    """A table without partitions; `moment` is its column. Rows that the condition `also` leaves out are kept."""

    table: str
    moment: str
    also: str = "true"

    def effect(self, connection: Connection, before: datetime) -> Effect:
        """See `Store`."""
        return _count(connection, self.table, self.moment, before, self.also)

    def forget(self, connection: Connection, before: datetime, stop: Callable[[], bool]) -> int:
        """See `Store`."""
        return _forget_pages(connection, self.table, self.moment, before, stop, self.also)


@dataclass(frozen=True, slots=True)
class MonthlyTable:
    """A table that is partitioned by month of the column `moment`."""

    table: str
    moment: str

    def effect(self, connection: Connection, before: datetime) -> Effect:
        """See `Store`."""
        parts = []
        for name, lower, upper in self._partitions(connection):
            if lower is None or lower < before:
                whole = upper is not None and upper <= before
                parts.append(_estimate(connection, name) if whole else _count(connection, name, self.moment, before))
        return Effect(sum(part.rows for part in parts), all(part.exact for part in parts))

    def forget(self, connection: Connection, before: datetime, stop: Callable[[], bool]) -> int:
        """See `Store`."""
        gone = 0
        for name, lower, upper in self._partitions(connection):
            if stop():
                break
            if upper is not None and upper <= before:
                gone += _drop(connection, name)
            elif lower is None or lower < before:
                gone += _forget_pages(connection, name, self.moment, before, stop)
        return gone

    def _partitions(self, connection: Connection) -> Sequence[tuple[str, datetime | None, datetime | None]]:
        """Name and bounds of each part; the default part has none."""
        rows = connection.execute(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = %s::regclass ORDER BY 1",
            (self.table,),
        ).fetchall()
        found = []
        for name, bound in rows:
            limits = _BOUND.search(bound)
            found.append(
                (name, _moment(limits["lower"]) if limits else None, _moment(limits["upper"]) if limits else None)
            )
        return found


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text if re.search(r"[+-]\d\d(:?\d\d)?$", text) else text + "+00:00")


def _estimate(connection: Connection, table: str) -> Effect:
    row = connection.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", (table,)).fetchone()
    if row and row[0] >= 0:
        return Effect(int(row[0]), False)
    counted = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return Effect(counted[0] if counted else 0, True)


def _count(connection: Connection, table: str, moment: str, before: datetime, also: str = "true") -> Effect:
    """An exact count if it is quick, else as many rows as the table has."""
    statement = sql.SQL("SELECT count(*) FROM {} WHERE {} < %s AND ({})").format(
        sql.Identifier(table),
        sql.Identifier(moment),
        sql.SQL(also),
    )
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL statement_timeout = '{_COUNT_PATIENCE}'")
            row = connection.execute(statement, (before,)).fetchone()
            return Effect(row[0] if row else 0, True)
    except psycopg.errors.QueryCanceled:
        return _estimate(connection, table)


def _drop(connection: Connection, partition: str) -> int:
    size = _estimate(connection, partition).rows
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_PATIENCE}'")
            connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(partition)))
    except psycopg.errors.LockNotAvailable:
        return 0  # the table is busy: the next round tries again
    return size


def _forget_pages(
    connection: Connection, table: str, moment: str, before: datetime, stop: Callable[[], bool], also: str = "true"
) -> int:
    row = connection.execute(
        "SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::int", (table,)
    ).fetchone()
    pages = int(row[0]) if row else 0
    statement = sql.SQL("DELETE FROM {} WHERE ctid >= %s::tid AND ctid < %s::tid AND {} < %s AND ({})").format(
        sql.Identifier(table),
        sql.Identifier(moment),
        sql.SQL(also),
    )
    gone = 0
    for start in range(0, pages + 1, _PAGES):
        if stop():
            break
        gone += connection.execute(statement, (f"({start},0)", f"({start + _PAGES},0)", before)).rowcount
    return gone
