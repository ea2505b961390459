"""Start nodes that begin by the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sojourn.kernel import Settings
from sojourn.kernel.errors import SojournError
from sojourn.scenarios import get_scenario, publish, stop
from sojourn.scenarios.references import Catalogue
from sojourn.segments.membership import add_members
from sojourn.segments.store import create_segment, parse_draft
from sojourn.triggers.clock import start_due
from tests.scenarios.world import World

PAUSE = {"id": 9, "type": "pause", "settings": {"length": "300d"}}


@pytest.fixture
def world(connection, clock) -> World:
    return World(connection, clock)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def scenario(world: World, kind: str, settings: dict[str, Any], mode: str = "never") -> int:
    nodes = [
        {"id": 0, "type": "start", "links": {"next": 9}},
        {"id": 1, "type": kind, "settings": settings, "links": {"next": 9}},
        PAUSE,
    ]
    return world.scenario(nodes, mode=mode)


def go_to(world: World, text: str) -> list[int]:
    """The clock shows a moment, and everything due is done; tells who is inside now."""
    world.clock.advance(utc(text) - world.clock.now())
    start_due(world.connection, world.clock)
    world.run()
    return [row[0] for row in world.all("SELECT profile_id FROM resting ORDER BY passage_id")]


def born(world: World, day: str) -> int:
    return world.profile(_bdate=date.fromisoformat(day))


def test_a_birthday_starts_once_a_year_by_the_accounts_calendar(world: World) -> None:
    world.connection.execute("UPDATE account SET time_zone = 'Asia/Vladivostok'")
    person, other = born(world, "1990-11-05"), born(world, "1990-11-06")
    unborn = born(world, "2030-11-05")
    scenario(world, "start_date", {"field": "_bdate", "time": "09:00"}, mode="never")
    assert go_to(world, "2026-11-04 22:59") == []
    assert go_to(world, "2026-11-04 23:00") == [person]
    assert world.all("SELECT key, entered_at, context -> 'date' ->> 'day' FROM resting") == [
        ("2026", utc("2026-11-04 23:00"), "2026-11-05")
    ]
    assert go_to(world, "2026-11-04 23:01") == [person]
    assert go_to(world, "2026-11-05 23:00") == [person, other]
    assert go_to(world, "2027-11-05 23:00")[-2:] == [person, other]
    assert unborn not in go_to(world, "2027-11-06 00:00")


@pytest.mark.parametrize(
    ("leap", "year", "wanted"),
    [("feb28", 2027, "2027-02-28"), ("mar1", 2027, "2027-03-01"), ("never", 2027, None), ("feb28", 2028, "2028-02-29"), ("never", 2028, "2028-02-29")],
)  # fmt: skip
def test_who_is_born_on_the_29th_of_february_has_a_day_in_every_year(
    world: World, leap: str, year: int, wanted: str | None
) -> None:
    person = born(world, "1992-02-29")
    scenario(world, "start_date", {"field": "_bdate", "leap": leap})
    go_to(world, f"{year}-02-27 12:00")
    assert world.all("SELECT * FROM resting") == []
    days = [f"{year}-02-28", *([f"{year}-02-29"] if year % 4 == 0 else []), f"{year}-03-01", f"{year}-03-02"]
    came = [
        day
        for day in days
        if (before := len(world.all("SELECT FROM resting"))) < len(go_to(world, f"{day} 12:00")) or before < 0
    ]
    assert came == ([wanted] if wanted else [])
    assert person


def test_days_before_a_date_and_days_that_were_missed(world: World) -> None:
    people = [born(world, f"2026-12-{day:02}") for day in (5, 6, 14, 15)]
    scenario(world, "start_date", {"field": "_bdate", "yearly": False, "shift": "before", "offset_days": 3})
    assert go_to(world, "2026-12-02 09:59") == []
    assert go_to(world, "2026-12-02 10:00") == people[:1]
    # Nothing ran for nine days: the last seven are made up for.
    assert go_to(world, "2026-12-12 12:00") == [people[0], people[2], people[3]]
    assert world.all("SELECT entered_at FROM resting WHERE profile_id = %s", people[2]) == [(utc("2026-12-11 10:00"),)]


def test_a_segment_is_started_by_its_schedule_and_missed_runs_are_one(world: World) -> None:
    segment = create_segment(
        world.connection,
        world.clock,
        world.database.id,
        "static",
        parse_draft({"name": "VIP"}),
        Catalogue(world.connection),
    )
    rules = {"rule": "field", "field": "points", "operator": "ge", "value": 10}
    create_segment(
        world.connection,
        world.clock,
        world.database.id,
        "dynamic",
        parse_draft({"name": "Rich", "rules": rules}),
        Catalogue(world.connection),
    )
    one, two = world.profile(points=10), world.profile(points=5)
    add_members(world.connection, world.clock, segment.id, [one], cause=1)
    number = scenario(
        world, "start_schedule", {"segment": "VIP", "repeat": "weekly", "days": [3], "time": "08:00"}, mode="parallel"
    )
    assert go_to(world, "2026-11-04 07:59") == []
    assert go_to(world, "2026-11-04 08:00") == [one]
    add_members(world.connection, world.clock, segment.id, [two], cause=1)
    assert go_to(world, "2026-12-01 08:00") == [one, one, two]
    stop(world.connection, world.clock, number)
    assert world.all("SELECT * FROM trigger_timer") == []


def test_a_dynamic_segment_is_asked_at_the_moment(world: World) -> None:
    rules = {"rule": "field", "field": "points", "operator": "ge", "value": 10}
    create_segment(
        world.connection,
        world.clock,
        world.database.id,
        "dynamic",
        parse_draft({"name": "Rich", "rules": rules}),
        Catalogue(world.connection),
    )
    rich, poor = world.profile(points=10), world.profile(points=9)
    scenario(world, "start_schedule", {"segment": "Rich", "repeat": "once", "moment": "2026-11-03 10:00"})
    assert go_to(world, "2026-11-03 10:00") == [rich]
    assert go_to(world, "2026-12-03 10:00") == [rich]
    assert poor


def test_publishing_anew_does_not_lose_what_is_due(world: World) -> None:
    person = born(world, "1990-11-03")
    number = scenario(world, "start_date", {"field": "_bdate", "time": "09:00"})
    world.clock.advance(timedelta(days=1))
    assert get_scenario(world.connection, number).active
    publish(world.connection, world.clock, number, settings=Settings(), accept_sandbox=True)
    world.loop.refresh_now()
    assert go_to(world, "2026-11-03 10:30") == [person]


@pytest.mark.parametrize(
    ("kind", "settings", "code", "place"),
    [
        ("start_date", {}, "field_missing", "field"), ("start_date", {"field": "points"}, "wrong_field", "field"), ("start_date", {"field": "x"}, "unknown_field", "field"),
        ("start_date", {"field": "_bdate", "time": "noon"}, "bad_setting", "time"), ("start_schedule", {"segment": "Nobody"}, "unknown_reference", "segment"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(world: World, kind: str, settings: dict[str, Any], code: str, place: str) -> None:
    with pytest.raises(SojournError) as caught:
        scenario(world, kind, settings)
    assert (code, f"node 1.settings.{place}") in {(p.code, p.place) for p in caught.value.problems}
