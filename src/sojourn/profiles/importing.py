"""The one way in: files, API batches and single calls are staged, matched and applied in sets, in one transaction each."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from sojourn.kernel import Clock, lane_of
from sojourn.kernel.errors import Problem, Unavailable
from sojourn.profiles.applying import Applied, Applying, Group
from sojourn.profiles.change_sets import enter_segments, hand_over, interested, keep_silent
from sojourn.profiles.copy_text import cell, line, typed_cell
from sojourn.profiles.databases import Database
from sojourn.profiles.fields import Field
from sojourn.profiles.functional import in_memory
from sojourn.profiles.matching import check_matching, creation_defaults, owns_email
from sojourn.profiles.records import (
    Mode,
    Options,
    Outcome,
    Preparation,
    Prepared,
    Record,
    SubscriptionInput,
    resource_ids,
)
from sojourn.profiles.resources import resources
from sojourn.profiles.staging import CREATE, EXISTS, UNKNOWN, UPDATE, Placement, Placing, Stage
from sojourn.profiles.subscribing import apply_subscriptions, stage_subscriptions

__all__ = ["Mode", "Options", "Outcome", "Record", "SubscriptionInput", "import_records", "in_transaction", "subscribe"]

_ATTEMPTS = 8
_Result = TypeVar("_Result")


def in_transaction(connection: psycopg.Connection[Any], work: Callable[[], _Result]) -> _Result:
    """Do `work` in a transaction, again from its start if other writers got in its way. Inside a caller's transaction it is tried once.

    Raises:
        Unavailable: `database_busy` when it got into others' way again and again.
    """
    nested = connection.info.transaction_status != TransactionStatus.IDLE
    for attempt in range(1 if nested else _ATTEMPTS):
        try:
            with connection.transaction():
                return work()
        except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
            if nested:
                raise
            time.sleep(random.uniform(0.01, 0.05) * (attempt + 1))
    raise Unavailable("database_busy", "The profiles are being changed by others; try again in a minute.")


def import_records(
    connection: psycopg.Connection[Any], clock: Clock, database: Database, records: Sequence[Record], options: Options
) -> list[Outcome]:
    """Create and update profiles with their subscriptions; outcomes stand in the order of the records, and one's failure stops no other.

    Records of one person within a call are applied one after the other. All is one transaction.

    Raises:
        SojournError: `unknown_matching`, `unknown_field`, `field_not_matchable`. Unavailable: `database_busy`.
    """
    check_matching(database, options.matching, options.field_name)
    known = resources(connection, list(resource_ids(records)))
    preparation = Preparation(database, options, known)
    outcomes: dict[int, Outcome] = {}
    prepared: dict[int, Prepared] = {}
    for seq, record in enumerate(records):
        ready = preparation.prepare(record)
        if isinstance(ready, Problem):
            outcomes[seq] = Outcome(None, "skipped", ready)
        else:
            prepared[seq] = ready
    if prepared:
        call = _Call(connection, clock.now(), database, options, prepared)
        outcomes |= in_transaction(connection, call.run)
    return [outcomes[seq] for seq in range(len(records))]


def subscribe(
    connection: psycopg.Connection[Any], clock: Clock, database: Database, profile_id: int, given: SubscriptionInput, *, cause: int,
    cause_id: int | None = None, skip_triggers: bool = False,
) -> Outcome:  # fmt: skip
    """Add a subscription to a profile, or change the one it has; a problem stands in the outcome."""
    options = Options(
        mode="update",
        matching="profile_id",
        cause=cause,
        cause_id=cause_id,
        skip_triggers=skip_triggers,
        source="manual",
    )
    return import_records(connection, clock, database, [Record({"profile_id": profile_id}, {}, [given])], options)[0]


class _Call:
    """One call of `import_records`: as many rounds as one person has records."""

    def __init__(
        self, connection: psycopg.Connection[Any], at: datetime, database: Database, options: Options, prepared: dict[int, Prepared]
    ) -> None:  # fmt: skip
        self._connection = connection
        self._nested = connection.info.transaction_status != TransactionStatus.IDLE
        self._at = at
        self._database = database
        self._options = options
        self._prepared = prepared
        self._defaults = {
            seq: creation_defaults(database, options.matching, options.field_name, item.key)
            for seq, item in prepared.items()
        }
        self._fields = self._used_fields()
        self._stage = Stage(database, self._fields)
        self._groups, self._group_of = _groups(prepared)
        self._placing = Placing(connection, database, options)
        self._subscriptions = any(item.subscriptions for item in prepared.values())

    def run(self) -> dict[int, Outcome]:
        connection, options = self._connection, self._options
        hooks = [] if options.skip_triggers else interested(connection, self._database.id, options.source)
        if options.skip_triggers:
            keep_silent(connection)
        outcomes: dict[int, Outcome] = {}
        updated: set[int] = set()
        self._stage.prepare(connection, subscriptions=self._subscriptions, bulk=len(self._prepared) > 100)
        pending = sorted(self._prepared)
        while pending:
            leaders, followers = self._split(pending)
            later = self._round(leaders, outcomes, updated, noted=bool(hooks))
            pending = sorted(later | set(followers))
            if pending:
                self._stage.clear(connection, subscriptions=self._subscriptions)
        filled = bool(options.add_to_segments or options.remove_from_segments)
        if hooks or filled or self._nested:
            self._stage.release_planner(connection)
        if filled:
            self._enter_segments(outcomes)
        if hooks:
            connection.execute("INSERT INTO change_set SELECT x, 2 FROM unnest(%s::bigint[]) x", (sorted(updated),))
            hand_over(connection, hooks, self._at, self._database.id, options.source)
        return outcomes

    def _enter_segments(self, outcomes: Mapping[int, Outcome]) -> None:
        options = self._options
        written = [item.profile_id for item in outcomes.values() if item.action != "skipped" and item.profile_id]
        enter_segments(
            self._connection, self._at, self._database.id, written, options.add_to_segments, options.remove_from_segments, options.cause, options.cause_id
        )  # fmt: skip

    def _split(self, pending: Sequence[int]) -> tuple[list[int], list[int]]:
        """Those who can go in one round, and those who must wait for one of them: a person's records go one by one."""
        seen: set[tuple[int, str]] = set()
        leaders: list[int] = []
        followers: list[int] = []
        for seq in pending:
            key = self._prepared[seq].key
            parts = {(place, part) for place, part in enumerate((key.first, key.second)) if part is not None}
            (followers if parts & seen else leaders).append(seq)
            seen |= parts
        return leaders, followers

    def _used_fields(self) -> tuple[Field, ...]:
        names = {name for item in self._prepared.values() for name in item.operations} | {
            name for given in self._defaults.values() for name in given
        }
        return tuple(known for name, known in self._database.fields.items() if name in names)

    def _line(self, place: Placement) -> str:
        item, profile_id = self._prepared[place.seq], place.profile_id or 0
        cells = [
            str(place.seq),
            str(self._group_of[place.seq]),
            str(profile_id),
            str(lane_of(profile_id)),
            str(place.kind),
        ]
        defaults = self._defaults[place.seq] if place.kind == CREATE else {}
        for known in self._fields:
            operation = item.operations.get(known.name)
            plain = operation is not None and operation.action != "clear" and not in_memory(known, operation.action)
            value = operation.value if operation and plain else defaults.get(known.name)
            cells.append(typed_cell(value, known.sql_type))
        return line(cells)

    def _sought_by_email(self, seq: int) -> bool:
        """Whether a new profile's address is the one by which the record is looked for."""
        item = self._prepared[seq]
        given = item.operations.get("email")
        return (
            owns_email(self._options.matching)
            and (given.value if given else self._defaults[seq].get("email")) == item.key.first
        )

    def _round(self, seqs: Sequence[int], outcomes: dict[int, Outcome], updated: set[int], *, noted: bool) -> set[int]:
        placements, later = self._placing.place(seqs, [self._prepared[seq].key for seq in seqs])
        writing = [place for place in placements if place.kind in (CREATE, UPDATE)]
        applied = self._apply(writing, noted=noted)
        later |= applied.later
        left = later | applied.refused.keys()
        done = [
            (place.seq, place.profile_id, place.kind == CREATE)
            for place in writing
            if place.seq not in left and place.profile_id is not None
        ]
        subscribed = self._subscribe(done)
        for place in placements:
            if place.seq not in later:
                outcomes[place.seq] = self._outcome(place, applied, subscribed)
        updated.update(applied.changed.values(), subscribed)
        return later

    def _apply(self, placements: Sequence[Placement], *, noted: bool) -> Applied:
        kinds = {place.kind for place in placements}
        if not kinds:
            return Applied()
        operations = {place.seq: self._prepared[place.seq].operations for place in placements}
        self._stage.fill(self._connection, map(self._line, placements))
        applying = Applying(
            self._connection,
            self._stage,
            self._options,
            self._at,
            self._groups,
            operations,
            self._sought_by_email,
            noted,
        )
        if UPDATE in kinds:
            applying.update()
        if CREATE in kinds:
            applying.create()
        return applying.applied

    def _subscribe(self, done: Sequence[tuple[int, int, bool]]) -> set[int]:
        lines = []
        for seq, profile_id, created in done:
            for row in self._prepared[seq].subscriptions:
                values = (
                    profile_id,
                    lane_of(profile_id),
                    seq,
                    created,
                    row.resource_id,
                    row.channel,
                    row.contact,
                    row.status,
                    row.priority,
                    row.cats,
                )
                lines.append(
                    line(
                        [
                            *map(cell, values),
                            typed_cell(row.custom, "jsonb"),
                            cell(row.opted_in_at),
                            cell(row.ip),
                            cell(row.url),
                            cell(row.consent),
                        ]
                    )
                )
        if not lines:
            return set()
        stage_subscriptions(self._connection, lines)
        kinds = {created for _, _, created in done}
        return apply_subscriptions(
            self._connection, self._database, self._options, self._at, created=True in kinds, known=False in kinds
        )

    def _outcome(self, place: Placement, applied: Applied, subscribed: set[int]) -> Outcome:
        left_out = self._prepared[place.seq].left_out
        if place.seq in applied.refused:
            return Outcome(None, "skipped", applied.refused[place.seq], place.several, left_out)
        if place.kind == UNKNOWN:
            return Outcome(None, "skipped", Problem("profile_unknown", "No profile matches."), place.several, left_out)
        if place.kind == EXISTS:
            return Outcome(
                place.profile_id,
                "skipped",
                Problem("profile_exists", "There is a profile that matches."),
                place.several,
                left_out,
            )
        action: Literal["created", "updated", "unchanged"] = "unchanged"
        if place.kind == CREATE:
            action = "created"
        elif place.seq in applied.changed or place.profile_id in subscribed:
            action = "updated"
        return Outcome(place.profile_id, action, None, place.several, left_out)


def _groups(prepared: dict[int, Prepared]) -> tuple[list[Group], dict[int, int]]:
    """Records by what they do beyond plain setting: each such group is one statement."""
    numbers: dict[tuple[tuple[str, str], ...], int] = {}
    group_of = {}
    for seq, item in prepared.items():
        shape = tuple(
            sorted((name, operation.action) for name, operation in item.operations.items() if operation.action != "set")
        )
        group_of[seq] = numbers.setdefault(shape, len(numbers))
    return [dict(shape) for shape in numbers], group_of
