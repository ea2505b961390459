"""Subscriptions one by one: confirmed, left, changed, read; and the end of suspensions. Imports write them in sets (`subscribing`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from sojourn.events import touch
from sojourn.kernel import Clock, lane_of
from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.kernel.statement import quoted
from sojourn.profiles.aliases import current_subscription
from sojourn.profiles.consent import keep_consent
from sojourn.profiles.databases import database_of, databases_of
from sojourn.profiles.preference import lock_profiles, recompute
from sojourn.profiles.statuses import (
    CAUSE_RECIPIENT,
    CAUSE_SYSTEM,
    CHANGE_SUBSCRIPTION,
    CHANGE_UPDATED,
    INVALID,
    STATUS_NUMBERS,
    STATUS_WORDS,
    SUBSCRIBED,
    SUSPENDED,
    UNCONFIRMED,
    UNSUBSCRIBED,
)  # fmt: skip
from sojourn.profiles.table import table_name

STATUS_WORD = "(ARRAY[" + ", ".join(f"'{word}'" for word in STATUS_WORDS) + "])[{} + 1]"
"""SQL: the word of a status."""

_ANY = tuple(range(len(STATUS_WORDS)))

_CHANGE_STATUS = f"""
WITH changed AS (
  UPDATE subscription s SET status = %(to)s, suspended_until = %(until)s,
         confirmed_at = CASE WHEN %(confirmed)s THEN %(at)s ELSE s.confirmed_at END,
         confirm_ip = CASE WHEN %(confirmed)s THEN %(ip)s ELSE s.confirm_ip END, consent_id = coalesce(%(consent)s, s.consent_id),
         deleted_at = CASE WHEN %(deleted)s THEN %(at)s END
    FROM unnest(%(profiles)s::bigint[], %(ids)s::bigint[]) x(profile_id, id)
   WHERE s.lane = (x.profile_id & 63)::smallint AND s.id = x.id AND s.profile_id = x.profile_id AND s.status = ANY(%(from)s)
     AND (s.status, s.suspended_until, s.deleted_at IS NOT NULL) IS DISTINCT FROM (%(to)s, %(until)s, %(deleted)s)
     AND (NOT %(ended)s OR s.suspended_until <= %(at)s)
  RETURNING s.profile_id, s.lane, s.id, s.resource_id, s.channel, s.contact, old.status AS before, new.status AS after),
recorded AS (
  INSERT INTO change (profile_id, at, subject_id, database_id, lane, kind, cause, cause_id, old, new)
  SELECT profile_id, %(at)s, id, %(database)s, lane, {CHANGE_SUBSCRIPTION}, %(cause)s, %(cause_id)s,
         jsonb_build_object('status', {STATUS_WORD.format("before")}),
         jsonb_build_object('status', {STATUS_WORD.format("after")}, 'resource_id', resource_id, 'channel', channel, 'contact', contact) FROM changed),
touched AS ({touch("changed", "subscription")})
SELECT profile_id, id FROM changed
"""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One contact of one profile in one channel of one resource."""

    id: int
    profile_id: int
    resource_id: int
    resource_name: str
    channel: int
    contact: str
    status: int
    effective: int
    priority: int
    preferred: bool
    created_at: datetime
    opted_in_at: datetime | None
    confirmed_at: datetime | None
    suspended_until: datetime | None
    opt_in_ip: str | None
    opt_in_url: str | None
    confirm_ip: str | None
    cats: list[str] | None
    custom: dict[str, Any] | None
    deleted_at: datetime | None
    consent: str | None


_SUBSCRIPTIONS = """
SELECT s.id, s.profile_id, s.resource_id, r.name AS resource_name, s.channel, s.contact, s.status, s.effective, s.priority, s.preferred, s.created_at,
  s.opted_in_at, s.confirmed_at, s.suspended_until, s.opt_in_ip, s.opt_in_url, s.confirm_ip, s.cats, s.custom, s.deleted_at, t.text AS consent
  FROM subscription s JOIN resource r ON r.id = s.resource_id LEFT JOIN consent_text t ON t.id = s.consent_id WHERE s.lane = %s AND
"""


def of_profile(connection: psycopg.Connection[Any], profile_id: int, *, limit: int = 1_000) -> list[Subscription]:
    """The subscriptions of a profile, oldest first, deleted ones among them (`deleted_at`)."""
    with connection.cursor(row_factory=class_row(Subscription)) as cursor:
        statement = _SUBSCRIPTIONS + " s.profile_id = %s ORDER BY s.id LIMIT %s"
        return cursor.execute(statement, (lane_of(profile_id), profile_id, limit)).fetchall()


def subscription(connection: psycopg.Connection[Any], lane: int, subscription_id: int) -> Subscription:
    """One subscription.

    Raises:
        NotFound: `unknown_subscription`.
    """
    with connection.cursor(row_factory=class_row(Subscription)) as cursor:
        found = cursor.execute(_SUBSCRIPTIONS + " s.id = %s", (lane, subscription_id)).fetchone()
    if found is None:
        raise NotFound("unknown_subscription", "There is no such subscription.", "subscription_id")
    return found


def confirm(
    connection: psycopg.Connection[Any], clock: Clock, lane: int, subscription_id: int, *, ip: str | None = None,
    cause: int = CAUSE_RECIPIENT, cause_id: int | None = None, consent: str = "",
) -> bool:  # fmt: skip
    """Double opt-in: an unconfirmed subscription becomes subscribed, with moment, address and the text shown (`consent`) as proof.

    Tells whether it did; a repeat does nothing.

    Raises:
        NotFound: `unknown_subscription`.
    """
    return _change_one(
        connection, clock, lane, subscription_id, SUBSCRIBED, (UNCONFIRMED,), cause, cause_id, ip=ip, confirmed=True,
        consent_id=keep_consent(connection, clock.now(), consent),
    )  # fmt: skip


def unsubscribe(
    connection: psycopg.Connection[Any],
    clock: Clock,
    lane: int,
    subscription_id: int,
    *,
    cause: int = CAUSE_RECIPIENT,
    cause_id: int | None = None,
) -> bool:
    """The recipient leaves. Tells whether that changed anything: who complained or bounced stays so.

    Raises:
        NotFound: `unknown_subscription`.
    """
    return _change_one(
        connection, clock, lane, subscription_id, UNSUBSCRIBED, (SUBSCRIBED, UNCONFIRMED, SUSPENDED), cause, cause_id
    )


def set_status(
    connection: psycopg.Connection[Any], clock: Clock, lane: int, subscription_id: int, status: int, *, suspended_until: datetime | None = None,
    cause: int, cause_id: int | None = None,
) -> bool:  # fmt: skip
    """Give a subscription any status; `suspended_until` ends a suspension by itself. Tells whether that changed anything.

    Raises:
        NotFound: `unknown_subscription`. SojournError: `incorrect_status`.
    """
    if status not in _ANY:
        raise SojournError("incorrect_status", "There is no such status.", "status")
    until = suspended_until if status == SUSPENDED else None
    return _change_one(connection, clock, lane, subscription_id, status, _ANY, cause, cause_id, until=until)


def delete_subscription(
    connection: psycopg.Connection[Any],
    clock: Clock,
    lane: int,
    subscription_id: int,
    *,
    cause: int,
    cause_id: int | None = None,
) -> bool:
    """Delete a subscription: nobody writes to it, and it can be restored. Tells whether it was there.

    Raises:
        NotFound: `unknown_subscription`.
    """
    return _change_one(connection, clock, lane, subscription_id, INVALID, _ANY, cause, cause_id, deleted=True)


_LAST_STATUS = f"""
SELECT old ->> 'status' FROM change WHERE lane = %s AND profile_id = %s AND subject_id = %s AND kind = {CHANGE_SUBSCRIPTION} AND at <= %s
   AND new ->> 'status' = 'invalid' ORDER BY at DESC LIMIT 1
"""


def restore_subscription(
    connection: psycopg.Connection[Any],
    clock: Clock,
    lane: int,
    subscription_id: int,
    *,
    cause: int,
    cause_id: int | None = None,
) -> bool:
    """Give a deleted subscription back the status it had; where nobody knows that any more, it comes back unsubscribed.

    Raises:
        NotFound: `unknown_subscription`. Conflict: `not_deleted`.
    """
    with connection.transaction():
        found = subscription(connection, lane, subscription_id)
        if found.deleted_at is None:
            raise Conflict("not_deleted", "This subscription is not deleted.", "subscription_id")
        row = connection.execute(_LAST_STATUS, (lane, found.profile_id, subscription_id, found.deleted_at)).fetchone()
        status = STATUS_NUMBERS.get(row[0] if row else "", UNSUBSCRIBED)
        return _change_one(connection, clock, lane, subscription_id, status, _ANY, cause, cause_id)


def set_global_status(
    connection: psycopg.Connection[Any],
    clock: Clock,
    database_id: int,
    profile_id: int,
    status: int,
    *,
    cause: int,
    cause_id: int | None = None,
) -> bool:
    """Give a profile a global status, which goes above all its subscriptions. Tells whether that changed anything.

    Raises:
        NotFound: `unknown_profile`. SojournError: `incorrect_status`.
    """
    if status not in _ANY:
        raise SojournError("incorrect_status", "There is no such status.", "status")
    statement = f"""
WITH changed AS (
  UPDATE {quoted(table_name(database_id))} p SET status = %(to)s, updated_at = %(at)s
   WHERE p.lane = %(lane)s AND p.id = %(id)s AND coalesce(p.status, {SUBSCRIBED}) <> %(to)s
  RETURNING p.id, p.lane, old.status AS before, new.status AS after),
touched AS ({touch("changed", "profile", profile="id")})
INSERT INTO change (profile_id, at, database_id, lane, kind, cause, cause_id, old, new)
SELECT id, %(at)s, %(database)s, lane, {CHANGE_UPDATED}, %(cause)s, %(cause_id)s,
       jsonb_build_object('_status', before), jsonb_build_object('_status', after) FROM changed
"""
    values = {
        "to": status,
        "at": clock.now(),
        "lane": lane_of(profile_id),
        "id": profile_id,
        "database": database_id,
        "cause": cause,
        "cause_id": cause_id,
    }
    with connection.transaction():
        if not lock_profiles(connection, database_id, [profile_id]):
            raise NotFound("unknown_profile", "There is no such profile.", "profile_id")
        changed = connection.execute(statement, values).rowcount > 0
        if changed:
            recompute(connection, database_id, [profile_id])
    return changed


_SET_CATEGORIES = f"""
WITH changed AS (
  UPDATE subscription s SET cats = %(cats)s WHERE s.lane = %(lane)s AND s.id = %(id)s AND s.cats IS DISTINCT FROM %(cats)s::text[]
  RETURNING s.profile_id, s.lane, s.id, s.resource_id, s.channel, s.contact, old.cats AS before, new.cats AS after),
touched AS ({touch("changed", "subscription")})
INSERT INTO change (profile_id, at, subject_id, database_id, lane, kind, cause, cause_id, old, new)
SELECT profile_id, %(at)s, id, %(database)s, lane, {CHANGE_SUBSCRIPTION}, %(cause)s, %(cause_id)s, jsonb_build_object('cats', before),
       jsonb_build_object('cats', after, 'resource_id', resource_id, 'channel', channel, 'contact', contact) FROM changed
"""


def choose_categories(
    connection: psycopg.Connection[Any], clock: Clock, lane: int, subscription_id: int, names: Collection[str] | None, *, cause: int,
    cause_id: int | None = None,
) -> bool:  # fmt: skip
    """Let a subscription get only the categories named, or all with None. Tells whether that changed anything.

    Raises:
        NotFound: `unknown_subscription`.
    """
    found = subscription(connection, lane, subscription_id)
    database_id = database_of(connection, found.profile_id)
    values = {
        "cats": None if names is None else sorted(set(names)), "lane": lane, "id": subscription_id, "at": clock.now(), "database": database_id,
        "cause": cause, "cause_id": cause_id,
    }  # fmt: skip
    with connection.transaction():
        lock_profiles(connection, database_id, [found.profile_id])
        return connection.execute(_SET_CATEGORIES, values).rowcount > 0


def resume_suspended(connection: psycopg.Connection[Any], clock: Clock, *, limit: int = 10_000) -> int:
    """Let suspensions whose time is over end: the subscriptions are subscribed again. Tells how many of the at most `limit` were."""
    due = connection.execute(
        "SELECT s.profile_id, s.id FROM subscription s WHERE s.status = 5 AND s.suspended_until <= %s ORDER BY s.suspended_until LIMIT %s",
        (clock.now(), limit),
    ).fetchall()
    home = databases_of(connection, [row[0] for row in due])
    resumed = 0
    for database_id in sorted(set(home.values())):
        chosen = [row for row in due if home.get(row[0]) == database_id]
        with connection.transaction():
            resumed += change_statuses(
                connection, clock, database_id, chosen, SUBSCRIBED, (SUSPENDED,), CAUSE_SYSTEM, None, ended=True
            )
    return resumed


def _change_one(
    connection: psycopg.Connection[Any], clock: Clock, lane: int, subscription_id: int, to: int, allowed: Collection[int], cause: int, cause_id: int | None, *,
    until: datetime | None = None, ip: str | None = None, confirmed: bool = False, consent_id: int | None = None, deleted: bool = False,
) -> bool:  # fmt: skip
    with connection.transaction():
        database_id, place = _locked(connection, lane, subscription_id)
        return (
            change_statuses(
                connection,
                clock,
                database_id,
                [place],
                to,
                allowed,
                cause,
                cause_id,
                until=until,
                ip=ip,
                confirmed=confirmed,
                consent_id=consent_id,
                deleted=deleted,
            )
            > 0
        )


def _locked(connection: psycopg.Connection[Any], lane: int, subscription_id: int) -> tuple[int, tuple[int, int]]:
    """The database of a subscription, and the profile and number that it has now, locked: a merge may have moved it, even while we waited."""
    place = current_subscription(connection, lane, subscription_id)
    while place is not None:
        with suppress(NotFound):
            database_id = database_of(connection, place[0])
            lock_profiles(connection, database_id, [place[0]])
            if (now := current_subscription(connection, lane, subscription_id)) == place:
                return database_id, place
            place = now
            continue
        place = current_subscription(connection, lane, subscription_id)
    raise NotFound("unknown_subscription", "There is no such subscription.", "subscription_id")


def change_statuses(
    connection: psycopg.Connection[Any], clock: Clock, database_id: int, pairs: Sequence[tuple[int, int]], to: int, allowed: Collection[int], cause: int,
    cause_id: int | None, *, until: datetime | None = None, ip: str | None = None, confirmed: bool = False, ended: bool = False,
    consent_id: int | None = None, deleted: bool = False,
) -> int:  # fmt: skip
    """Change the status of subscriptions (profile, subscription) of one database, inside the caller's transaction; tells how many changed."""
    lock_profiles(connection, database_id, sorted({profile_id for profile_id, _ in pairs}))
    values = {
        "to": to, "from": list(allowed), "until": until, "at": clock.now(), "confirmed": confirmed, "ended": ended, "ip": ip[:64] if ip else None,
        "consent": consent_id, "deleted": deleted,
        "profiles": [pair[0] for pair in pairs], "ids": [pair[1] for pair in pairs], "database": database_id, "cause": cause, "cause_id": cause_id,
    }  # fmt: skip
    changed = connection.execute(_CHANGE_STATUS, values).fetchall()
    if changed:
        recompute(connection, database_id, [row[0] for row in changed])
    return len(changed)
