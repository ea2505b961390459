"""Subscriptions of an import, in sets: those that exist are changed where something was given, the others added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import psycopg

from sojourn.events import touch
from sojourn.kernel.statement import quoted
from sojourn.profiles.databases import Database
from sojourn.profiles.import_options import Subscribing
from sojourn.profiles.preference import RANK, effective, recompute
from sojourn.profiles.records import Options
from sojourn.profiles.staging import CREATE, SUBSCRIPTION_COLUMNS
from sojourn.profiles.statuses import (
    CHANGE_SUBSCRIBED,
    CHANGE_SUBSCRIPTION,
    EMAIL,
    IDENTITY_EMAIL_SUBSCRIPTION,
    IDENTITY_OTHER,
    IDENTITY_PUSH,
    IDENTITY_SMS_SUBSCRIPTION,
    PUSH,
    SMS,
    SUBSCRIBED,
    SUSPENDED,
)  # fmt: skip
from sojourn.profiles.subscriptions import STATUS_WORD

_KIND = f"CASE channel WHEN {EMAIL} THEN {IDENTITY_EMAIL_SUBSCRIPTION} WHEN {SMS} THEN {IDENTITY_SMS_SUBSCRIPTION} WHEN {PUSH} THEN {IDENTITY_PUSH} ELSE {IDENTITY_OTHER} END"
_VALUE = f"CASE WHEN channel IN ({EMAIL}, {SMS}, {PUSH}) THEN contact ELSE channel || ':' || contact END"
_SAME = "s.lane = x.lane AND s.profile_id = x.profile_id AND s.resource_id = x.resource_id AND s.channel = x.channel AND s.contact = x.contact"
_DETAILS = "'resource_id', resource_id, 'channel', channel, 'contact', contact"

_DIGEST = "sha256(convert_to(x.consent, 'UTF8'))"
_CONSENT = f"CASE WHEN x.consent IS NOT NULL THEN (SELECT t.id FROM consent_text t WHERE t.digest = {_DIGEST}) END"
_KEEP_CONSENT = f"""
INSERT INTO consent_text (created_at, digest, text)
SELECT DISTINCT %(at)s, {_DIGEST}, x.consent FROM staged_subscription x WHERE x.consent IS NOT NULL ON CONFLICT (digest) DO NOTHING
"""

_UNCHANGED = f"""
DELETE FROM staged_subscription x USING subscription s
 WHERE NOT x.created AND {_SAME} AND coalesce(x.status, s.status) = s.status AND coalesce(x.priority, s.priority) = s.priority
   AND (x.cats IS NULL OR x.cats IS NOT DISTINCT FROM s.cats) AND (x.custom IS NULL OR coalesce(s.custom, '{{}}') @> x.custom)
   AND (s.deleted_at IS NULL OR x.status IS NULL) AND (x.consent IS NULL OR s.consent_id = {_CONSENT})
"""

_LOCK = """
SELECT p.id FROM (SELECT DISTINCT lane, profile_id FROM staged_subscription WHERE NOT created) x JOIN {table} p ON p.lane = x.lane AND p.id = x.profile_id
 ORDER BY p.lane, p.id FOR NO KEY UPDATE OF p
"""

_CHANGE = f"""
WITH changed AS (
  UPDATE subscription s SET status = coalesce(x.status, s.status), priority = coalesce(x.priority, s.priority), cats = coalesce(x.cats, s.cats),
         custom = CASE WHEN x.custom IS NULL THEN s.custom ELSE coalesce(s.custom, '{{}}') || x.custom END,
         suspended_until = CASE WHEN coalesce(x.status, {SUSPENDED}) = {SUSPENDED} THEN s.suspended_until END,
         deleted_at = CASE WHEN x.status IS NULL THEN s.deleted_at END, consent_id = coalesce({_CONSENT}, s.consent_id)
    FROM staged_subscription x WHERE NOT x.created AND {_SAME}
  RETURNING s.profile_id, s.lane, s.id, s.resource_id, s.channel, s.contact, old.status AS status0, new.status AS status1,
            old.priority AS priority0, new.priority AS priority1, old.cats AS cats0, new.cats AS cats1),
recorded AS (
  INSERT INTO change (profile_id, at, subject_id, database_id, lane, kind, cause, cause_id, old, new)
  SELECT profile_id, %(at)s, id, %(database)s, lane, {CHANGE_SUBSCRIPTION}, %(cause)s, %(cause_id)s,
    jsonb_build_object('status', {STATUS_WORD.format("status0")}, 'priority', priority0, 'cats', cats0),
    jsonb_build_object('status', {STATUS_WORD.format("status1")}, 'priority', priority1, 'cats', cats1, {_DETAILS}) FROM changed),
touched AS ({touch("changed", "subscription")})
SELECT DISTINCT profile_id FROM changed
"""

# A new profile's contacts get their rank at once; those of a known one are ranked afterwards, with what it had (`recompute`).
_ADD = """
WITH added AS (
  INSERT INTO subscription (profile_id, created_at, opted_in_at, resource_id, lane, channel, status, effective, priority, preferred, contact, opt_in_ip,
    opt_in_url, cats, custom, consent_id)
  SELECT profile_id, %(at)s, coalesce(opted_in_at, %(at)s), resource_id, lane, channel, status, effective, priority,
         created AND row_number() OVER (PARTITION BY profile_id, resource_id, channel ORDER BY {rank}) = 1, contact, ip, url, cats, custom, {consent}
    FROM (SELECT x.profile_id, x.lane, x.created, x.opted_in_at, x.resource_id, x.channel, coalesce(x.status, {subscribed}) AS status, x.seq AS id,
                 {effective} AS effective, coalesce(x.priority, 0::smallint) AS priority, x.contact, x.ip, x.url, x.cats, x.custom, x.consent
            FROM staged_subscription x JOIN {table} p ON p.lane = x.lane AND p.id = x.profile_id
           WHERE x.created OR NOT EXISTS (SELECT FROM subscription s WHERE {same}) OFFSET 0) x
   ORDER BY lane, profile_id
  RETURNING profile_id, lane, id, resource_id, channel, contact, status),
recorded AS (
  INSERT INTO change (profile_id, at, subject_id, database_id, lane, kind, cause, cause_id, new)
  SELECT profile_id, %(at)s, id, %(database)s, lane, {kind_added}, %(cause)s, %(cause_id)s, jsonb_build_object('status', {word}, {details}) FROM added),
known AS (
  INSERT INTO identity (profile_id, database_id, lane, kind, value)
  SELECT a.profile_id, %(database)s, a.lane, a.kind, a.value FROM (SELECT DISTINCT profile_id, lane, {kind} AS kind, {value} AS value FROM added) a
   WHERE NOT EXISTS (SELECT FROM identity i WHERE i.database_id = %(database)s AND i.kind = a.kind AND i.kind <> 1 AND i.value = a.value AND i.profile_id = a.profile_id)),
touched AS ({touched})
SELECT DISTINCT profile_id FROM added
"""


# New profiles subscribe straight from the stage: they have no other contacts that would have to be looked at. That they were subscribed follows
# from the subscription itself, made at the moment of the profile (`history`): a row of `change` for each would be a fifth of the work. Nor do
# they get another identity: the contact is the profile's own, and is found as such (`matching`).
_NEW = """
WITH added AS (
  INSERT INTO subscription (profile_id, created_at, opted_in_at, resource_id, lane, channel, status, effective, priority, preferred, contact, cats)
  SELECT s.profile_id, %(at)s, %(at)s, %(resource)s, s.lane, %(channel)s, %(status)s, {effective}, %(priority)s, true, {contact}, %(cats)s
    FROM {stage} s WHERE s.kind = {create} AND {contact} IS NOT NULL
  RETURNING profile_id, lane, id, resource_id, channel, contact, status),
{recorded}touched AS ({touched})
SELECT count(*) FROM added
"""
# Only for scenarios that begin with a subscription: they are started by rows of `change`.
_NEW_RECORDED = """recorded AS (
  INSERT INTO change (profile_id, at, subject_id, database_id, lane, kind, cause, cause_id, new)
  SELECT profile_id, %(at)s, id, %(database)s, lane, {kind_added}, %(cause)s, %(cause_id)s,
         jsonb_build_object('status', {word}, 'resource_id', resource_id, 'channel', channel, 'contact', contact) FROM added),
"""
_STARTS = "SELECT tgenabled <> 'D' FROM pg_trigger WHERE tgrelid = 'change'::regclass AND tgname = 'starts'"


def subscribe_new(
    connection: psycopg.Connection[Any],
    database: Database,
    options: Options,
    at: datetime,
    stage: str,
    wanted: Sequence[tuple[Subscribing, str]],
) -> None:
    """Subscribe the profiles that this round creates, each by an SQL contact in terms of the stage `s`; resource and channel come once."""
    row = None if options.skip_triggers else connection.execute(_STARTS).fetchone()
    recorded = _NEW_RECORDED.format(kind_added=CHANGE_SUBSCRIBED, word=STATUS_WORD.format("status"))
    for item, contact in wanted:
        statement = _NEW.format(
            stage=stage, create=CREATE, contact=contact, effective=effective("s.status", "%(status)s::smallint"),
            touched=touch("added", "subscription"), recorded=recorded if row and row[0] else "",
        )  # fmt: skip
        values = {
            "database": database.id, "cause": options.cause, "cause_id": options.cause_id,
            "at": at, "resource": item.resource_id, "channel": item.channel,
            "status": SUBSCRIBED if item.status is None else item.status, "priority": item.priority or 0,
            "cats": None if item.cats is None else list(item.cats),
        }  # fmt: skip
        connection.execute(statement, values)


def stage_subscriptions(connection: psycopg.Connection[Any], lines: Iterable[str]) -> None:
    """Copy lines of COPY text (`SUBSCRIPTION_COLUMNS`) into the empty table of staged subscriptions."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY staged_subscription ({', '.join(SUBSCRIPTION_COLUMNS)}) FROM STDIN") as copy,
    ):
        copy.write("".join(lines))


def foresee_subscriptions(connection: psycopg.Connection[Any]) -> set[int]:
    """Which known profiles the staged subscriptions would change; nothing is written but in the stage."""
    connection.execute(_UNCHANGED)
    return {row[0] for row in connection.execute("SELECT profile_id FROM staged_subscription WHERE NOT created")}


def apply_subscriptions(
    connection: psycopg.Connection[Any],
    database: Database,
    options: Options,
    at: datetime,
    *,
    created: bool,
    known: bool,
) -> set[int]:
    """Write the staged subscriptions; tells which known profiles changed by it. `created`, `known`: whether there are new and known ones."""
    values = {"at": at, "database": database.id, "cause": options.cause, "cause_id": options.cause_id}
    changed: set[int] = set()
    ids: list[int] = []
    table = quoted(database.table)
    connection.execute(_KEEP_CONSENT, {"at": at})
    if known:
        connection.execute(_UNCHANGED)
        # Before anything of a known profile is written its row is locked: nobody else ranks its contacts at the same time.
        ids = [row[0] for row in connection.execute(_LOCK.format(table=table))]
        if ids:
            changed.update(row[0] for row in connection.execute(_CHANGE, values))
        elif not created:
            return changed
    statement = _ADD.format(
        rank=RANK, subscribed=SUBSCRIBED, effective=effective("p.status", f"coalesce(x.status, {SUBSCRIBED})"), table=table, same=_SAME,
        kind_added=CHANGE_SUBSCRIBED, word=STATUS_WORD.format("status"), details=_DETAILS, kind=_KIND, value=_VALUE,
        touched=touch("added", "subscription"), consent=_CONSENT,
    )  # fmt: skip
    changed.update(row[0] for row in connection.execute(statement, values))
    if ids:
        recompute(connection, database.id, ids)
    return changed.intersection(ids)
