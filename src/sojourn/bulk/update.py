"""Bulk update: the same changes to everybody of an audience, as a background task that a crash can neither lose nor repeat.

Whom it is about is chosen once, at the start, and kept in a table. Each batch is changed, taken out of that table and counted in one
transaction: so a task that is run again goes on where it was, a sum is added once, and who begins to fit meanwhile is left alone.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field

from sojourn.bulk.audience import Audience, chosen, select
from sojourn.kernel import Clock
from sojourn.kernel.errors import Conflict, Problem, SojournError, Unavailable
from sojourn.kernel.tasks import Report, Task, TaskFunction
from sojourn.kernel.wakeups import ENGINE, Bell
from sojourn.profiles import Database, Options, Record, SubscriptionInput, database, delete_profile, import_records
from sojourn.profiles import resource as find_resource
from sojourn.profiles.functional import read_operation
from sojourn.profiles.resources import channel_number
from sojourn.profiles.statuses import CAUSE_MANUAL, EMAIL, STATUS_NUMBERS
from sojourn.profiles.values import Misfit
from sojourn.segments import Lookup, check, resolve

UPDATE = "bulk_update"
"""The kind of this task."""
BATCH = 1_000
_ATTEMPTS = 8
Connection = psycopg.Connection[Any]


class NewSubscription(BaseModel):
    """Everybody subscribes with the contact of the profile, or with the one of another resource."""

    model_config = ConfigDict(extra="forbid")

    resource_id: int
    channel: Literal["email", "sms"] = "email"
    status: str | None = None
    contact_from: Literal["profile", "subscriptions"] = "profile"


class SubscriptionChange(BaseModel):
    """Subscriptions that somebody has get a status; without a resource or channel: those of all."""

    model_config = ConfigDict(extra="forbid")

    resource_id: int | None = None
    channel: str | None = None
    status: str


class Changes(BaseModel):
    """What happens to everybody. `fields`: value by field name, plain or functional as in the API (`{"action": "incr", "value": 5}`)."""

    model_config = ConfigDict(extra="forbid")

    fields: dict[str, Any] = {}
    subscribe: NewSubscription | None = None
    subscriptions: SubscriptionChange | None = None
    add_to_segments: list[int] = Field([], max_length=20)
    remove_from_segments: list[int] = Field([], max_length=20)
    delete: bool = False
    skip_triggers: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing would happen."""
        return not (
            self.fields
            or self.subscribe
            or self.subscriptions
            or self.add_to_segments
            or self.remove_from_segments
            or self.delete
        )


class UpdateArguments(BaseModel):
    """The `arguments` of the task."""

    model_config = ConfigDict(extra="forbid")

    audience: Audience
    changes: Changes
    user_id: int | None = None


def prepared(connection: Connection, given: UpdateArguments, lookup: Lookup) -> UpdateArguments:
    """The arguments with names resolved, after everything about them was checked.

    Raises:
        SojournError: `nothing_to_do`, `bad_update` with one problem for each change that does not fit, `bad_rules`. NotFound: a database,
            resource or segment that is named does not exist. Conflict: `segment_not_static`.
    """
    base = database(connection, given.audience.database_id)
    changes = given.changes
    if changes.empty:
        raise SojournError("nothing_to_do", "Choose at least one change.", "changes")
    if changes.delete and (changes.fields or changes.subscribe or changes.subscriptions):
        raise SojournError("nothing_to_do", "Whoever is deleted cannot be changed too.", "changes.delete")
    problems = [
        *_field_problems(base, changes.fields),
        *_status_problems(changes),
        *(check(given.audience.rules, base, lookup, "audience.rules") if given.audience.rules else ()),
    ]
    if problems:
        raise SojournError("bad_update", problems[0].message, problems[0].place, problems=problems)
    if changes.subscribe:
        _check_resource(connection, base, changes.subscribe)
    for number in (*changes.add_to_segments, *changes.remove_from_segments):
        _check_segment(connection, base, number)
    rules = resolve(given.audience.rules, lookup) if given.audience.rules else None
    return given.model_copy(update={"audience": given.audience.model_copy(update={"rules": rules})})


def _field_problems(base: Database, fields: dict[str, Any]) -> list[Problem]:
    problems = []
    for name, value in fields.items():
        place = f"changes.fields.{name}"
        known = base.fields.get(name)
        if known is None:
            problems.append(Problem("unknown_field", f"The database “{base.name}” has no field “{name}”.", place))
            continue
        if known.type == "email":
            problems.append(Problem("wrong_operation", "An e-mail address belongs to one profile only.", place))
            continue
        try:
            read_operation(known, value)
        except Misfit as misfit:
            problems.append(misfit.problem(place))
    return problems


def _status_problems(changes: Changes) -> list[Problem]:
    given = [("changes.subscribe.status", changes.subscribe.status if changes.subscribe else None)]
    given.append(("changes.subscriptions.status", changes.subscriptions.status if changes.subscriptions else None))
    problems = [
        Problem("incorrect_status", f"A status is one of {', '.join(STATUS_NUMBERS)}.", place)
        for place, word in given
        if word is not None and word not in STATUS_NUMBERS
    ]
    if changes.subscriptions and changes.subscriptions.channel is not None:
        try:
            channel_number(changes.subscriptions.channel)
        except SojournError as error:
            problems.append(Problem(error.code, error.message, "changes.subscriptions.channel"))
    return problems


def _check_resource(connection: Connection, base: Database, wanted: NewSubscription) -> None:
    found = find_resource(connection, wanted.resource_id)
    if not found.serves(base.id) or channel_number(wanted.channel) not in found.channels:
        raise SojournError(
            "resource_not_offered",
            f"Profiles of the database “{base.name}” cannot subscribe to “{found.name}” by {wanted.channel}.",
            "changes.subscribe",
        )


def _check_segment(connection: Connection, base: Database, number: int) -> None:
    row = connection.execute("SELECT name, kind, database_id FROM segment WHERE id = %s", (number,)).fetchone()
    if row is None or row[1:] != ("static", base.id):
        raise Conflict(
            "segment_not_static", "Only static segments of the same database take members.", "changes.add_to_segments"
        )


def update_task() -> TaskFunction:
    """The function of the task kind `UPDATE`."""

    def run(connection: Connection, clock: Clock, task: Task, report: Report) -> dict[str, Any]:
        given = UpdateArguments.model_validate(task.arguments)
        base = database(connection, given.audience.database_id)
        total = _choose(connection, clock, task.id, base, given.audience)
        work = _Work(connection, clock, task.id, base, given)
        report(0, total)
        done = 0
        for lane in range(64):
            while batch := work.batch(lane):
                done += batch
                report(done, total)
        return {"total": total, **work.counts()}

    return run


def _choose(connection: Connection, clock: Clock, task_id: int, base: Database, audience: Audience) -> int:
    """Keep whom it is about, unless a run before did so; tells how many they are."""
    with connection.transaction():
        row = connection.execute("SELECT total FROM bulk_run WHERE task_id = %s", (task_id,)).fetchone()
        if row:
            left = connection.execute("SELECT count(*) FROM bulk_target WHERE task_id = %s", (task_id,)).fetchone()
            assert left
            return int(left[0])
        selection = select(connection, base, audience, clock.now())
        total = connection.execute(
            f"INSERT INTO bulk_target (profile_id, task_id, lane) SELECT x.id, %(task)s, x.lane FROM ({chosen(selection, base, 'p.id, p.lane')}) x",
            {**selection.values, "task": task_id},
        ).rowcount
        connection.execute("INSERT INTO bulk_run (task_id, total) VALUES (%s, %s)", (task_id, total))
        return total


_NEXT = "SELECT profile_id FROM bulk_target WHERE task_id = %s AND lane = %s ORDER BY profile_id LIMIT %s"
_DONE = "DELETE FROM bulk_target WHERE task_id = %s AND lane = %s AND profile_id = ANY(%s::bigint[])"
_COUNTED = """
UPDATE bulk_run r SET counts = r.counts || (SELECT coalesce(jsonb_object_agg(k, coalesce((r.counts ->> k)::bigint, 0) + n), '{}')
  FROM jsonb_each_text(%s) x(k, t), LATERAL (SELECT t::bigint AS n) v) WHERE task_id = %s
"""
_CONTACTS = "SELECT p.id, p.email, p.phones[1] FROM unnest(%s::bigint[]) x JOIN {table} p ON p.lane = %s AND p.id = x"
_OTHER_CONTACTS = """
SELECT DISTINCT ON (profile_id) profile_id, contact FROM subscription
 WHERE lane = %s AND profile_id = ANY(%s::bigint[]) AND channel = %s AND deleted_at IS NULL ORDER BY profile_id, effective <> 0, priority, id
"""
_HELD = """
SELECT profile_id, resource_id, channel, contact FROM subscription
 WHERE lane = %s AND profile_id = ANY(%s::bigint[]) AND (%s::int IS NULL OR resource_id = %s) AND (%s::smallint IS NULL OR channel = %s)
   AND status <> %s AND deleted_at IS NULL ORDER BY profile_id, id
"""


class _Work:
    def __init__(
        self, connection: Connection, clock: Clock, task_id: int, base: Database, given: UpdateArguments
    ) -> None:
        self._connection, self._clock, self._task_id, self._base = connection, clock, task_id, base
        self._changes, self._user_id = given.changes, given.user_id
        changes = given.changes
        self._options = Options(
            mode="update", matching="profile_id", cause=CAUSE_MANUAL, cause_id=given.user_id, skip_triggers=changes.skip_triggers, source="manual",
            skip_invalid_subscriptions=True, add_to_segments=tuple(changes.add_to_segments), remove_from_segments=tuple(changes.remove_from_segments),
        )  # fmt: skip
        self._bell = Bell()

    def batch(self, lane: int) -> int:
        """Change the next profiles of a lane; tells how many were taken, 0 at its end."""
        for attempt in range(_ATTEMPTS):
            try:
                with self._connection.transaction():
                    taken = self._step(lane)
                break
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                time.sleep(random.uniform(0.01, 0.05) * (attempt + 1))
        else:
            raise Unavailable("database_busy", "The profiles are being changed by others; try again in a minute.")
        if taken and not self._changes.skip_triggers:
            self._bell.ring(self._connection, ENGINE)
        return taken

    def _step(self, lane: int) -> int:
        ids = [row[0] for row in self._connection.execute(_NEXT, (self._task_id, lane, BATCH))]
        if not ids:
            return 0
        counts = self._delete(ids) if self._changes.delete else self._update(lane, ids)
        self._connection.execute(_DONE, (self._task_id, lane, ids))
        self._connection.execute(_COUNTED, (Jsonb(dict(counts)), self._task_id))
        return len(ids)

    def _delete(self, ids: Sequence[int]) -> Counter[str]:
        counts: Counter[str] = Counter()
        for number in ids:
            try:
                delete_profile(
                    self._connection, self._clock, self._base, number, cause=CAUSE_MANUAL, cause_id=self._user_id
                )
                counts["deleted"] += 1
            except SojournError:
                counts["gone"] += 1
        return counts

    def _update(self, lane: int, ids: Sequence[int]) -> Counter[str]:
        subscriptions: dict[int, list[SubscriptionInput]] = {number: [] for number in ids}
        if self._changes.subscribe:
            self._new_subscriptions(lane, ids, self._changes.subscribe, subscriptions)
        if self._changes.subscriptions:
            self._changed_subscriptions(lane, ids, self._changes.subscriptions, subscriptions)
        records = [Record({"profile_id": number}, self._changes.fields, subscriptions[number]) for number in ids]
        counts: Counter[str] = Counter()
        for outcome in import_records(self._connection, self._clock, self._base, records, self._options):
            if outcome.problem:
                counts["gone" if outcome.problem.code == "profile_unknown" else "refused"] += 1
            else:
                counts[outcome.action] += 1
        return counts

    def _new_subscriptions(
        self, lane: int, ids: Sequence[int], wanted: NewSubscription, into: dict[int, list[SubscriptionInput]]
    ) -> None:
        channel = channel_number(wanted.channel)
        if wanted.contact_from == "profile":
            statement = _CONTACTS.format(table=f'"{self._base.table}"')
            rows = self._connection.execute(statement, (list(ids), lane)).fetchall()
            found = {row[0]: row[1] if channel == EMAIL else row[2] for row in rows}
        else:
            found = dict(self._connection.execute(_OTHER_CONTACTS, (lane, list(ids), channel)).fetchall())
        for number, contact in found.items():
            if contact:
                into[number].append(SubscriptionInput(wanted.resource_id, channel, contact, wanted.status))

    def _changed_subscriptions(
        self, lane: int, ids: Sequence[int], wanted: SubscriptionChange, into: dict[int, list[SubscriptionInput]]
    ) -> None:
        channel = channel_number(wanted.channel) if wanted.channel is not None else None
        values = (
            lane,
            list(ids),
            wanted.resource_id,
            wanted.resource_id,
            channel,
            channel,
            STATUS_NUMBERS[wanted.status],
        )
        for number, resource_id, own_channel, contact in self._connection.execute(_HELD, values):
            into[number].append(SubscriptionInput(resource_id, own_channel, contact, wanted.status))

    def counts(self) -> dict[str, int]:
        """What became of all of them, over all runs of the task."""
        row = self._connection.execute("SELECT counts FROM bulk_run WHERE task_id = %s", (self._task_id,)).fetchone()
        return dict(row[0]) if row else {}
