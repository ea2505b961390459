"""Waiting for events: looked back, first match, the end of the wait, loops, stops and edits in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sojourn.events import Event, EventKind, append
from sojourn.kernel import Settings
from sojourn.kernel.errors import SojournError
from sojourn.scenarios import activate, create_scenario, get_scenario, publish, save_draft, statistics, stop
from sojourn.scenarios.clearing import move_on
from tests.scenarios.world import World

START = {"id": 0, "type": "start", "links": {"next": 1}}


def step(node: int, kind: str, settings: dict[str, Any] | None = None, **links: int) -> dict[str, Any]:
    return {"id": node, "type": kind, "settings": settings or {}, "links": links}


def wait(node: int, *events: dict[str, Any], **links: int) -> dict[str, Any]:
    return step(node, "wait_event", {"events": list(events), "time_out": "1d"}, **links)


BOUGHT = {"event": "goal", "goal": "purchase"}
OPENED = {"event": "opened", "any_message": True}
ENDS = [step(7, "exit"), step(8, "exit"), step(9, "exit")]


@pytest.fixture
def world(connection, clock) -> World:
    return World(connection, clock)


def happens(world: World, person: int, kind: EventKind = EventKind.GOAL, goal: str = "purchase", **more: Any) -> None:
    data = {"goal": goal} if kind is EventKind.GOAL else None
    append(world.connection, world.clock, [Event(person, kind, world.clock.now(), **{"data": data, **more})])


def inside(world: World) -> list[tuple[Any, ...]]:
    return world.all("SELECT node_id, awaits, due_at - waits_since FROM resting ORDER BY passage_id")


def test_the_first_event_decides_and_else_the_time(world: World) -> None:
    scenario = world.scenario([START, wait(1, BOUGHT, OPENED, e1=7, e2=8, time_out=9), *ENDS])
    buys, opens, idles, other = (world.profile() for _ in range(4))
    world.enter(scenario, buys, opens, idles, other)
    world.run()
    assert inside(world) == [(1, 3, timedelta(days=1))] * 4
    world.clock.advance(timedelta(hours=1))
    happens(world, other, goal="something else")
    happens(world, opens, EventKind.OPENED)
    world.clock.advance(timedelta(hours=1))
    happens(world, opens)
    happens(world, buys)
    world.run()
    assert [world.steps(person)[1:] for person in (buys, opens, idles, other)] == [
        [(1, 0), (7, 0)],
        [(1, 1), (8, 0)],
        [],
        [],
    ]
    assert inside(world) == [(1, 3, timedelta(days=1))] * 2
    world.later(hours=22)
    assert [world.steps(person)[1:] for person in (idles, other)] == [[(1, 2), (9, 0)]] * 2
    ended = dict(world.all("SELECT profile_id, ended_at FROM passage_ended"))
    assert ended[idles] - ended[buys] == timedelta(hours=22) - timedelta(microseconds=1)
    figures = statistics(world.connection, scenario)
    assert dict(figures.nodes[1].outputs) == {"e1": 1, "e2": 1, "time_out": 2} and figures.totals.inside == 0


def test_an_event_between_the_step_before_and_the_wait_is_not_missed(world: World) -> None:
    scenario = world.scenario(
        [START, step(1, "pause", {"length": "1h"}, next=2), wait(2, BOUGHT, e1=7, time_out=9), *ENDS]
    )
    early, between, late = world.profile(), world.profile(), world.profile()
    world.enter(scenario, early, between, late)
    world.run()
    happens(world, early)
    world.clock.advance(timedelta(hours=2))  # the engine lags: the pause was over an hour ago
    happens(world, between)
    world.run()
    assert [world.steps(person)[2:] for person in (early, between)] == [[], [(2, 0), (7, 0)]]
    world.clock.advance(timedelta(hours=23))
    happens(world, late)  # at the very end of the wait
    world.clock.advance(timedelta(seconds=1))
    happens(world, early)  # after it, though the engine has not looked yet
    world.run()
    assert [world.steps(person)[2:] for person in (early, late)] == [[(2, 1), (9, 0)], [(2, 0), (7, 0)]]


def test_events_of_messages_count_for_those_of_this_passage(world: World) -> None:
    [(letter,)] = world.all("SELECT id FROM template WHERE name = 'Gift letter'")
    click = {"event": "clicked", "template": "Gift letter", "link": "https://a.test/"}
    scenario = world.scenario([START, wait(1, click, e1=7), *ENDS])
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    [(passage,)] = world.all("SELECT passage_id FROM resting")
    own = {"passage_id": passage, "template_id": letter, "data": {"url": "https://a.test/"}}
    for wrong in (
        {"passage_id": passage + 1},
        {"template_id": letter + 1},
        {"data": {"url": "https://b.test/"}},
        {"data": None},
    ):
        happens(world, person, EventKind.CLICKED, **{**own, **wrong})
    world.run()
    assert len(inside(world)) == 1
    happens(world, person, EventKind.CLICKED, **own)
    world.run()
    assert world.steps(person)[1:] == [(1, 0), (7, 0)]


def test_each_event_lets_a_person_on_once_in_a_loop(world: World) -> None:
    scenario = world.scenario(
        [START, wait(1, BOUGHT, e1=2, time_out=9), step(2, "goal", {"goal": "thanked"}, next=1), *ENDS]
    )
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    for _ in range(3):
        happens(world, person)
        world.later(minutes=1)
    assert world.all("SELECT count(*) FROM event WHERE data ->> 'goal' = 'thanked'") == [(3,)]
    world.later(days=2)
    assert world.steps(person)[-2:] == [(1, 1), (9, 0)]


def test_a_goal_of_the_passage_itself_does_not_end_its_wait(world: World) -> None:
    scenario = world.scenario([START, step(1, "goal", {"goal": "purchase"}, next=2), wait(2, BOUGHT, e1=7), *ENDS])
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    assert inside(world) == [(2, 3, timedelta(days=1))]


def test_what_happens_while_a_scenario_stands_still_counts_afterwards(world: World) -> None:
    scenario = world.scenario([START, wait(1, BOUGHT, e1=7, time_out=9), *ENDS])
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    stop(world.connection, world.clock, scenario)
    world.loop.refresh_now()
    world.clock.advance(timedelta(hours=1))
    happens(world, person)
    world.run()
    assert inside(world)
    activate(world.connection, world.clock, scenario)
    world.loop.refresh_now()
    world.later(days=3)
    assert world.steps(person)[1:] == [(1, 0), (7, 0)]
    stop(world.connection, world.clock, scenario, clear=True)
    assert world.all("SELECT FROM pg_trigger WHERE tgname = 'starts' AND tgenabled <> 'D' AND tgparentid = 0") == []


def test_people_of_an_older_version_still_hear_what_they_wait_for(world: World) -> None:
    scenario = world.scenario([START, wait(1, BOUGHT, e1=7), *ENDS])
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    current = get_scenario(world.connection, scenario)
    document = {
        "name": current.name,
        "database": "Customers",
        "nodes": [{**START, "links": {"next": 2}}, step(2, "pause")],
    }
    save_draft(world.connection, world.clock, scenario, current.revision, document)
    publish(world.connection, world.clock, scenario, settings=Settings(), accept_sandbox=True)
    world.loop.refresh_now()
    happens(world, person)
    world.run()
    assert world.steps(person)[1:] == [(1, 0), (7, 0)]


def test_who_is_let_on_by_hand_does_not_wait_any_more(world: World) -> None:
    scenario = world.scenario([START, wait(1, BOUGHT, e1=7, time_out=9), *ENDS])
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    [(passage,)] = world.all("SELECT passage_id FROM resting")
    assert move_on(world.connection, world.clock, scenario, person, passage)
    world.run()
    assert world.steps(person)[1:] == [(1, 1), (9, 0)]


@pytest.mark.parametrize(
    ("events", "code", "place"),
    [([{"event": "goal"}], "goal_missing", "events.0.goal"), ([{"template": "None"}], "unknown_reference", "events.0.template"), ([], "bad_setting", "events")],
)  # fmt: skip
def test_wrong_settings_are_named(world: World, events: list[dict[str, Any]], code: str, place: str) -> None:
    nodes = [START, wait(1, *events)]
    made = create_scenario(world.connection, world.clock, {"name": "Wrong", "database": "Customers", "nodes": nodes})
    with pytest.raises(SojournError) as caught:
        publish(world.connection, world.clock, made.id, settings=Settings(), accept_sandbox=True)
    assert (code, f"node 1.settings.{place}") in {(p.code, p.place) for p in caught.value.problems}


# ---------------------------------------------------------------------------------------------- events that end a passage


def with_exits(world: World, *exits: dict[str, Any], nodes: list[dict[str, Any]] | None = None) -> int:
    long = [START, step(1, "pause", {"length": "30d"}, next=7), *ENDS]
    document = {
        "name": "Ends",
        "database": "Customers",
        "nodes": nodes or long,
        "exits": list(exits),
        "reentry": {"mode": "after_exit"},
    }
    made = create_scenario(world.connection, world.clock, document)
    publish(world.connection, world.clock, made.id, settings=Settings(), accept_sandbox=True)
    activate(world.connection, world.clock, made.id)
    world.loop.refresh_now()
    return made.id


def test_a_goal_ends_a_passage_in_the_middle_of_a_pause_and_cancels_what_is_planned(world: World) -> None:
    letter = step(1, "email", {"resource": "Newsletter", "template": "Welcome letter"}, next=2)
    scenario = with_exits(world, BOUGHT, nodes=[START, letter, step(2, "pause", {"length": "30d"}, next=7), *ENDS])
    buys, stays = world.profile(), world.profile()
    happens(world, buys)
    world.clock.advance(timedelta(seconds=1))
    world.enter(scenario, buys, stays)
    world.run()
    assert len(inside(world)) == 2  # what was reached before the entry does not count
    world.clock.advance(timedelta(days=3))
    happens(world, buys)
    world.run()
    assert world.all("SELECT profile_id, reason, ended_at FROM passage_ended") == [(buys, 2, world.clock.now())]
    assert world.all("SELECT profile_id, state FROM message ORDER BY profile_id") == [(buys, 5), (stays, 0)]
    totals = statistics(world.connection, scenario).totals
    assert (totals.entered, totals.inside, totals.exited) == (2, 1, 1)
    world.enter(scenario, buys)
    world.run()
    assert len(inside(world)) == 2


def test_what_was_reached_while_the_scenario_stood_still_ends_it_when_it_goes_on(world: World) -> None:
    scenario = with_exits(world, BOUGHT)
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    stop(world.connection, world.clock, scenario)
    world.loop.refresh_now()
    happens(world, person)
    world.run()
    assert len(inside(world)) == 1
    activate(world.connection, world.clock, scenario)
    world.loop.refresh_now()
    world.run()
    assert world.all("SELECT reason FROM passage_ended") == [(2,)]


def test_exits_that_cannot_be_are_named(world: World) -> None:
    with pytest.raises(SojournError) as caught:
        with_exits(world, {"event": "goal"}, {"event": "opened", "template": "None"})
    assert [(p.code, p.place) for p in caught.value.problems] == [
        ("goal_missing", "exits.0.goal"),
        ("unknown_reference", "exits.1.template"),
    ]
