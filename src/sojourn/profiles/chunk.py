"""One chunk of a file: checked cells in columns, applied in one transaction through the same steps as every other import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from sojourn.kernel import Clock
from sojourn.kernel.statement import quoted
from sojourn.profiles.applying import Applied, Applying, Group
from sojourn.profiles.change_sets import hand_over, interested
from sojourn.profiles.copy_text import NULL, cell, line
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import Field
from sojourn.profiles.matching import Key, owns_email
from sojourn.profiles.reading_rows import Rejection, shown
from sojourn.profiles.records import Options
from sojourn.profiles.staging import CREATE, EXISTS, UNKNOWN, UPDATE, Placement, Placing, Stage
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
    """Rows as columns: the keys, and the fields of the import in their order as COPY cells."""

    keys: list[Key]
    columns: list[list[str]]
    lines: Sequence[int]
    rows: Sequence[Sequence[str]]
    delimiter: str
    rejections: list[Rejection]
    done_bytes: int

    def without(self, bad: Collection[int]) -> Checked:
        """The same without some rows."""
        kept = [row for row in range(len(self.rows)) if row not in bad]
        keys, columns = [self.keys[row] for row in kept], [[column[row] for row in kept] for column in self.columns]
        lines, rows = [self.lines[row] for row in kept], [self.rows[row] for row in kept]
        return Checked(keys, columns, lines, rows, self.delimiter, self.rejections, self.done_bytes)

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
        self._placing = Placing(connection, database, options)
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
        pending = [row for row in range(len(checked.keys)) if row not in repeats.gone]
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
        repeats, keys = _Repeats(), [key.first for key in checked.keys]
        if self._options.matching in ("email_phone", "email_phone_sub", "none") or len(set(keys)) == len(keys):
            return repeats
        replaced = [known.name in self._group for known in self._stage.fields]
        leader_of: dict[str | None, int] = {}
        columns = [list(column) for column in checked.columns]
        for row, key in enumerate(keys):
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
            parts = {(place, part) for place, part in enumerate(checked.keys[row]) if part is not None}
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
        placements, later = self._placing.place(rows, [checked.keys[row] for row in rows])
        kinds = {place.seq: place.kind for place in placements}
        applied = self._apply(checked, placements, set(kinds.values()), at, noted=noted)
        later |= applied.later
        known = UPDATE in kinds.values()
        changed = set(applied.changed.values()) | (self._subscribe(at, known=known) if self._subscribe_all else set())
        for row, problem in applied.refused.items():
            result.rejections.append(checked.rejection(row, problem.place, problem.message))
        for row in later | applied.refused.keys():
            kinds.pop(row, None)
        self._count(result, repeats, kinds, applied, changed)
        updated.update(changed)
        return later

    def _apply(
        self, checked: Checked, placements: Sequence[Placement], kinds: set[int], at: datetime, *, noted: bool
    ) -> Applied:
        if not kinds & {CREATE, UPDATE}:
            return Applied()
        connection, stage = self.connection, self._stage
        stage.clear(connection)
        stage.fill(connection, _lines(checked, placements))
        owned = owns_email(self._options.matching)
        applying = Applying(connection, stage, self._options, at, [self._group], {}, lambda row: owned, noted)
        if UPDATE in kinds:
            applying.update()
        if CREATE in kinds:
            applying.create()
        return applying.applied

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
                    f" SELECT s.profile_id, s.lane, s.seq, s.kind = {CREATE}, %s, %s, {contact}, %s, %s FROM {stage.table} s"
                    f" WHERE s.kind IN ({CREATE}, {UPDATE}) AND {contact} IS NOT NULL",
                    (wanted.resource_id, channel, wanted.status, wanted.priority),
                )
        return apply_subscriptions(connection, self._database, self._options, at, created=True, known=known)

    def _contact(self, channel: int) -> str | None:
        names = {known.name for known in self._stage.fields}
        if channel == EMAIL and "email" in names:
            return "s.email"
        return f"s.{quoted('phones')}[1]" if channel == SMS and "phones" in names else None

    def _count(
        self, result: ChunkResult, repeats: _Repeats, kinds: Mapping[int, int], applied: Applied, changed: set[int]
    ) -> None:
        """Add the round's rows to the counts; repeated rows share the fate of the row they were merged into."""
        counts = Counter(kinds.values())
        result.created += counts[CREATE]
        result.updated += len(changed)
        result.unchanged += counts[UPDATE] - len(changed)
        result.skipped += counts[EXISTS] + counts[UNKNOWN]
        for leader, differing in repeats.of.items():
            if (
                leader in applied.refused
                or kinds.get(leader) in (EXISTS, UNKNOWN)
                or (leader in kinds and self._options.mode == "create")
            ):
                result.skipped += len(differing)
            elif leader in kinds:
                result.updated += sum(differing)
                result.unchanged += len(differing) - sum(differing)

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


def _lines(checked: Checked, placements: Sequence[Placement]) -> list[str]:
    """COPY lines of the rows that are created or updated, in the order of their profiles."""
    rows = (
        ["\t" + "\t".join(cells) for cells in zip(*checked.columns, strict=True)]
        if checked.columns
        else [""] * len(checked.keys)
    )
    return [
        f"{seq}\t0\t{profile_id}\t{profile_id & 63}\t{kind}{rows[seq]}\n"
        for seq, profile_id, kind, _ in placements
        if profile_id is not None and kind in (CREATE, UPDATE)
    ]
