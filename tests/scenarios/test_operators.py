"""Operators and actions, one behaviour at a time: time, splits, jumps, filters, goals, segments, exits."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from sojourn.kernel import Settings
from sojourn.kernel.errors import SojournError
from sojourn.profiles import add_field
from sojourn.scenarios import activate, create_scenario, get_scenario, publish, save_draft, statistics, stop
from sojourn.scenarios.references import Catalogue
from sojourn.segments.store import create_segment, parse_draft
from tests.scenarios.world import World

START = {"id": 0, "type": "start", "links": {"next": 1}}
Connection = psycopg.Connection[Any]


def step(node: int, kind: str, settings: dict[str, Any] | None = None, **links: int) -> dict[str, Any]:
    return {"id": node, "type": kind, "settings": settings or {}, "links": links}


@pytest.fixture
def world(connection, clock) -> World:
    return World(connection, clock)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("at", "zone", "clock_time", "days", "wanted"),
    [
        ("2026-11-02 08:00", "UTC", "09:00", EVERY_DAY, "2026-11-02 09:00"), ("2026-11-02 09:00", "UTC", "09:00", EVERY_DAY, "2026-11-02 09:00"),
        ("2026-11-02 09:01", "UTC", "09:00", EVERY_DAY, "2026-11-03 09:00"), ("2026-11-02 09:01", "UTC", "09:00", [1], "2026-11-09 09:00"),
        ("2026-11-02 08:00", "Asia/Vladivostok", "09:00", EVERY_DAY, "2026-11-02 23:00"), ("2026-11-02 08:00", "America/New_York", "00:00", [7], "2026-11-08 05:00"),
        # The hour from 2 to 3 does not exist in Berlin on this day, and comes twice on that one.
        ("2026-03-29 00:00", "Europe/Berlin", "02:30", EVERY_DAY, "2026-03-29 01:30"), ("2026-03-28 12:00", "Europe/Berlin", "03:30", EVERY_DAY, "2026-03-29 01:30"),
        ("2026-10-24 23:00", "Europe/Berlin", "02:30", EVERY_DAY, "2026-10-25 00:30"), ("2026-10-25 00:30", "Europe/Berlin", "02:30", EVERY_DAY, "2026-10-25 00:30"),
        ("2026-10-25 00:31", "Europe/Berlin", "02:30", EVERY_DAY, "2026-10-26 01:30"),
    ],
)  # fmt: skip
def test_the_next_time_of_day_is_one_of_the_wall_clock(
    connection: Connection, at: str, zone: str, clock_time: str, days: list[int], wanted: str
) -> None:
    statement = "SELECT sojourn_next_time(%s, %s, %s::time, %s::smallint[])"
    assert connection.execute(statement, (utc(at), zone, clock_time, days)).fetchone() == (utc(wanted),)


@pytest.mark.parametrize(
    ("at", "zone", "opens", "closes", "days", "wanted"),
    [
        ("2026-11-02 08:59", "UTC", "09:00", "21:00", EVERY_DAY, "2026-11-02 09:00"), ("2026-11-02 09:00", "UTC", "09:00", "21:00", EVERY_DAY, "2026-11-02 09:00"),
        ("2026-11-02 20:59", "UTC", "09:00", "21:00", EVERY_DAY, "2026-11-02 20:59"), ("2026-11-02 21:00", "UTC", "09:00", "21:00", EVERY_DAY, "2026-11-03 09:00"),
        ("2026-11-06 22:00", "UTC", "09:00", "21:00", [1, 2, 3, 4, 5], "2026-11-09 09:00"),
        # Past midnight: the window belongs to the day on which it opens.
        ("2026-11-02 02:00", "UTC", "22:00", "06:00", [7], "2026-11-02 02:00"), ("2026-11-02 06:00", "UTC", "22:00", "06:00", [7], "2026-11-08 22:00"),
        ("2026-11-02 12:34", "UTC", "00:00", "00:00", EVERY_DAY, "2026-11-02 12:34"),
        ("2026-03-29 00:50", "Europe/Berlin", "02:15", "02:45", EVERY_DAY, "2026-03-29 01:15"), ("2026-03-29 01:20", "Europe/Berlin", "02:15", "02:45", EVERY_DAY, "2026-03-29 01:20"),
        ("2026-10-25 00:20", "Europe/Berlin", "02:15", "02:45", EVERY_DAY, "2026-10-25 00:20"), ("2026-10-25 01:20", "Europe/Berlin", "02:15", "02:45", EVERY_DAY, "2026-10-26 01:15"),
    ],
)  # fmt: skip
def test_a_window_opens_by_the_wall_clock(
    connection: Connection, at: str, zone: str, opens: str, closes: str, days: list[int], wanted: str
) -> None:
    statement = "SELECT sojourn_opens(%s, %s, %s::time, %s::time, %s::smallint[])"
    assert connection.execute(statement, (utc(at), zone, opens, closes, days)).fetchone() == (utc(wanted),)


def test_a_window_goes_by_the_profiles_own_clock_and_by_the_accounts_where_it_has_none(world: World) -> None:
    scenario = world.scenario(
        [START, step(1, "window", {"opens": "09:00", "closes": "21:00"}, next=2), step(2, "exit")]
    )
    near, far, odd = (world.profile(_tz=zone) for zone in (None, "America/New_York", "the moon"))
    world.enter(scenario, near, far, odd)
    world.run()  # it is ten in the morning by the account's clock, five in New York
    assert [world.steps(person) for person in (near, far, odd)] == [
        [(0, 0), (1, 0), (2, 0)],
        [(0, 0)],
        [(0, 0), (1, 0), (2, 0)],
    ]
    assert world.all("SELECT due_at FROM resting") == [(utc("2026-11-02 14:00"),)]
    world.later(hours=4)
    assert world.steps(far) == [(0, 0), (1, 0), (2, 0)]


def test_a_pause_lasts_until_a_date_of_the_profile(world: World) -> None:
    add_field(world.connection, world.clock, world.database.id, "renewal", "Renewal", "date")
    until = {"until": "field", "field": "renewal", "shift": "before", "offset": "3d", "time": "10:00"}
    scenario = world.scenario(
        [START, step(1, "pause", until, next=2, no_date=3), step(2, "goal", {"goal": "told"}), step(3, "exit")]
    )
    soon = world.profile(renewal=utc("2026-11-06 23:30"))
    there = world.profile(renewal=utc("2026-11-06 23:30"), _tz="Asia/Vladivostok")
    late, never = world.profile(renewal=utc("2026-11-01 00:00")), world.profile()
    world.enter(scenario, soon, there, late, never)
    world.run()
    assert [world.steps(person) for person in (late, never)] == [[(0, 0), (1, 0), (2, 0)], [(0, 0), (1, 1), (3, 0)]]
    due = dict(world.all("SELECT profile_id, due_at FROM resting"))
    # In Vladivostok it is the seventh already: three days before is the fourth, and ten o'clock there is midnight here.
    assert due == {soon: utc("2026-11-03 10:00"), there: utc("2026-11-04 00:00")}


def test_a_pause_until_a_moment_that_is_over_lets_people_go_on(world: World) -> None:
    nodes = [START, step(1, "pause", {"until": "moment", "moment": "2026-11-03 09:30"}, next=2), step(2, "exit")]
    scenario = world.scenario(nodes)
    early, late = world.profile(), world.profile()
    world.enter(scenario, early)
    world.run()
    assert world.all("SELECT due_at FROM resting") == [(utc("2026-11-03 09:30"),)]
    world.later(days=2)
    world.enter(scenario, late)
    world.run()
    ended = dict(world.all("SELECT profile_id, ended_at FROM passage_ended"))
    assert ended == {early: utc("2026-11-03 09:30"), late: world.clock.now()}


def test_a_split_deals_by_percent_and_the_same_way_each_time(world: World) -> None:
    branches = [{"title": "A", "percent": 70}, {"title": "B", "percent": 30}]
    nodes = [
        START,
        step(1, "split", {"branches": branches}, b1=2, b2=2),
        step(2, "split", {"branches": branches}, b1=3),
        step(3, "exit"),
    ]
    scenario = world.scenario(nodes, mode="parallel")
    people = [world.profile() for _ in range(2000)]
    world.enter(scenario, *people)
    world.run()
    first = {person: tuple(world.steps(person)) for person in people[:300]}
    world.enter(scenario, *people[:300])
    world.run()
    assert all(tuple(world.steps(person)) == way + way for person, way in first.items())
    figures = statistics(world.connection, scenario).nodes
    both = Counter(
        world.all(
            "SELECT n.output, m.output FROM step n JOIN step m USING (passage_id) WHERE n.node_id = 1 AND m.node_id = 2"
        )
    )
    total = sum(both.values())
    assert figures[1].outputs["b1"] + figures[1].outputs["b2"] == total == 2300
    # Two splits are independent: four standard deviations of each share.
    for (one, other), wanted in {(0, 0): 0.49, (0, 1): 0.21, (1, 0): 0.21, (1, 1): 0.09}.items():
        assert abs(both[one, other] / total - wanted) < 4 * (wanted * (1 - wanted) / 2000) ** 0.5


def test_without_stickiness_every_visit_is_dealt_anew(world: World) -> None:
    nodes = [START, step(1, "split", {"sticky": False}, b1=2, b2=2), step(2, "exit")]
    scenario = world.scenario(nodes, mode="parallel")
    person = world.profile()
    for number in range(40):
        world.enter(scenario, person, key=str(number))
        world.run()
    assert 5 < Counter(output for node, output in world.steps(person) if node == 1)[0] < 35


def test_a_jump_ends_here_and_enters_the_other_scenario_with_the_content(world: World) -> None:
    other = world.scenario([START, step(1, "pause", {"length": "1h"})], name="Other")
    nodes = [START, step(1, "jump", {"scenario": "Other"}, not_accepted=2), step(2, "exit")]
    scenario = world.scenario(nodes, mode="after_exit")
    person = world.profile()
    world.enter(scenario, person, context={"order": 7})
    world.run()
    assert world.steps(person) == [(0, 0), (1, 0), (0, 0)]
    assert world.all("SELECT scenario_id, context ->> 'order' FROM resting") == [(other, "7")]
    assert statistics(world.connection, scenario).totals.completed == 1
    stop(world.connection, world.clock, other)
    late = world.profile()
    world.enter(scenario, late)
    world.run()
    assert world.steps(late) == [(0, 0), (1, 1), (2, 0)]


def test_scenarios_that_send_each_other_round_stop_after_a_hundred_jumps(world: World) -> None:
    made = create_scenario(
        world.connection, world.clock, {"name": "Ping", "database": "Customers", "nodes": [START, step(1, "exit")]}
    )
    pong = world.scenario([START, step(1, "jump", {"scenario": made.id})], name="Pong", mode="after_exit")
    nodes = [START, step(1, "jump", {"scenario": pong}, not_accepted=2), step(2, "exit")]
    document = {"name": "Ping", "database": "Customers", "reentry": {"mode": "after_exit"}, "nodes": nodes}
    save_draft(world.connection, world.clock, made.id, get_scenario(world.connection, made.id).revision, document)
    publish(world.connection, world.clock, made.id, settings=Settings(), accept_sandbox=True)
    activate(world.connection, world.clock, made.id)
    world.loop.refresh_now()
    person = world.profile()
    world.enter(pong, person)
    world.run()
    assert sum(node == 1 for node, _ in world.steps(person)) == 101
    assert world.all("SELECT count(*) FROM resting") == [(0,)]


def test_a_filter_asks_for_the_content_of_the_call(world: World) -> None:
    rules = {"all": [{"rule": "api_content", "content": {"name": "order.sum", "type": "float", "operator": "gt", "value": 100}},
                     {"rule": "api_content", "content": {"name": "order.items.kind", "operator": "ne", "value": "gift"}}]}  # fmt: skip
    scenario = world.scenario([START, step(1, "api_filter", {"rules": rules}), step(2, "exit")], mode="parallel")
    contents: list[dict[str, Any] | None] = [
        {"order": {"sum": 101, "items": [{"kind": "book"}]}}, {"order": {"sum": 101, "items": [{"kind": "book"}, {"kind": "gift"}]}}, {"order": {"sum": "101"}},
        {"order": {"sum": 100}}, {"order": []}, None,
    ]  # fmt: skip
    ways = []
    for content in contents:
        person = world.profile()
        world.enter(scenario, person, context=content)
        world.run()
        ways.append(world.steps(person)[1][1])
    assert ways == [0, 1, 1, 1, 1, 1]


def test_goals_are_events_that_later_steps_and_rules_see(world: World) -> None:
    nodes = [START, step(1, "goal", {"goal": "purchase", "value": 12.5}, next=2), step(2, "goal", {"goal": "seen"})]
    scenario = world.scenario(nodes)
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    rows = world.all(
        "SELECT kind, node_id, hop, occurred_at, data FROM event WHERE profile_id = %s ORDER BY hop", person
    )
    assert rows == [
        (14, 1, 2, world.clock.now(), {"goal": "purchase", "value": 12.5}),
        (14, 2, 3, world.clock.now(), {"goal": "seen"}),
    ]


def test_people_are_put_into_static_segments_and_taken_out_with_history(world: World) -> None:
    for name, kind, rules in (
        ("Static", "static", None),
        ("Dynamic", "dynamic", {"rule": "field", "field": "points", "operator": "set"}),
    ):
        draft = parse_draft({"name": name, **({"rules": rules} if rules else {})})
        create_segment(world.connection, world.clock, world.database.id, kind, draft, Catalogue(world.connection))  # type: ignore[arg-type]
    into, out = {"segment": "Static"}, {"segment": "Static", "action": "remove"}
    asks = {"rules": {"rule": "segment", "segment": "Static"}}
    nodes = [
        START, step(1, "segment_update", into, next=2), step(2, "condition", asks, yes=3), step(3, "segment_update", into, next=4),
        step(4, "pause", {"length": "1h"}, next=5), step(5, "segment_update", out),
    ]  # fmt: skip
    scenario = world.scenario(nodes)
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    assert world.all("SELECT profile_id FROM segment_member") == [(person,)]
    assert world.steps(person) == [(0, 0), (1, 0), (2, 0), (3, 0)]
    world.later(hours=1)
    assert world.all("SELECT profile_id FROM segment_member") == []
    assert world.all("SELECT entered, cause, cause_id FROM segment_history ORDER BY at") == [
        (True, 6, scenario),
        (False, 6, scenario),
    ]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    (step(1, "split", {"branches": [{"percent": 50}, {"percent": 49}]}), "shares_not_100", "node 1.settings.branches"),
    (step(1, "split", {"branches": [{"percent": 100}]}), "bad_setting", "node 1.settings.branches"),
    (step(1, "exit", {}, left=0), "unknown_output", "node 1.links.left"), (step(1, "jump", {"scenario": "Nobody"}), "unknown_reference", "node 1.settings.scenario"),
    (step(1, "window", {"opens": "25:00"}), "bad_setting", "node 1.settings.opens"), (step(1, "window", {"days": []}), "days_missing", "node 1.settings.days"),
    (step(1, "window", {"days": [8]}), "bad_setting", "node 1.settings.days.0"), (step(1, "pause", {"until": "time"}), "time_missing", "node 1.settings.time"),
    (step(1, "pause", {"until": "field", "field": "points"}), "wrong_field", "node 1.settings.field"), (step(1, "pause", {"until": "field", "field": "nope"}), "unknown_field", "node 1.settings.field"),
    (step(1, "pause", {"until": "moment", "moment": "tomorrow"}), "bad_setting", "node 1.settings.moment"), (step(1, "goal"), "goal_missing", "node 1.settings.goal"),
    (step(1, "pause", {"until": "time", "time": "10:00"}, next=1), "spinning_loop", "node 1.links.next"),
    (step(1, "api_filter", {"rules": {"rule": "field", "field": "points", "operator": "set"}}), "other_rules", "node 1.settings.rules"),
    (step(1, "api_filter", {"rules": {"rule": "api_content", "content": {"name": "a..b", "operator": "set"}}}), "wrong_path", "node 1.settings.rules.content.name"),
    (step(1, "segment_update", {"segment": "Nobody"}), "unknown_reference", "node 1.settings.segment"),
]  # fmt: skip


@pytest.mark.parametrize(("node", "code", "place"), WRONG)
def test_settings_that_cannot_work_are_named(world: World, node: dict[str, Any], code: str, place: str) -> None:
    nodes = [START, node]
    made = create_scenario(world.connection, world.clock, {"name": "Wrong", "database": "Customers", "nodes": nodes})
    with pytest.raises(SojournError) as caught:
        publish(world.connection, world.clock, made.id, settings=Settings(), accept_sandbox=True)
    assert (code, place) in {(p.code, p.place) for p in caught.value.problems}
