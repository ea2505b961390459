"""Scheduled imports: when they run, what they read, and what is remembered."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sojourn.cli.task_kinds import register_all
from sojourn.connections import create_link
from sojourn.kernel import Settings, VirtualClock
from sojourn.kernel.errors import Conflict, SojournError
from sojourn.kernel.tasks import get_task, perform
from sojourn.kernel.vault import Vault
from sojourn.profiles import Database, list_profiles
from sojourn.profiles.import_plans import PlanDraft, change_plan, create_plan, delete_plan, plan
from sojourn.profiles.import_runs import list_runs, start_due_plans, start_plan
from sojourn.profiles.plan_schedule import PlanSchedule
from sojourn.profiles.rejections import list_rejections
from tests.connections.conftest import WebServer, ftp, web

__all__ = ["ftp", "web"]
Connection = psycopg.Connection[Any]
DAILY = {"kind": "daily", "at": "03:00"}


class Plans:
    """Makes plans over an SQLite file or a server, and runs them in this process."""

    def __init__(
        self, connection: Connection, clock: VirtualClock, settings: Settings, shop: Database, url: str
    ) -> None:
        self.connection, self.clock, self.shop, self.url = connection, clock, shop, url
        self.settings = settings.model_copy(update={"private_hosts": ["127.0.0.1"]})
        register_all(self.settings)

    def sqlite(self, *statements: str) -> None:
        folder = self.settings.data / "sqlite"
        folder.mkdir(exist_ok=True)
        with sqlite3.connect(folder / "crm.db") as file:
            for statement in statements:
                file.execute(statement)
        file.close()

    def link(self, kind: str, given: dict[str, Any], secret: dict[str, Any] | None = None) -> int:
        vault = Vault.of(self.settings)
        return create_link(self.connection, self.clock, vault, f"{kind} source", kind, given, secret or {}).id

    def draft(self, link: int, source: dict[str, Any], **more: Any) -> PlanDraft:
        return PlanDraft.model_validate(
            {
                "name": "CRM",
                "database_id": self.shop.id,
                "connection_id": link,
                "source": source,
                "schedule": DAILY,
                **more,
            }
        )

    def run(self, plan_id: int) -> Any:
        """Start a run and do it; gives the run."""
        task = get_task(self.connection, start_plan(self.connection, self.clock, plan_id))
        perform(self.url, self.clock, task.id)
        return list_runs(self.connection, plan_id, limit=1)[0]

    def emails(self) -> list[str]:
        return sorted(found["email"] for found in list_profiles(self.connection, self.shop))


@pytest.fixture
def plans(connection: Connection, clock: VirtualClock, settings: Settings, shop: Database, database_url: str) -> Plans:
    return Plans(connection, clock, settings, shop, database_url)


def test_a_query_goes_on_where_the_last_run_ended(plans: Plans) -> None:
    plans.sqlite(
        "CREATE TABLE crm (id integer, email text, bonus integer)",
        "INSERT INTO crm VALUES (1, 'a@x.test', 5), (2, 'b@x.test', 6)",
    )
    source = {"kind": "query", "query": "SELECT id, email, bonus FROM crm WHERE id > :cursor"}
    link = plans.link("sql", {"system": "sqlite", "database": "crm.db"})
    options = {"mapping": {"email": "email", "bonus": "bonus"}}
    made = create_plan(
        plans.connection, plans.clock, plans.draft(link, source, cursor_column="id", cursor_start="0", options=options)
    )
    first = plans.run(made.id)
    assert (first.state, first.counts["created"], first.cursor_after) == (
        "completed",
        2,
        {"type": "integer", "value": "2"},
    )
    plans.sqlite("INSERT INTO crm VALUES (3, 'c@x.test', 7)", "UPDATE crm SET bonus = 50 WHERE id = 1")
    second = plans.run(made.id)
    assert (second.counts["total"], second.counts["created"]) == (1, 1)
    assert plans.emails() == ["a@x.test", "b@x.test", "c@x.test"]
    third = plans.run(made.id)
    assert third.counts["total"] == 0 and plan(plans.connection, made.id).cursor.value == 3


def test_a_failed_run_moves_no_cursor_tells_why_and_five_of_them_stop_the_plan(plans: Plans) -> None:
    plans.sqlite("CREATE TABLE crm (id integer, email text)", "INSERT INTO crm VALUES (1, 'a@x.test')")
    link = plans.link("sql", {"system": "sqlite", "database": "crm.db"})
    source = {"kind": "query", "query": "SELECT id, email FROM crm WHERE id > :cursor"}
    made = create_plan(plans.connection, plans.clock, plans.draft(link, source, cursor_column="id", cursor_start="0"))
    plans.sqlite("ALTER TABLE crm RENAME TO other")
    for _ in range(5):
        assert plan(plans.connection, made.id).active
        run = plans.run(made.id)
        assert run.state == "failed" and "no such table: crm" in run.error
    found = plan(plans.connection, made.id)
    assert not found.active and found.cursor.value == 0


def test_a_table_is_read_whole_or_by_its_growing_column_with_quoted_names(plans: Plans) -> None:
    plans.sqlite(
        'CREATE TABLE "my ""crm" ("the id" integer, email text)', """INSERT INTO "my ""crm" VALUES (7, 'a@x.test')"""
    )
    link = plans.link("sql", {"system": "sqlite", "database": "crm.db"})
    options = {"mapping": {"email": "email"}}
    made = create_plan(
        plans.connection,
        plans.clock,
        plans.draft(link, {"kind": "table", "table": 'my "crm'}, cursor_column="the id", options=options),
    )
    assert plans.run(made.id).counts["created"] == 1
    plans.sqlite("""INSERT INTO "my ""crm" VALUES (8, 'b@x.test')""")
    assert plans.run(made.id).counts["total"] == 1


def test_rows_that_are_refused_can_be_read_from_the_run(plans: Plans) -> None:
    plans.sqlite("CREATE TABLE crm (email text)", "INSERT INTO crm VALUES ('a@x.test'), ('no address')")
    link = plans.link("sql", {"system": "sqlite", "database": "crm.db"})
    made = create_plan(plans.connection, plans.clock, plans.draft(link, {"kind": "table", "table": "crm"}))
    run = plans.run(made.id)
    assert run.counts["rejected"] == 1
    assert [one.field for one in list_rejections(plans.connection, run.task_id)] == ["email"]


def test_only_new_and_changed_files_are_imported_and_then_moved(plans: Plans, ftp: Any) -> None:
    port, folder = ftp
    (folder / "a.csv").write_text("email\na@x.test\n")
    (folder / "note.txt").write_text("x")
    link = plans.link(
        "ftp", {"host": "127.0.0.1", "port": port, "user": "ann", "encryption": "off"}, {"password": "secret"}
    )
    keep = {"kind": "files", "mask": "*.csv"}
    made = create_plan(plans.connection, plans.clock, plans.draft(link, keep))
    assert plans.run(made.id).counts["files"] == ["a.csv"]
    assert plans.run(made.id).counts == {"total": 0, "files": []}
    (folder / "b.csv").write_text("email\nb@x.test\n")
    draft = plans.draft(link, keep | {"after": "move", "folder": "done"})
    change_plan(plans.connection, plans.clock, made.id, draft)
    assert plans.run(made.id).counts["files"] == ["b.csv"]
    assert (folder / "done" / "b.csv").exists() and plans.emails() == ["a@x.test", "b@x.test"]
    change_plan(plans.connection, plans.clock, made.id, draft, restart=True)
    assert plans.run(made.id).counts["files"] == ["a.csv"]


def test_a_file_behind_an_address_is_imported_when_it_changed(plans: Plans, web: WebServer) -> None:
    web.answers["/p.csv"] = (200, {"etag": "1"}, b"email\na@x.test\n")
    link = plans.link("http", {"url": f"{web.url}/p.csv"})
    made = create_plan(plans.connection, plans.clock, plans.draft(link, {"kind": "files"}))
    assert plans.run(made.id).counts["created"] == 1
    assert plans.run(made.id).counts["total"] == 0
    web.answers["/p.csv"] = (200, {"etag": "2"}, b"email\na@x.test\nb@x.test\n")
    assert plans.run(made.id).counts["created"] == 1
    del web.answers["/p.csv"]
    assert plans.run(made.id).error == "The address answered with 404."


def test_what_is_due_runs_once_however_long_nothing_ran_and_never_twice_at_once(plans: Plans) -> None:
    plans.sqlite("CREATE TABLE crm (email text)")
    link = plans.link("sql", {"system": "sqlite", "database": "crm.db"})
    made = create_plan(plans.connection, plans.clock, plans.draft(link, {"kind": "table", "table": "crm"}))
    assert start_due_plans(plans.connection, plans.clock) == 0
    plans.clock.advance(timedelta(days=5))
    assert start_due_plans(plans.connection, plans.clock) == 1
    with pytest.raises(Conflict):
        start_plan(plans.connection, plans.clock, made.id)
    plans.clock.advance(timedelta(days=1))
    assert start_due_plans(plans.connection, plans.clock) == 0
    assert len(list_runs(plans.connection, made.id)) == 1
    assert plan(plans.connection, made.id).next_at > plans.clock.now()
    delete_plan(plans.connection, made.id)


def test_a_plan_for_once_rests_afterwards(plans: Plans) -> None:
    plans.sqlite("CREATE TABLE crm (email text)")
    link = plans.link("sql", {"system": "sqlite", "database": "crm.db"})
    at = (plans.clock.now() + timedelta(hours=1)).isoformat()
    made = create_plan(
        plans.connection,
        plans.clock,
        plans.draft(link, {"kind": "table", "table": "crm"}, schedule={"kind": "once", "once_at": at}),
    )
    plans.clock.advance(timedelta(hours=2))
    assert start_due_plans(plans.connection, plans.clock) == 1
    assert not plan(plans.connection, made.id).active


def test_plans_that_cannot_work_are_refused_with_their_place(plans: Plans) -> None:
    link = plans.link("sql", {"system": "sqlite", "database": "crm.db"})
    for change, place in (
        ({"source": {"kind": "files"}}, "source.kind"),
        ({"source": {"kind": "query", "query": "SELECT 1"}, "cursor_column": "id"}, "source.query"),
        ({"source": {"kind": "query", "query": "SELECT 1 WHERE 1 > :cursor"}}, "cursor_column"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"name": " "}, "name"),
        ({"connection_id": 99}, "connection_id"),
        ({"database_id": 99}, "db_id"),
    ):
        draft = plans.draft(link, {"kind": "table", "table": "crm"}).model_dump() | change
        with pytest.raises(SojournError) as caught:
            create_plan(plans.connection, plans.clock, PlanDraft.model_validate(draft))
        assert caught.value.place == place


@pytest.mark.parametrize(
    "schedule",
    [{"kind": "daily"}, {"kind": "weekly", "at": "03:00"}, {"kind": "monthly", "at": "03:00"}, {"kind": "interval", "minutes": 1},
     {"kind": "daily", "at": "25:00"}, {"kind": "once"}, {"kind": "weekly", "at": "03:00", "weekdays": [8]}],
)  # fmt: skip
def test_a_schedule_that_says_too_little_is_refused(schedule: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PlanSchedule.model_validate(schedule)


def test_an_hour_that_is_skipped_comes_right_after_and_one_that_comes_twice_is_done_once() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    daily = PlanSchedule.model_validate({"kind": "daily", "at": "02:30"})
    assert daily.next_after(datetime(2026, 3, 28, 12, tzinfo=UTC), berlin) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    first = daily.next_after(datetime(2026, 10, 24, 12, tzinfo=UTC), berlin)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert daily.next_after(first, berlin) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_the_31st_is_the_last_day_of_a_short_month() -> None:
    monthly = PlanSchedule.model_validate({"kind": "monthly", "at": "00:00", "day": 31})
    assert monthly.next_after(datetime(2026, 2, 1, tzinfo=UTC), ZoneInfo("UTC")) == datetime(2026, 2, 28, tzinfo=UTC)


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC"]),
    st.times(), st.sets(st.integers(1, 7), max_size=6),
)  # fmt: skip
def test_the_next_time_is_later_on_a_day_that_fits_and_none_is_left_out(
    now: datetime, zone: str, at: Any, days: set[int]
) -> None:
    given = {"kind": "weekly" if days else "daily", "at": at.strftime("%H:%M"), "weekdays": sorted(days)}
    schedule = PlanSchedule.model_validate(given)
    following = schedule.next_after(now, ZoneInfo(zone))
    assert following is not None and now < following <= now + timedelta(days=9)
    shown = following.astimezone(ZoneInfo(zone))
    assert not days or shown.isoweekday() in days
    assert shown.strftime("%H:%M") >= at.strftime("%H:%M") or shown.strftime("%H:%M") < "03:01"
