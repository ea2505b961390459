"""One chunk of a file: checked cells in columns, applied in one transaction through the same steps as every other import."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from sojourn.kernel import Clock
from sojourn.kernel.statement import quoted
from sojourn.profiles.applying import Applying, Group
from sojourn.profiles.change_sets import hand_over, interested
from sojourn.profiles.copy_text import NULL, cell, line
from sojourn.profiles.csv_reader import Rejection, shown
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import Field
from sojourn.profiles.records import Options
from sojourn.profiles.staging import CREATE, EXISTS, UNKNOWN, UPDATE, Stage
from sojourn.profiles.statuses import EMAIL, SMS
from sojourn.profiles.subscribing import apply_subscriptions


@dataclass(frozen=True, slots=True)
class SubscribeAll:
    """Every row subscribes with its e-mail (channel 1) or its first phone (2). `status` None: subscribed if new, else as it is."""

    resource_id: int
    channels: tuple[int, ...] = (EMAIL,)
    status: int | None = None
    priority: int | None = None


@dataclass(slots=True)
class Checked:
    """Rows as columns of COPY cells: the keys, then the fields of the import in their order."""

    first: list[str]
    second: list[str]
    columns: list[list[str]]
    lines: Sequence[int]
    rows: Sequence[Sequence[str]]
    delimiter: str
    rejections: list[Rejection]
    done_bytes: int

    def without(self, bad: Collection[int]) -> Checked:
        """The same without some rows."""
        kept = [row for row in range(len(self.rows)) if row not in bad]
        first, second, *columns = ([column[row] for row in kept] for column in (self.first, self.second, *self.columns))
        return Checked(
            first,
            second,
            columns,
            [self.lines[row] for row in kept],
            [self.rows[row] for row in kept],
            self.delimiter,
            self.rejections,
            self.done_bytes,
        )

    def rejection(self, row: int, name: str | None, reason: str) -> Rejection:
        """Row number `row` as refused."""
        return Rejection(self.lines[row], name, reason, shown(self.delimiter.join(self.rows[row])))


@dataclass(slots=True)
class ChunkResult:
    """Counts of one chunk, and its refused rows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    rejections: list[Rejection] = field(default_factory=list)


@dataclass(slots=True)
class _Repeats:
    """Rows that repeat the person of an earlier row of the chunk and were merged into it: leader → whether each changes something."""

    of: dict[int, list[bool]] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)


class ChunkImport:
    """Applies the chunks of one file, one after the other, on one connection."""

    def __init__(
        self, connection: psycopg.Connection[Any], clock: Clock, database: Database, fields: tuple[Field, ...], options: Options,
        clear_empty: Collection[str], subscribe: SubscribeAll | None, task_id: int | None,
    ) -> None:  # fmt: skip
        self.connection = connection
        self._clock, self._database, self._options = clock, database, options
        self._stage = Stage(database, fields)
        self._group: Group = {
            known.name: "replace" for known in fields if known.name in clear_empty and known.type != "email"
        }
        self._subscribe_all, self._task_id = subscribe, task_id

    def apply(self, checked: Checked) -> ChunkResult:
        """Apply a chunk, inside the caller's transaction."""
        connection, options, at = self.connection, self._options, self._clock.now()
        hooks = [] if options.skip_triggers else interested(connection, self._database.id, options.source)
        result = ChunkResult(rejections=list(checked.rejections))
        repeats = self._merge(checked)
        self._stage.prepare(connection, subscriptions=self._subscribe_all is not None, bulk=True)
        updated: set[int] = set()
        pending = (
            [row for row in range(len(checked.first)) if row not in repeats.gone]
            if repeats.gone
            else list(range(len(checked.first)))
        )
        while pending:
            leaders, followers = self._split(checked, pending)
            later = self._round(checked, leaders, repeats, result, updated, at, noted=bool(hooks))
            pending = sorted(later | set(followers))
        self._keep_rejections(result.rejections)
        self._stage.release_planner(connection)
        if hooks:
            connection.execute("INSERT INTO change_set SELECT x, 2 FROM unnest(%s::bigint[]) x", (sorted(updated),))
            hand_over(connection, hooks, at, self._database.id, options.source)
        return result

    def _merge(self, checked: Checked) -> _Repeats:
        """Fold the rows of one person into the first: later cells go over earlier ones, as if the rows were applied one by one."""
        repeats, first = _Repeats(), checked.first
        if self._options.matching in ("email_phone", "email_phone_sub", "none") or len(set(first)) == len(first):
            return repeats
        replaced = [known.name in self._group for known in self._stage.fields]
        leader_of: dict[str, int] = {}
        columns = [list(column) for column in checked.columns]
        for row, key in enumerate(first):
            leader = leader_of.setdefault(key, row)
            if leader == row:
                continue
            differs = False
            for column, replace in zip(columns, replaced, strict=True):
                if (
                    self._options.mode != "create"
                    and column[row] != column[leader]
                    and (replace or column[row] != NULL)
                ):
                    column[leader], differs = column[row], True
            repeats.of.setdefault(leader, []).append(differs)
            repeats.gone.add(row)
        checked.columns = columns
        return repeats

    def _split(self, checked: Checked, pending: list[int]) -> tuple[list[int], list[int]]:
        """With two keys, rows that share one with an earlier row wait for it; with one key such rows were merged."""
        if self._options.matching not in ("email_phone", "email_phone_sub"):
            return pending, []
        seen: set[tuple[int, str]] = set()
        leaders: list[int] = []
        followers: list[int] = []
        for row in pending:
            parts = {
                (place, part) for place, part in enumerate((checked.first[row], checked.second[row])) if part != NULL
            }
            (followers if parts & seen else leaders).append(row)
            seen |= parts
        return leaders, followers

    def _round(
        self,
        checked: Checked,
        rows: list[int],
        repeats: _Repeats,
        result: ChunkResult,
        updated: set[int],
        at: datetime,
        *,
        noted: bool,
    ) -> set[int]:
        connection, stage = self.connection, self._stage
        stage.clear(connection)
        stage.fill(connection, _lines(checked, rows))
        stage.place(connection, self._options)
        counts = {
            kind: (rows, profiles)
            for kind, rows, profiles in connection.execute(
                f"SELECT kind, count(*), count(DISTINCT profile_id) FROM {stage.placed} GROUP BY kind"
            )
        }
        known, different = counts.get(UPDATE, (0, 0))
        later = stage.postpone_doubles(connection) if known != different else set()
        applying = Applying(connection, stage, self._options, at, [self._group], {}, noted)
        if known:
            applying.update()
        if CREATE in counts:
            applying.create()
        later |= applying.applied.later
        changed = set(applying.applied.changed.values()) | (
            self._subscribe(at, known=bool(known)) if self._subscribe_all else set()
        )
        for row, problem in applying.applied.refused.items():
            result.rejections.append(checked.rejection(row, problem.place, problem.message))
        self._count(result, repeats, later | applying.applied.refused.keys(), changed)
        updated.update(changed)
        return later

    def _subscribe(self, at: datetime, *, known: bool) -> set[int]:
        """Subscribe the rows of this round; tells the profiles that existed before and changed by it."""
        wanted, stage, connection = self._subscribe_all, self._stage, self.connection
        assert wanted
        connection.execute("DELETE FROM staged_subscription")
        for channel in wanted.channels:
            contact = self._contact(channel)
            if contact:
                connection.execute(
                    "INSERT INTO staged_subscription (profile_id, lane, seq, created, resource_id, channel, contact, status, priority)"
                    f" SELECT s.profile_id, s.lane, s.seq, s.kind = {CREATE}, %s, %s, {contact}, %s, %s FROM {stage.placed} s"
                    f" WHERE s.kind IN ({CREATE}, {UPDATE}) AND {contact} IS NOT NULL",
                    (wanted.resource_id, channel, wanted.status, wanted.priority),
                )
        return apply_subscriptions(connection, self._database, self._options, at, known=known)

    def _contact(self, channel: int) -> str | None:
        names = {known.name for known in self._stage.fields}
        if channel == EMAIL and "email" in names:
            return "s.email"
        return f"s.{quoted('phones')}[1]" if channel == SMS and "phones" in names else None

    def _count(self, result: ChunkResult, repeats: _Repeats, left: Collection[int], changed: set[int]) -> None:
        """Add the round's rows to the counts; repeated rows share the fate of the row they were merged into."""
        counts = dict(
            self.connection.execute(f"SELECT kind, count(*) FROM {self._stage.placed} GROUP BY kind").fetchall()
        )
        result.created += counts.get(CREATE, 0)
        result.updated += len(changed)
        result.unchanged += counts.get(UPDATE, 0) - len(changed)
        result.skipped += counts.get(EXISTS, 0) + counts.get(UNKNOWN, 0)
        if not repeats.of:
            return
        leaders = dict(
            self.connection.execute(
                f"SELECT seq, kind FROM {self._stage.placed} WHERE seq = ANY(%s)", (list(repeats.of),)
            ).fetchall()
        )
        for leader, kind in leaders.items():
            if leader in left and kind not in (CREATE, UPDATE):
                if kind == 0:
                    result.skipped += len(repeats.of[leader])
                continue
            if kind in (EXISTS, UNKNOWN) or self._options.mode == "create":
                result.skipped += len(repeats.of[leader])
            else:
                result.updated += sum(repeats.of[leader])
                result.unchanged += len(repeats.of[leader]) - sum(repeats.of[leader])

    def _keep_rejections(self, rejections: Sequence[Rejection]) -> None:
        if self._task_id is None or not rejections:
            return
        with (
            self.connection.cursor() as cursor,
            cursor.copy("COPY import_rejection (task_id, line, field, reason, row_text) FROM STDIN") as copy,
        ):
            copy.write(
                "".join(
                    line(map(cell, (self._task_id, item.line, item.field, item.reason, item.row_text)))
                    for item in rejections
                )
            )


def _lines(checked: Checked, rows: list[int]) -> list[str]:
    """COPY lines of some rows."""
    columns: list[Sequence[str]] = [checked.first, checked.second, *checked.columns]
    if len(rows) != len(checked.first):
        columns = [[column[row] for row in rows] for column in columns]
    return [
        f"{seq}\t0\t" + "\t".join(cells) + "\n" for seq, cells in zip(rows, zip(*columns, strict=True), strict=True)
    ]
