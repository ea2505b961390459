"""One chunk of rows: checked cells in columns, applied in one transaction through the same steps as every other import."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from sojourn.kernel import Clock
from sojourn.kernel.statement import quoted
from sojourn.kernel.task_parts import note_part
from sojourn.profiles.applying import Applied, Applying, Group
from sojourn.profiles.change_sets import Hook, enter_segments, hand_over, interested, keep_silent
from sojourn.profiles.checked import Checked, RowSubscriptions
from sojourn.profiles.copy_text import NULL, cell, line
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import Field
from sojourn.profiles.import_options import Counts, FileOptions, Subscribing
from sojourn.profiles.matching import owns_email
from sojourn.profiles.reading_rows import Rejection
from sojourn.profiles.staging import CREATE, EXISTS, UNKNOWN, UPDATE, Placement, Placing, Stage
from sojourn.profiles.statuses import EMAIL, SMS
from sojourn.profiles.subscribing import apply_subscriptions, foresee_subscriptions, stage_subscriptions, subscribe_new

_OF_TWO_KEYS = ("email_phone", "email_phone_sub")


@dataclass(slots=True)
class ChunkResult(Counts):
    """Counts of one chunk, and its refused rows."""

    rejections: list[Rejection] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The counts alone."""
        return {name: getattr(self, name) for name in Counts.__slots__}


@dataclass(slots=True)
class _Repeats:
    """Rows that repeat the person of an earlier row of the chunk and were merged into it: leader → whether each changes something."""

    of: dict[int, list[bool]] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)


class ChunkImport:
    """Applies chunks of rows, one after the other, on one connection."""

    def __init__(
        self, connection: psycopg.Connection[Any], clock: Clock, database: Database, fields: tuple[Field, ...], group: Group, options: FileOptions
    ) -> None:  # fmt: skip
        self.connection = connection
        self._clock, self._database, self._file = clock, database, options
        self._options = options.options
        self._stage = Stage(database, fields)
        self._placing = Placing(connection, database, self._options, may_guess=not options.test_run)
        self._group = group
        self._subscribing = options.all_subscriptions()
        # Cells that are added to what is there cannot be folded into an earlier row of the same person: that one is applied before.
        self._folds = self._options.matching not in _OF_TWO_KEYS and "add" not in group.values()

    def apply(self, checked: Checked) -> ChunkResult:
        """Apply a chunk, inside the caller's transaction. In a test run nothing is written."""
        connection, at = self.connection, self._clock.now()
        test_run = self._file.test_run
        hooks = (
            []
            if test_run or self._options.skip_triggers
            else interested(connection, self._database.id, self._options.source)
        )
        if self._options.skip_triggers:
            keep_silent(connection)
        result = ChunkResult(rejections=list(checked.rejections), left_out=checked.left_out)
        result.repeated = len(checked.repeats)
        checked, repeats = self._merge(checked)
        self._stage.prepare(
            connection, subscriptions=bool(self._subscribing) or checked.subscriptions is not None, bulk=True
        )
        updated: set[int] = set()
        entered: list[int] = []
        pending = [row for row in range(len(checked.keys)) if row not in repeats.gone]
        first = True
        while pending:
            leaders, followers = self._split(checked, pending)
            if first:
                result.repeated += len(repeats.gone) + len(followers)
                first = False
            later = self._round(checked, leaders, repeats, result, updated, entered, at, noted=bool(hooks))
            pending = sorted(later | set(followers))
        result.rejected = len(result.rejections)
        self._stage.release_planner(connection)
        self._keep_rejections(result.rejections)
        if not test_run:
            self._tell(hooks, updated, entered, at)
        if self._file.task_id is not None and self._file.resume:
            note_part(connection, self._file.task_id, checked.part, result.counts())
        return result

    def _tell(self, hooks: Sequence[Hook], updated: set[int], entered: Sequence[int], at: datetime) -> None:
        connection, options, database_id = self.connection, self._options, self._database.id
        enter_segments(
            connection,
            at,
            database_id,
            entered,
            options.add_to_segments,
            options.remove_from_segments,
            options.cause,
            options.cause_id,
        )
        if hooks:
            connection.execute("INSERT INTO change_set SELECT x, 2 FROM unnest(%s::bigint[]) x", (sorted(updated),))
            hand_over(connection, hooks, at, database_id, options.source)

    def _merge(self, checked: Checked) -> tuple[Checked, _Repeats]:
        """Fold the rows of one person into the first: later cells go over earlier ones, as if the rows were applied one by one."""
        repeats, keys = _Repeats(), [key.first for key in checked.keys]
        if not self._folds or self._options.matching == "none" or len(set(keys)) == len(keys):
            return checked, repeats
        replaced = [known.name in self._group for known in self._stage.fields]
        leader_of: dict[str | None, int] = {}
        columns = [list(column) for column in checked.columns]
        subscriptions = None if checked.subscriptions is None else list(checked.subscriptions)
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
            if subscriptions is not None and self._options.mode != "create":
                subscriptions[leader] = subscriptions[leader] | subscriptions[row]
            repeats.of.setdefault(leader, []).append(differs)
            repeats.gone.add(row)
        # A copy: the chunk may have to be applied once more from its start.
        return dataclasses.replace(checked, columns=columns, subscriptions=subscriptions), repeats

    def _split(self, checked: Checked, pending: list[int]) -> tuple[list[int], list[int]]:
        """Where rows of one person were not merged, those that share a key with an earlier row wait for it."""
        if self._folds:
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
        entered: list[int],
        at: datetime,
        *,
        noted: bool,
    ) -> set[int]:
        placements, later, applied = self._placed(checked, rows, at, noted=noted)
        kinds = {place.seq: place.kind for place in placements}
        later |= applied.later
        changed = set(applied.changed.values()) | self._subscribe(
            checked, placements, later | applied.refused.keys(), at
        )
        for row, problem in applied.refused.items():
            result.rejections.append(checked.rejection(row, problem.place, problem.code, problem.message))
        for row in later | applied.refused.keys():
            kinds.pop(row, None)
        result.several += sum(place.seq in kinds for place in placements if place.several)
        self._count(result, repeats, kinds, applied, changed, checked.repeats)
        updated.update(changed)
        if self._options.add_to_segments or self._options.remove_from_segments:
            entered += [
                place.profile_id
                for place in placements
                if place.profile_id is not None and kinds.get(place.seq) in (CREATE, UPDATE)
            ]
        return later

    def _placed(
        self, checked: Checked, rows: Sequence[int], at: datetime, *, noted: bool
    ) -> tuple[list[Placement], set[int], Applied]:
        """Find out whose the rows are, and write them. Where all were taken for new people, who is known shows when the addresses are claimed."""
        keys = [checked.keys[row] for row in rows]
        placements, later = self._placing.place(rows, keys)
        if self._placing.guessed:
            try:
                with self.connection.transaction():
                    return placements, later, self._apply(checked, placements, at, noted=noted)
            except psycopg.errors.UniqueViolation:
                placements, later = self._placing.place(rows, keys, look=True)
        return placements, later, self._apply(checked, placements, at, noted=noted)

    def _apply(self, checked: Checked, placements: Sequence[Placement], at: datetime, *, noted: bool) -> Applied:
        kinds = {place.kind for place in placements}
        if not kinds & {CREATE, UPDATE}:
            return Applied()
        connection, stage = self.connection, self._stage
        stage.clear(connection)
        stage.fill(connection, _lines(checked, placements))
        owned = owns_email(self._options.matching)
        applying = Applying(
            connection, stage, self._options, at, [self._group], {}, lambda row: owned, noted, self._placing.guessed
        )
        if self._file.test_run:
            applying.foresee()
            return applying.applied
        if UPDATE in kinds:
            applying.update()
        if CREATE in kinds:
            applying.create()
        return applying.applied

    def _subscribe(
        self, checked: Checked, placements: Sequence[Placement], left: Collection[int], at: datetime
    ) -> set[int]:
        """Subscribe the rows of this round; tells the profiles that existed before and changed by it."""
        writing = [place for place in placements if place.kind in (CREATE, UPDATE)]
        if not writing or not (self._subscribing or checked.subscriptions is not None):
            return set()
        kinds = {place.kind for place in writing}
        if checked.subscriptions is None:
            contacts = [(item, contact) for item in self._subscribing if (contact := self._contact(item.channel))]
            if CREATE in kinds and not self._file.test_run:
                subscribe_new(self.connection, self._database, self._options, at, self._stage.table, contacts)
            if UPDATE not in kinds:
                return set()
            kinds = {UPDATE}
            self._stage_contacts(contacts)
        else:
            self._stage_own(checked.subscriptions, writing, left)
        if self._file.test_run:
            return foresee_subscriptions(self.connection)
        return apply_subscriptions(
            self.connection, self._database, self._options, at, created=CREATE in kinds, known=UPDATE in kinds
        )

    def _stage_contacts(self, wanted: Sequence[tuple[Subscribing, str]]) -> None:
        """Subscriptions of known profiles by the contacts that stand in the stage: no row of them passes through this process."""
        self.connection.execute("DELETE FROM staged_subscription")
        for item, contact in wanted:
            self.connection.execute(
                "INSERT INTO staged_subscription (profile_id, lane, seq, created, resource_id, channel, contact, status, priority, cats)"
                f" SELECT s.profile_id, s.lane, s.seq, false, %s, %s, {contact}, %s, %s, %s FROM {self._stage.table} s"
                f" WHERE s.kind = {UPDATE} AND {contact} IS NOT NULL",
                (item.resource_id, item.channel, item.status, item.priority, None if item.cats is None else list(item.cats)),
            )  # fmt: skip

    def _stage_own(self, own: Sequence[RowSubscriptions], writing: Sequence[Placement], left: Collection[int]) -> None:
        self.connection.execute("DELETE FROM staged_subscription")
        stage_subscriptions(
            self.connection,
            [
                f"{profile_id}\t{profile_id & 63}\t{row}\t{'t' if kind == CREATE else 'f'}\t{cells}\n"
                for row, profile_id, kind, _ in writing
                if profile_id is not None and row not in left
                for cells in own[row].values()
            ],
        )

    def _contact(self, channel: int) -> str | None:
        names = {known.name for known in self._stage.fields}
        if channel == EMAIL and "email" in names:
            return "s.email"
        return f"s.{quoted('phones')}[1]" if channel == SMS and "phones" in names else None

    def _count(
        self,
        result: ChunkResult,
        repeats: _Repeats,
        kinds: Mapping[int, int],
        applied: Applied,
        changed: set[int],
        known: Collection[int],
    ) -> None:
        """Add the round's rows to the counts; repeated rows share the fate of the row they were merged into."""
        counts = Counter(kinds.values())
        if self._file.test_run and known:
            # An earlier chunk has not created them, as it would have: they would be found.
            found = sum(kinds.get(row) == CREATE for row in known)
            counts[CREATE] -= found
            if self._options.mode == "create":
                result.skipped += found
            else:
                result.updated += found
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
        if self._file.task_id is None or not rejections:
            return
        with (
            self.connection.cursor() as cursor,
            cursor.copy(
                "COPY import_rejection (task_id, file, line, field, column_name, reason, row_text) FROM STDIN"
            ) as copy,
        ):
            copy.write(
                "".join(
                    line(
                        map(
                            cell,
                            (
                                self._file.task_id,
                                item.file,
                                item.line,
                                item.field,
                                item.column,
                                item.reason,
                                item.record(),
                            ),
                        )
                    )
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
