"""Starts by the clock: everybody of a segment at certain moments, and people one of whose dates has come."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import psycopg
import structlog
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict

from sojourn.kernel import Clock
from sojourn.kernel.statement import quoted
from sojourn.profiles import Database, database
from sojourn.profiles.plan_schedule import PlanSchedule
from sojourn.segments.definitions import StoredSegments
from sojourn.segments.evaluation import Question, ask, everybody
from sojourn.segments.tree import Tree
from sojourn.triggers.captures import PRIORITY_IMPORT

Connection = psycopg.Connection[Any]
TRIGGER = "clock"
MOST_DAYS_LATE = 7
"""Dates that came while nothing ran are made up for so many days back."""
_AT_ONCE = 50
log = structlog.get_logger("triggers")


class DateRule(BaseModel):
    """Whose date has come: the field's day is `days` after (before: negative) the day of the run, each year if `yearly`.

    `leap`: when those born on 29 February have their day in other years; None: not at all.
    """

    model_config = ConfigDict(extra="forbid")
    field: str
    days: int = 0
    yearly: bool = False
    leap: Literal["feb28", "mar1"] | None = "feb28"


class ClockSettings(BaseModel):
    """What stands in `trigger_subscription.settings` of a start by the clock: when, and who: a segment, or those whose date has come."""

    model_config = ConfigDict(extra="forbid")
    schedule: PlanSchedule | None = None
    once_local: str | None = None
    """A moment by the account's clock, in place of a schedule."""
    segment: int | None = None
    date: DateRule | None = None

    def next_after(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """The next moment after `now`; None: never again."""
        if self.schedule is not None:
            return self.schedule.next_after(now, zone)
        moment = datetime.fromisoformat(str(self.once_local)).replace(tzinfo=zone)
        return moment if moment > now else None


def set_timers(connection: Connection, clock: Clock, scenario_id: int) -> None:
    """Work out when the listeners of a scenario begin by the clock; after `set_listeners`, in its transaction.

    What is due already stays due, also where a new version is published just then.
    """
    zone, now = _zone(connection), clock.now()
    rows = connection.execute(
        "SELECT node_id, settings FROM trigger_subscription WHERE scenario_id = %s AND trigger = %s",
        (scenario_id, TRIGGER),
    ).fetchall()
    wanted = {node_id: ClockSettings.model_validate(settings).next_after(now, zone) for node_id, settings in rows}
    connection.execute(
        "DELETE FROM trigger_timer WHERE scenario_id = %s AND node_id <> ALL(%s)", (scenario_id, list(wanted))
    )
    for node_id, moment in wanted.items():
        if moment is not None:
            connection.execute(
                "INSERT INTO trigger_timer (scenario_id, node_id, next_at) VALUES (%s, %s, %s) ON CONFLICT (scenario_id, node_id)"
                " DO UPDATE SET next_at = CASE WHEN trigger_timer.next_at <= %s THEN trigger_timer.next_at ELSE excluded.next_at END",
                (scenario_id, node_id, moment, now),
            )


def start_due(connection: Connection, clock: Clock) -> int:
    """Put everybody at the door whose moment has come; tells how many. Each run is one transaction, with its next moment."""
    now, captured = clock.now(), 0
    for _ in range(MOST_DAYS_LATE + 2):  # each day that is made up for is a run of its own
        due = connection.execute(
            "SELECT scenario_id, node_id FROM trigger_timer WHERE next_at <= %s ORDER BY next_at LIMIT %s",
            (now, _AT_ONCE),
        ).fetchall()
        for scenario_id, node_id in due:
            with connection.transaction():
                captured += _run(connection, now, scenario_id, node_id)
        if not due:
            break
    return captured


_TAKE = """
SELECT m.next_at, t.settings, t.database_id FROM trigger_timer m JOIN trigger_subscription t USING (scenario_id, node_id)
 WHERE m.scenario_id = %s AND m.node_id = %s AND m.next_at <= %s AND t.trigger = 'clock' FOR UPDATE OF m
"""
_CAPTURE = """
INSERT INTO capture (profile_id, at, scenario_id, node_id, lane, priority, key, context)
SELECT x.profile_id, %(at)s, %(scenario)s, %(node)s, x.lane, %(priority)s, %(key)s, %(context)s FROM ({who}) x
"""


def _run(connection: Connection, now: datetime, scenario_id: int, node_id: int) -> int:
    row = connection.execute(_TAKE, (scenario_id, node_id, now)).fetchone()
    if row is None:
        return 0
    moment, settings, database_id = row[0], ClockSettings.model_validate(row[1]), row[2]
    zone, base = _zone(connection), database(connection, database_id)
    context: dict[str, Any]
    if settings.date is None:
        following = settings.next_after(now, zone)  # runs that were missed are one run
        who, values = _members(connection, base, settings, moment)
        key, context = "", {"segment_id": settings.segment}
    else:
        earliest = now - timedelta(days=MOST_DAYS_LATE)
        following = settings.next_after(max(moment, earliest), zone)
        day = moment.astimezone(zone).date() + timedelta(days=settings.date.days)
        who, values = whose_day(base, settings.date, day, zone)
        if moment < earliest:
            who += " AND false"
        key = str(day.year) if settings.date.yearly else day.isoformat()
        context = {"date": {"field": settings.date.field, "day": day.isoformat()}}
    captured = connection.execute(
        _CAPTURE.format(who=who),
        {**values, "at": moment, "scenario": scenario_id, "node": node_id, "priority": PRIORITY_IMPORT, "key": key, "context": Jsonb(context)},
    ).rowcount  # fmt: skip
    if following is None:
        connection.execute("DELETE FROM trigger_timer WHERE scenario_id = %s AND node_id = %s", (scenario_id, node_id))
    else:
        connection.execute(
            "UPDATE trigger_timer SET next_at = %s WHERE scenario_id = %s AND node_id = %s",
            (following, scenario_id, node_id),
        )
    log.info("started by the clock", scenario=scenario_id, node=node_id, people=captured)
    return captured


def _members(
    connection: Connection, base: Database, settings: ClockSettings, at: datetime
) -> tuple[str, dict[str, Any]]:
    rules: Tree = {"rule": "segment", "segment": settings.segment, "membership": "in"}
    asked = ask(base, Question(rules=rules), at, StoredSegments(connection))
    return everybody(base, asked, "p.id AS profile_id, p.lane"), asked.values


def whose_day(base: Database, rule: DateRule, day: date, zone: ZoneInfo) -> tuple[str, dict[str, Any]]:
    """SQL: the profiles (profile_id, lane) whose date is on a day, or has its anniversary then."""
    known = base.field(rule.field)
    column = f"p.{quoted(known.column)}"
    own = column if known.sql_type == "date" else f"({column} AT TIME ZONE %(zone)s)::date"
    values: dict[str, Any] = {"day": day, "zone": zone.key}
    if not rule.yearly:
        condition = f"{own} = %(day)s"
    else:
        values["days"] = [f"{day:%m%d}"]
        if not _is_leap(day.year) and f"{day:%m%d}" == {"feb28": "0228", "mar1": "0301"}.get(rule.leap or ""):
            values["days"].append("0229")
        condition = f"to_char({own}, 'MMDD') = ANY(%(days)s) AND {own} <= %(day)s"
    return f"SELECT p.id AS profile_id, p.lane FROM {quoted(base.table)} p WHERE ({condition})", values


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _zone(connection: Connection) -> ZoneInfo:
    row = connection.execute("SELECT time_zone FROM account WHERE id = 1").fetchone()
    return ZoneInfo(row[0] if row else "UTC")
