"""Start nodes that wait for happenings: who is put at the door, by whomever the happening is recorded."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sojourn.events import Event, EventKind, append
from sojourn.kernel import lane_of
from sojourn.kernel.errors import SojournError
from sojourn.profiles import Options, Record, SubscriptionInput, create_database, database, import_records
from sojourn.profiles.csv_import import FileOptions, SubscribeAll, import_csv
from sojourn.scenarios import stop
from sojourn.scenarios.references import Catalogue
from sojourn.segments.membership import add_members, remove_members
from sojourn.segments.store import create_segment, parse_draft
from tests.scenarios.world import World

PAUSE = {"id": 9, "type": "pause", "settings": {"length": "30d"}}


@pytest.fixture
def world(connection, clock) -> World:
    return World(connection, clock)


def scenario(world: World, kind: str, settings: dict[str, Any], *, mode: str = "parallel", name: str = "Test") -> int:
    nodes = [
        {"id": 0, "type": "start", "links": {"next": 9}}, {"id": 1, "type": kind, "settings": settings, "links": {"next": 9}}, PAUSE,
    ]  # fmt: skip
    return world.scenario(nodes, mode=mode, name=name)


def inside(world: World, scenario_id: int) -> list[int]:
    world.run()
    return [
        row[0]
        for row in world.all("SELECT profile_id FROM resting WHERE scenario_id = %s ORDER BY passage_id", scenario_id)
    ]


def update(world: World, person: int, **fields: Any) -> None:
    base = database(world.connection, world.database.id)
    options = {"mode": "update", "matching": "profile_id", "source": "api", "cause": 3} | fields.pop("options", {})
    [outcome] = import_records(
        world.connection, world.clock, base, [Record({"profile_id": person}, fields)], Options(**options)
    )
    assert outcome.problem is None


def contexts(world: World) -> list[Any]:
    return [row[0] for row in world.all("SELECT context FROM resting ORDER BY passage_id")]


def test_a_change_of_a_field_starts_whoever_makes_it(world: World) -> None:
    number = scenario(world, "start_profile_updated", {"field": "level", "old": "silver", "new": "gold"})
    one, two = world.profile(level="silver"), world.profile(level="bronze")
    update(world, one, points=5)
    update(world, two, level="gold")
    assert inside(world, number) == []
    update(world, one, level="gold")
    assert inside(world, number) == [one]
    assert contexts(world) == [{"old": {"level": "silver"}, "new": {"level": "gold"}}]
    update(world, two, level="silver")
    update(world, two, level="gold", options={"skip_triggers": True})
    assert inside(world, number) == [one]


def test_other_scenarios_start_it_too_but_never_the_scenario_itself(world: World) -> None:
    number = scenario(world, "start_profile_updated", {}, name="Watches")
    change = {"changes": [{"field": "points", "operation": "increase", "value": 1}]}
    start = {"id": 0, "type": "start", "links": {"next": 2}}
    also = {"id": 1, "type": "start_profile_updated", "settings": {"field": "points"}, "links": {"next": 2}}
    other = world.scenario(
        [start, also, {"id": 2, "type": "update_profile", "settings": change}], mode="parallel", name="Changes"
    )
    person = world.profile()
    world.enter(other, person)
    assert inside(world, number) == [person]
    assert world.all("SELECT count(*) FROM passage_ended WHERE scenario_id = %s", other) == [(1,)]


def test_the_source_of_a_change_narrows_it(world: World) -> None:
    number = scenario(world, "start_profile_updated", {"source": "file"})
    person = world.profile()
    update(world, person, points=1)
    assert inside(world, number) == []
    update(world, person, points=2, options={"source": "file", "cause": 2})
    assert inside(world, number) == [person]


def test_subscriptions_start_when_they_are_added_or_change(world: World, tmp_path: Path) -> None:
    added = scenario(
        world, "start_subscription", {"change": "added", "resource": "Newsletter", "channel": "email"}, name="Added"
    )
    left = scenario(world, "start_subscription", {"change": "status", "status": "unsubscribed"}, name="Left")
    base = database(world.connection, world.database.id)
    subscription = SubscriptionInput(world.resource.id, 1, contact="a@b.cd")
    record = Record({"email": "a@b.cd"}, {}, [subscription])
    [outcome] = import_records(world.connection, world.clock, base, [record], Options(matching="email"))
    person = outcome.profile_id
    assert person is not None
    assert (inside(world, added), inside(world, left)) == ([person], [])
    path = tmp_path / "people.csv"
    path.write_text("email\nb@b.cd\n")
    import_csv(world.connection, world.clock, base, path, FileOptions(subscribe=SubscribeAll(world.resource.id, (1,))))
    [(second,)] = world.all(f"SELECT id FROM {base.table} WHERE email = 'b@b.cd'")
    assert inside(world, added) == [person, second]
    [(subscription_id,)] = world.all("SELECT id FROM subscription WHERE profile_id = %s", person)
    record = Record({"profile_id": person}, {}, [SubscriptionInput(world.resource.id, 1, contact="a@b.cd", status=1)])
    import_records(world.connection, world.clock, base, [record], Options(mode="update", matching="profile_id"))
    assert inside(world, left) == [person]
    assert subscription_id


def test_events_of_messages_start_by_template_link_and_database(world: World) -> None:
    other = create_database(world.connection, world.clock, "Others")
    [(letter,)] = world.all("SELECT id FROM template WHERE name = 'Gift letter'")
    clicked = scenario(
        world,
        "start_message_event",
        {"event": "clicked", "template": "Gift letter", "link": "https://a.test/"},
        name="Clicked",
    )
    person = world.profile()
    stranger = 999_001
    world.connection.execute(
        f"INSERT INTO {other.table} (id, lane, created_at, updated_at) VALUES (%s, %s, now(), now())",
        (stranger, lane_of(stranger)),
    )
    now = world.clock.now()

    def click(who: int, **more: Any) -> Event:
        return Event(who, EventKind.CLICKED, now, **{"template_id": letter, "data": {"url": "https://a.test/"}, **more})

    append(
        world.connection,
        world.clock,
        [
            click(stranger),
            click(person, template_id=letter + 1),
            click(person, data={"url": "https://b.test/"}),
            click(person, data=None),
        ],
    )
    append(world.connection, world.clock, [Event(person, EventKind.OPENED, now, template_id=letter)])
    assert inside(world, clicked) == []
    append(world.connection, world.clock, [click(person)])
    assert inside(world, clicked) == [person]
    assert contexts(world)[0]["event"]["url"] == "https://a.test/"
    assert world.all("SELECT * FROM entry_refused") == []


def test_a_goal_of_one_scenario_starts_another(world: World) -> None:
    bought = scenario(world, "start_goal", {"goal": "purchase", "least": 100})
    goals = [{"id": 0, "type": "start", "links": {"next": 1}}, {"id": 1, "type": "goal", "settings": {"goal": "purchase", "value": 99}, "links": {"next": 2}},
             {"id": 2, "type": "goal", "settings": {"goal": "other", "value": 500}, "links": {"next": 3}}, {"id": 3, "type": "goal", "settings": {"goal": "purchase", "value": 100}}]  # fmt: skip
    shop = world.scenario(goals, name="Shop")
    person = world.profile()
    world.enter(shop, person)
    assert inside(world, bought) == [person]
    assert contexts(world)[0]["event"] == {"goal": "purchase", "value": 100, "scenario_id": shop}


def test_segments_start_who_enters_and_who_leaves(world: World) -> None:
    segment = create_segment(
        world.connection,
        world.clock,
        world.database.id,
        "static",
        parse_draft({"name": "VIP"}),
        Catalogue(world.connection),
    )
    early, late = world.profile(), world.profile()
    add_members(world.connection, world.clock, segment.id, [early], cause=1)
    came = scenario(world, "start_segment", {"segment": "VIP"}, name="Came")
    went = scenario(world, "start_segment", {"segment": "VIP", "move": "left"}, name="Went")
    add_members(world.connection, world.clock, segment.id, [early, late], cause=1)
    remove_members(world.connection, world.clock, segment.id, [early], cause=1)
    assert (inside(world, came), inside(world, went)) == ([late], [early])


def test_an_entry_filter_refuses_with_a_reason_and_leaves_the_old_passage_alone(world: World) -> None:
    rules = {"rule": "field", "field": "points", "operator": "ge", "value": 10}
    number = scenario(world, "start_profile_updated", {"field": "level", "rules": rules}, mode="restart")
    person = world.profile(points=10, level="a")
    update(world, person, level="b")
    [(first,)] = [row for row in world.all("SELECT passage_id FROM resting")] if inside(world, number) else [(0,)]
    update(world, person, points=9)
    update(world, person, level="c")
    assert inside(world, number) == [person]
    assert world.all("SELECT passage_id FROM resting") == [(first,)]
    assert world.all("SELECT node_id, reason FROM entry_refused") == [(1, 6)]
    update(world, person, points=11, level="d")
    assert inside(world, number) == [person]
    assert world.all("SELECT reason FROM passage_ended") == [(5,)]


def test_the_key_of_an_entry_is_read_from_what_came_with_it(world: World) -> None:
    nodes = [{"id": 0, "type": "start", "settings": {"key": "order.id"}, "links": {"next": 9}}, PAUSE]
    number = world.scenario(nodes, mode="never")
    person = world.profile()
    for order in ({"id": 7}, {"id": 8}, {"id": 7}, {}):
        world.enter(number, person, context={"order": order})
        world.run()
    assert sorted(row[0] for row in world.all("SELECT key FROM resting")) == ["", "7", "8"]
    assert world.all("SELECT reason, key FROM entry_refused") == [(1, "7")]


def test_the_databases_triggers_are_on_while_somebody_listens(world: World) -> None:
    def on() -> set[str]:
        return {
            row[0]
            for row in world.all(
                "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'starts' AND tgenabled <> 'D' AND tgparentid = 0"
            )
        }

    assert on() == set()
    one = scenario(world, "start_profile_updated", {}, name="One")
    two = scenario(world, "start_goal", {"goal": "x"}, name="Two")
    assert on() == {"change", "event"}
    stop(world.connection, world.clock, one)
    assert on() == {"event"}
    stop(world.connection, world.clock, two)
    assert on() == set()


@pytest.mark.parametrize(
    ("kind", "settings", "code", "place"),
    [
        ("start_profile_updated", {"field": "nope"}, "unknown_field", "field"), ("start_profile_updated", {"new": "x"}, "field_missing", "field"),
        ("start_goal", {}, "goal_missing", "goal"), ("start_segment", {"segment": "Nobody"}, "unknown_reference", "segment"),
        ("start_message_event", {"template": "None"}, "unknown_reference", "template"), ("start_goal", {"goal": "x", "key": "a..b"}, "wrong_path", "key"),
        ("start_subscription", {"status": "odd"}, "bad_setting", "status"),
        ("start_goal", {"goal": "x", "rules": {"rule": "message", "event": "sent"}}, "rule_needs_passage", "rules"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(world: World, kind: str, settings: dict[str, Any], code: str, place: str) -> None:
    with pytest.raises(SojournError) as caught:
        scenario(world, kind, settings)
    assert (code, f"node 1.settings.{place}") in {(p.code, p.place) for p in caught.value.problems}


def test_what_the_triggers_read_is_never_a_statement(world: World, connection: psycopg.Connection[Any]) -> None:
    odd = "'; DROP TABLE capture; --"
    number = scenario(world, "start_goal", {"goal": odd})
    person = world.profile()
    append(connection, world.clock, [Event(person, EventKind.GOAL, world.clock.now(), data={"goal": odd})])
    assert inside(world, number) == [person]


@pytest.mark.parametrize("mode", ["parallel", "restart", "after_exit"])
def test_scenarios_that_start_each_other_do_not_go_round_without_end(world: World, mode: str) -> None:
    def chained(hears: str, says: str) -> int:
        nodes = [{"id": 0, "type": "start", "links": {"next": 2}}, {"id": 1, "type": "start_goal", "settings": {"goal": hears}, "links": {"next": 2}},
                 {"id": 2, "type": "goal", "settings": {"goal": says}}]  # fmt: skip
        return world.scenario(nodes, mode=mode, name=f"On {hears}")

    ping, pong = chained("ping", "pong"), chained("pong", "ping")
    person = world.profile()
    world.enter(ping, person)
    world.run()
    counts = dict(world.all("SELECT scenario_id, count(*) FROM passage_ended GROUP BY 1"))
    assert counts[ping] == 100 and counts[pong] in (99, 100)
    assert world.all("SELECT reason, count(*) FROM entry_refused GROUP BY 1") == [(7, 1)]
    world.clock.advance(timedelta(minutes=2))
    world.enter(pong, person)
    world.run()
    assert dict(world.all("SELECT scenario_id, count(*) FROM passage_ended GROUP BY 1"))[pong] > 190
