"""Applies placed rows to the table of profiles, with the identities and the history that belong to them. All in sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sojourn.events import touch
from sojourn.kernel.errors import Problem
from sojourn.kernel.statement import quoted
from sojourn.profiles.fields import Field, identity_values
from sojourn.profiles.functional import Operation, in_memory, work_out
from sojourn.profiles.preference import recompute
from sojourn.profiles.records import Options
from sojourn.profiles.staging import CREATE, OUT, UPDATE, Stage
from sojourn.profiles.statuses import (
    CHANGE_CREATED,
    CHANGE_UPDATED,
    EMAIL,
    IDENTITY_EMAIL,
    IDENTITY_EMAIL_SUBSCRIPTION,
    IDENTITY_FIELD,
    IDENTITY_PHONE,
    IDENTITY_SMS_SUBSCRIPTION,
    SMS,
)

Group = Mapping[str, str]
"""What is done to which field beyond plain setting: field name → `clear`, `incr`, `add`, `delete`, `upsert` or `replace`."""

_LARGEST, _SMALLEST = 2**63 - 1, -(2**63)


@dataclass
class Applied:
    """What became of placed rows. `changed`: the profiles that changed, by row; `later`: rows for the next round."""

    refused: dict[int, Problem] = field(default_factory=dict)
    later: set[int] = field(default_factory=set)
    changed: dict[int, int] = field(default_factory=dict)
    created: int = 0


@dataclass
class Applying:
    """One round of one import.

    `groups` are numbered as the rows' `grp`; `operations` give the values of actions that are worked out in memory; `sought_by_email` tells
    whether a row is looked for by the very address its new profile gets. `guessed`: nobody looked whether the addresses are free, so one that
    is not ends the round with psycopg's `UniqueViolation`.
    """

    connection: psycopg.Connection[Any]
    stage: Stage
    options: Options
    at: datetime
    groups: Sequence[Group]
    operations: Mapping[int, Mapping[str, Operation]]
    sought_by_email: Callable[[int], bool]
    change_set: bool
    guessed: bool = False
    applied: Applied = field(default_factory=Applied)

    def __post_init__(self) -> None:
        self._placed = self.stage.table
        self._table = quoted(self.stage.database.table)
        self._values = {
            "at": self.at,
            "database": self.stage.database.id,
            "cause": self.options.cause,
            "cause_id": self.options.cause_id,
        }

    def foresee(self) -> None:
        """What `update` and `create` would do, written nowhere but in the stage: for test runs, where every group sets or replaces."""
        self._refuse_incomplete({f.column: f"s.{quoted(f.column)}" for f in self.stage.fields})
        if any(f.type == "email" for f in self.stage.fields):
            rows = self.connection.execute(
                f"UPDATE {self._placed} s SET kind = {OUT} FROM identity i WHERE s.kind IN ({CREATE}, {UPDATE}) AND i.database_id = %(database)s"
                f" AND i.kind = {IDENTITY_EMAIL} AND i.value = s.email AND i.profile_id <> s.profile_id RETURNING s.seq",
                self._values,
            )
            self.applied.refused.update((seq, _EMAIL_TAKEN) for (seq,) in rows)
        for number, group in enumerate(self.groups if self.stage.fields else ()):
            changed = " OR ".join(_differs(f, group.get(f.name, "set")) for f in self.stage.fields)
            rows = self.connection.execute(
                f"SELECT s.seq, p.id FROM {self._placed} s JOIN {self._table} p ON p.lane = s.lane AND p.id = s.profile_id"
                f" WHERE s.kind = {UPDATE} AND s.grp = %s AND ({changed})",
                (number,),
            )
            self.applied.changed.update(rows.fetchall())

    # ------------------------------------------------------------------------------------------ new profiles

    def create(self) -> None:
        """Create the profiles of rows that found nobody."""
        columns = {f.column: f"s.{quoted(f.column)}" for f in self.stage.fields}
        for number, group in enumerate(self.groups):
            self._start_from_nothing(number, group)
        self._refuse_incomplete(columns)
        if "email" in columns:
            self._claim_new()
        self._insert(columns)

    def _start_from_nothing(self, number: int, group: Group) -> None:
        for name, action in group.items():
            known = self.stage.database.field(name)
            if in_memory(known, action):
                rows = self.connection.execute(
                    f"SELECT seq FROM {self._placed} WHERE kind = {CREATE} AND grp = %s", (number,)
                ).fetchall()
                self._put(known, {seq: work_out(known, self.operations[seq][name], None) for (seq,) in rows})
            elif action == "delete":
                self.connection.execute(
                    f"UPDATE {self._placed} SET {quoted(known.column)} = NULL WHERE kind = {CREATE} AND grp = %s",
                    (number,),
                )

    def _refuse_incomplete(self, columns: Mapping[str, str]) -> None:
        for known in self.stage.database.fields.values():
            if known.required:
                rows = self.connection.execute(
                    f"UPDATE {self._placed} s SET kind = {OUT} WHERE kind = {CREATE} AND ({columns.get(known.column, 'NULL')}) IS NULL RETURNING seq"
                )
                problem = Problem("required_missing", f"A new profile needs the field “{known.name}”.", known.name)
                self.applied.refused.update((seq, problem) for (seq,) in rows)

    def _claim_new(self) -> None:
        # Claimed in the order of the addresses, so that two imports wait for each other in one direction only.
        claimed = self.connection.execute(
            f"INSERT INTO identity (profile_id, database_id, lane, kind, value) SELECT s.profile_id, %(database)s, s.lane, {IDENTITY_EMAIL}, s.email"
            f" FROM {self._placed} s WHERE s.kind = {CREATE} AND s.email IS NOT NULL ORDER BY s.email, s.seq{'' if self.guessed else ' ON CONFLICT DO NOTHING'}",
            self._values,
        ).rowcount
        if self.guessed:
            return
        wanted = self.connection.execute(
            f"SELECT count(*) FROM {self._placed} s WHERE s.kind = {CREATE} AND s.email IS NOT NULL"
        ).fetchone()
        if wanted is None or wanted[0] == claimed:
            return
        losers = self.connection.execute(
            f"UPDATE {self._placed} s SET kind = {OUT} WHERE s.kind = {CREATE} AND s.email IS NOT NULL AND NOT EXISTS ("
            f"SELECT FROM identity i WHERE i.database_id = %(database)s AND i.kind = {IDENTITY_EMAIL} AND i.value = s.email AND i.profile_id = s.profile_id)"
            " RETURNING s.seq",
            self._values,
        ).fetchall()
        for (seq,) in losers:
            # Who lost an address by which he is looked for finds the winner in the next round; else the address is simply taken.
            if self.sought_by_email(seq):
                self.applied.later.add(seq)
            else:
                self.applied.refused[seq] = _EMAIL_TAKEN

    def _insert(self, columns: Mapping[str, str]) -> None:
        names, expressions = [quoted(column) for column in columns], list(columns.values())
        values = dict(self._values)
        parts = [
            f"profile AS (INSERT INTO {self._table} (id, lane, created_at, updated_at{''.join(', ' + n for n in names)})"
            f" SELECT s.profile_id, s.lane, %(at)s, %(at)s{''.join(', ' + e for e in expressions)} FROM {self._placed} s WHERE s.kind = {CREATE} RETURNING 1)",
            f"recorded AS (INSERT INTO change (profile_id, at, database_id, lane, kind, cause, cause_id, new)"
            f" SELECT s.profile_id, %(at)s, %(database)s, s.lane, {CHANGE_CREATED}, %(cause)s, %(cause_id)s, {self._snapshot(columns, values)}"
            f" FROM {self._placed} s WHERE s.kind = {CREATE})",
        ]
        new = f"(SELECT profile_id, lane FROM {self._placed} WHERE kind = {CREATE}) n"
        parts.append(f"touched AS ({touch(new, 'profile')})")
        for number, known in enumerate(_kept(self.stage.database.fields.values())):
            if known.column in columns:
                kind, prefix = _identity(known)
                parts.append(
                    f"identity{number} AS (INSERT INTO identity (profile_id, database_id, lane, kind, value) SELECT s.profile_id, %(database)s, s.lane, {kind},"
                    f" '{prefix}' || v FROM {self._placed} s, LATERAL {identity_values(known, columns[known.column])} v WHERE s.kind = {CREATE})"
                )
        if self.change_set:
            parts.append(
                f"noted AS (INSERT INTO change_set SELECT s.profile_id, 1 FROM {self._placed} s WHERE s.kind = {CREATE})"
            )
        row = self.connection.execute(f"WITH {', '.join(parts)} SELECT count(*) FROM profile", values).fetchone()
        self.applied.created += row[0] if row else 0

    def _snapshot(self, columns: Mapping[str, str], values: dict[str, Any]) -> str:
        """SQL: the fields of a new profile as JSON, absent ones left out. The nulls inside objects stay.

        Not for files: what a profile began with follows from what it is and the old values of its later changes, and a third of the
        work on a new profile would go into writing it twice.
        """
        if self.options.source == "file":
            return "NULL::jsonb"
        by_column = {f.column: f for f in self.stage.database.fields.values()}
        plain, documents = [], []
        for number, (column, expression) in enumerate(columns.items()):
            values[f"n{number}"] = by_column[column].name
            pair = f"%(n{number})s::text, {expression}"
            if by_column[column].sql_type == "jsonb":
                documents.append(
                    f"CASE WHEN {expression} IS NULL THEN '{{}}'::jsonb ELSE jsonb_build_object({pair}) END"
                )
            else:
                plain.append(pair)
        chunks = [
            f"jsonb_strip_nulls(jsonb_build_object({', '.join(plain[i : i + 40])}))" for i in range(0, len(plain), 40)
        ]
        return " || ".join([*chunks, *documents]) or "'{}'::jsonb"

    # ------------------------------------------------------------------------------------------ known profiles

    def update(self) -> None:
        """Change the profiles of rows that found one; only those that really change are written."""
        for number, group in enumerate(self.groups):
            if self.stage.fields:
                self._update_group(number, group)

    def _update_group(self, number: int, group: Group) -> None:
        actions = {f.name: group.get(f.name, "set") for f in self.stage.fields}
        if not self._lock(number, actions):
            return
        changed = [_differs(f, actions[f.name]) for f in self.stage.fields]
        sets = ", ".join(f"{quoted(f.column)} = {_expression(f, actions[f.name])}" for f in self.stage.fields)
        images = ", ".join(
            f"old.{quoted(f.column)} AS o{i}, new.{quoted(f.column)} AS n{i}" for i, f in enumerate(self.stage.fields)
        )
        values = self._values | {"grp": number} | {f"name{i}": f.name for i, f in enumerate(self.stage.fields)}
        pairs = ", ".join(
            f"(%(name{i})s::text, to_jsonb(u.o{i}), to_jsonb(u.n{i}))" for i in range(len(self.stage.fields))
        )
        parts = [
            f"u AS (UPDATE {self._table} p SET {sets}, updated_at = %(at)s FROM {self._placed} s WHERE s.kind = {UPDATE} AND s.grp = %(grp)s AND p.lane = s.lane"
            f" AND p.id = s.profile_id AND ({' OR '.join(changed)}) RETURNING s.seq, p.id, p.lane, {images})",
            f"recorded AS (INSERT INTO change (profile_id, at, database_id, lane, kind, cause, cause_id, old, new)"
            f" SELECT u.id, %(at)s, %(database)s, u.lane, {CHANGE_UPDATED}, %(cause)s, %(cause_id)s, d.old, d.new FROM u, LATERAL ("
            f"SELECT jsonb_object_agg(k, o) AS old, jsonb_object_agg(k, n) AS new FROM (VALUES {pairs}) x(k, o, n) WHERE o IS DISTINCT FROM n) d WHERE d.new IS NOT NULL)",
        ]
        parts.append(f"touched AS ({touch('u', 'profile', profile='id')})")
        for i, known in enumerate(self.stage.fields):
            if known in _kept(self.stage.fields):
                parts += _identity_parts(i, known)
        rows = self.connection.execute(f"WITH {', '.join(parts)} SELECT seq, id FROM u", values).fetchall()
        self.applied.changed.update(rows)
        if rows and any(f.type == "status" for f in self.stage.fields):
            recompute(self.connection, self.stage.database.id, [profile_id for _, profile_id in rows])

    def _lock(self, number: int, actions: Mapping[str, str]) -> bool:
        """Lock the profiles that a group is going to change, refuse what cannot be, and tell whether any is left."""
        worked_out = [f for f in self.stage.fields if in_memory(f, actions[f.name])]
        moves = "email" in actions
        overflow = [_overflows(f) for f in self.stage.fields if actions[f.name] == "incr"]
        wanted = (
            "true" if worked_out else "(" + " OR ".join(_differs(f, actions[f.name]) for f in self.stage.fields) + ")"
        )
        rows = self.connection.execute(
            f"SELECT s.seq, {'coalesce(p.email IS DISTINCT FROM s.email AND s.email IS NOT NULL, false)' if moves else 'false'},"
            f" {' OR '.join(overflow) or 'false'}{''.join(f', p.{quoted(f.column)}' for f in worked_out)}"
            f" FROM {self._placed} s JOIN {self._table} p ON p.lane = s.lane AND p.id = s.profile_id WHERE s.kind = {UPDATE} AND s.grp = %s AND {wanted}"
            " ORDER BY p.lane, p.id FOR NO KEY UPDATE OF p",
            (number,),
        ).fetchall()
        too_large = {row[0]: _TOO_LARGE for row in rows if row[2]}
        self.stage.mark_out(self.connection, too_large)
        self.applied.refused.update(too_large)
        for i, known in enumerate(worked_out):
            self._put(known, {row[0]: work_out(known, self.operations[row[0]][known.name], row[3 + i]) for row in rows})
        if moving := [row[0] for row in rows if row[1] and row[0] not in too_large]:
            self._claim_moved(moving)
        return bool(rows)

    def _claim_moved(self, moving: Sequence[int]) -> None:
        """Give profiles their new e-mail in `identity` and take the old one away; who asks for a taken one is refused."""
        values = self._values | {"moving": list(moving)}
        self.connection.execute(
            f"INSERT INTO identity (profile_id, database_id, lane, kind, value) SELECT s.profile_id, %(database)s, s.lane, {IDENTITY_EMAIL}, s.email"
            f" FROM {self._placed} s WHERE s.seq = ANY(%(moving)s) ORDER BY s.email, s.seq ON CONFLICT DO NOTHING",
            values,
        )
        losers = self.connection.execute(
            f"UPDATE {self._placed} s SET kind = {OUT} WHERE s.seq = ANY(%(moving)s) AND NOT EXISTS (SELECT FROM identity i WHERE i.database_id = %(database)s"
            f" AND i.kind = {IDENTITY_EMAIL} AND i.value = s.email AND i.profile_id = s.profile_id) RETURNING s.seq",
            values,
        ).fetchall()
        self.applied.refused.update((seq, _EMAIL_TAKEN) for (seq,) in losers)
        self.connection.execute(
            f"WITH gone AS (DELETE FROM identity i USING {self._placed} s JOIN {self._table} p ON p.lane = s.lane AND p.id = s.profile_id"
            f" WHERE s.seq = ANY(%(moving)s) AND s.kind = {UPDATE} AND i.database_id = %(database)s AND i.kind = {IDENTITY_EMAIL} AND i.value = p.email"
            f" AND i.profile_id = p.id RETURNING i.profile_id, i.lane, i.value) {_still_subscribed('gone', EMAIL, IDENTITY_EMAIL_SUBSCRIPTION)}",
            values,
        )

    def _put(self, known: Field, new: Mapping[int, Any]) -> None:
        if new:
            self.connection.execute(
                f"UPDATE {self._placed} s SET {quoted(known.column)} = x.value FROM unnest(%s::int[], %s::jsonb[]) x(seq, value) WHERE s.seq = x.seq",
                (list(new), [None if value is None else Jsonb(value) for value in new.values()]),
            )


_EMAIL_TAKEN = Problem("email_taken", "Another profile has this e-mail address.", "email")
_TOO_LARGE = Problem("number_too_large", "The sum is larger than the field can hold.")


def _kept(fields: Any) -> list[Field]:
    """Those fields whose values stand in `identity` and may be shared."""
    return [f for f in fields if f.type == "phones" or f.matching]


def _identity(known: Field) -> tuple[int, str]:
    return (IDENTITY_PHONE, "") if known.type == "phones" else (IDENTITY_FIELD, f"{known.id}:")


def _identity_parts(i: int, known: Field) -> list[str]:
    """The parts of an update that bring `identity` in line with the values of one field before and after."""
    kind, prefix = _identity(known)
    before = f"SELECT u.id, u.lane, v FROM u, LATERAL {identity_values(known, f'u.o{i}')} v"
    after = f"SELECT u.id, u.lane, v FROM u, LATERAL {identity_values(known, f'u.n{i}')} v"
    kept = (
        [f"kept{i} AS ({_still_subscribed(f'gone{i}', SMS, IDENTITY_SMS_SUBSCRIPTION)})"]
        if known.type == "phones"
        else []
    )
    return [
        f"gone{i} AS (DELETE FROM identity i USING ({before} EXCEPT {after}) x WHERE i.profile_id = x.id AND i.kind = {kind} AND i.value = '{prefix}' || x.v"
        " RETURNING i.profile_id, i.lane, i.value)",
        *kept,
        f"come{i} AS (INSERT INTO identity (profile_id, database_id, lane, kind, value) SELECT x.id, %(database)s, x.lane, {kind}, '{prefix}' || x.v"
        f" FROM ({after} EXCEPT {before}) x)",
    ]


def _still_subscribed(gone: str, channel: int, kind: int) -> str:
    """SQL: contacts that are no longer the profile's own, but that it is still subscribed by, are found as those of subscriptions from now on."""
    return f"""INSERT INTO identity (profile_id, database_id, lane, kind, value) SELECT g.profile_id, %(database)s, g.lane, {kind}, g.value FROM {gone} g
      WHERE EXISTS (SELECT FROM subscription n WHERE n.lane = g.lane AND n.profile_id = g.profile_id AND n.channel = {channel} AND n.contact = g.value)
        AND NOT EXISTS (SELECT FROM identity o WHERE o.database_id = %(database)s AND o.kind = {kind} AND o.kind <> 1 AND o.value = g.value
          AND o.profile_id = g.profile_id)"""


def _expression(known: Field, action: str) -> str:
    """SQL: the new value of a field in terms of the old row `p` and the placed row `s`."""
    old, given = f"p.{quoted(known.column)}", f"s.{quoted(known.column)}"
    match action:
        case "clear":
            return "NULL"
        case "incr":
            return f"coalesce({old}, 0) + coalesce({given}, 0)"
        case "add" if known.type == "tags":
            union = f"coalesce({old}, '{{}}') || ARRAY(SELECT t FROM unnest({given}) WITH ORDINALITY x(t, n) WHERE t <> ALL(coalesce({old}, '{{}}')) ORDER BY n)"
            return f"CASE WHEN {given} IS NULL THEN {old} ELSE {union} END"
        case "add":
            return f"coalesce({old}, '[]') || {given}"
        case "delete" if known.type == "tags":
            return f"nullif(ARRAY(SELECT t FROM unnest({old}) WITH ORDINALITY x(t, n) WHERE t <> ALL({given}) ORDER BY n), '{{}}')"
        case "set":
            return f"coalesce({given}, {old})"
    return given  # worked out in memory, or to be taken over as it is, empty or not


def _differs(known: Field, action: str) -> str:
    """SQL: whether the new value differs, without a sum that might overflow."""
    old, given = f"p.{quoted(known.column)}", f"s.{quoted(known.column)}"
    match action:
        case "clear":
            return f"{old} IS NOT NULL"
        case "incr":
            return f"({given} <> 0 OR {old} IS NULL)"
        case "set":
            return f"({given} IS NOT NULL AND {old} IS DISTINCT FROM {given})"
    return f"{old} IS DISTINCT FROM ({_expression(known, action)})"


def _overflows(known: Field) -> str:
    old, given = f"coalesce(p.{quoted(known.column)}, 0)", f"coalesce(s.{quoted(known.column)}, 0)"
    if known.type == "integer":
        return f"{old}::numeric + {given}::numeric NOT BETWEEN {_SMALLEST} AND {_LARGEST}"
    return f"abs({old} / 2 + {given} / 2) > 8.98e307"
