"""The engine, one behaviour at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sojourn.delivery.claiming import claim
from sojourn.delivery.codes import Channel
from sojourn.kernel import lane_of
from sojourn.kernel.errors import SojournError
from sojourn.loyalty import find_pool
from sojourn.profiles.categories import CategoryDraft, set_categories
from sojourn.scenarios import create_scenario, overview, publish, remove_everybody, statistics, stop
from sojourn.scenarios.failures import retry_refused
from tests.scenarios.world import EMAIL, SMS, World

START = {"id": 0, "type": "start", "links": {"next": 1}}


def email(node: int, to: int | None = None, **settings: Any) -> dict[str, Any]:
    return {
        "id": node,
        "type": "email",
        "settings": {"resource": "Newsletter", "template": "Welcome letter", **settings},
        "links": {"next": to} if to is not None else {},
    }


def pause(node: int, to: int | None = None, length: str = "1d") -> dict[str, Any]:
    return {
        "id": node,
        "type": "pause",
        "settings": {"length": length},
        "links": {"next": to} if to is not None else {},
    }


def points(node: int, to: int | None = None, by: int = 100) -> dict[str, Any]:
    change = {"field": "points", "operation": "increase", "value": by}
    return {
        "id": node,
        "type": "update_profile",
        "settings": {"changes": [change]},
        "links": {"next": to} if to is not None else {},
    }


@pytest.fixture
def world(connection, clock) -> World:
    return World(connection, clock)


WELCOME = [
    {"id": 0, "type": "start", "links": {"next": 2}},
    {
        "id": 2,
        "type": "email",
        "settings": {"resource": "Newsletter", "template": "Confirm", "confirmation": True},
        "links": {"next": 3},
    },
    pause(3, 4),
    {
        "id": 4,
        "type": "condition",
        "settings": {"rules": {"rule": "subscription", "resource": "Newsletter", "channel": "email"}},
        "links": {"yes": 5, "no": 8},
    },
    points(5, 6),
    {"id": 6, "type": "promo_code", "settings": {"pool": "WELCOME"}, "links": {"next": 7}},
    {"id": 7, "type": "email", "settings": {"resource": "Newsletter", "template": "Gift letter"}},
    {
        "id": 8,
        "type": "condition",
        "settings": {"rules": {"rule": "message", "event": "sent", "channel": "sms"}},
        "links": {"yes": 9, "no": 10},
    },
    {
        "id": 9,
        "type": "api_request",
        "settings": {"url": "https://crm.example/tasks", "body": '{"phone": "{{ profile.phones | first }}"}'},
    },
    {"id": 10, "type": "sms", "settings": {"resource": "Newsletter", "template": "Reminder"}, "links": {"next": 11}},
    pause(11, 4),
]


def test_the_welcome_scenario_leads_the_confirmed_to_the_gift_and_the_silent_to_the_call_centre(world: World) -> None:
    scenario = world.scenario(WELCOME)
    eager, silent, late = world.profile(email=4), world.profile(email=4), world.profile(email=4)
    world.enter(scenario, eager, silent, late)
    world.run()
    assert world.all("SELECT count(*) FROM message WHERE node_id = 2 AND state = 0 AND flags = 1") == [(3,)]
    world.connection.execute(
        "UPDATE subscription SET status = 0, effective = 0 WHERE profile_id = %s AND channel = 1", (eager,)
    )
    world.later(days=1)
    assert world.steps(eager) == [(0, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0)]
    assert world.value(eager, "points") == 100
    assert world.all("SELECT count(*) FROM message WHERE channel = 2") == [(2,)]
    world.connection.execute(
        "UPDATE subscription SET status = 0, effective = 0 WHERE profile_id = %s AND channel = 1", (late,)
    )
    world.later(days=1)
    assert world.steps(late)[-4:] == [(4, 0), (5, 0), (6, 0), (7, 0)]
    assert world.steps(silent)[-3:] == [(11, 0), (4, 1), (8, 0)]
    assert world.all("SELECT profile_id, awaits FROM resting") == [(silent, 1)]
    [(lane, passage, hop)] = world.all("SELECT lane, passage_id, hop FROM request WHERE state = 0")
    world.connection.execute("UPDATE request SET state = 2, status = 200")
    world.answer(lane, passage, hop, silent)
    world.run()
    assert world.steps(silent)[-1] == (9, 0)
    assert world.all("SELECT reason, count(*) FROM passage_ended GROUP BY 1") == [(1, 3)]
    assert world.all("SELECT count(*), count(DISTINCT no) FROM promo_assignment") == [(2, 2)]
    figures = statistics(world.connection, scenario)
    assert figures.totals.entered == figures.totals.completed == 3
    assert {node: f.entered for node, f in figures.nodes.items()} == {
        0: 3,
        2: 3,
        3: 3,
        4: 5,
        5: 2,
        6: 2,
        7: 2,
        8: 3,
        9: 1,
        10: 2,
        11: 2,
    }


def test_a_node_reads_what_an_earlier_node_of_the_pass_wrote(world: World) -> None:
    rule = {"rule": "field", "field": "points", "operator": "ge", "value": 200}
    scenario = world.scenario(
        [
            START,
            points(1, 2),
            points(2, 3),
            {"id": 3, "type": "condition", "settings": {"rules": rule}, "links": {"yes": 4}},
            email(4),
        ],
    )
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    assert world.value(person, "points") == 200
    assert world.steps(person) == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)]
    assert world.all("SELECT old, new FROM change ORDER BY new ->> 'points'") == [
        ({"points": None}, {"points": 100}),
        ({"points": 100}, {"points": 200}),
    ]


def test_branches_that_meet_again_go_on_once(world: World) -> None:
    rule = {"rule": "field", "field": "level", "operator": "eq", "value": "gold"}
    scenario = world.scenario(
        [
            START,
            {"id": 1, "type": "condition", "settings": {"rules": rule}, "links": {"yes": 2, "no": 3}},
            points(2, 3),
            email(3, 4),
            pause(4),
        ],
    )
    gold, plain = world.profile(level="gold"), world.profile()
    world.enter(scenario, gold, plain)
    world.run()
    assert world.all("SELECT profile_id, hop FROM resting ORDER BY 1") == [(gold, 5), (plain, 4)]
    assert world.all("SELECT count(*) FROM message") == [(2,)]
    world.later(days=1)
    assert world.steps(gold) == [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0)]
    assert world.steps(plain) == [(0, 0), (1, 1), (3, 0), (4, 0)]


def test_never_remembers_who_was_here_and_says_why_it_refused(world: World) -> None:
    scenario = world.scenario([START, pause(1)], mode="never")
    person = world.profile()
    for _ in range(2):
        world.enter(scenario, person)
        world.run()
        world.later(days=2)
    assert overview(world.connection, scenario).entered == 1
    assert world.all("SELECT profile_id, reason FROM entry_refused") == [(person, 1)]


def test_after_exit_refuses_while_inside_and_before_the_interval(world: World) -> None:
    scenario = world.scenario([START, pause(1)], mode="after_exit", min_interval="3d")
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    world.enter(scenario, person)
    world.run()
    world.later(days=1)
    world.enter(scenario, person)
    world.run()
    world.later(days=3)
    world.enter(scenario, person)
    world.run()
    assert world.all("SELECT reason FROM entry_refused ORDER BY at") == [(2,), (3,)]
    assert overview(world.connection, scenario).entered == 2


def test_restart_ends_the_old_passage_and_cancels_what_it_planned(world: World) -> None:
    scenario = world.scenario([START, email(1, 2), pause(2)], mode="restart")
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    world.enter(scenario, person, context={"cart": 7})
    world.run()
    assert world.all("SELECT reason FROM passage_ended") == [(5,)]
    assert world.all("SELECT state FROM message ORDER BY passage_id") == [(5,), (0,)]
    assert world.all("SELECT context FROM resting") == [({"cart": 7},)]
    assert statistics(world.connection, scenario).totals.inside == 1


def test_parallel_passages_each_have_their_own_context(world: World) -> None:
    scenario = world.scenario([START, pause(1, 2), points(2)], mode="parallel")
    person = world.profile()
    world.enter(scenario, person, context={"order": 1})
    world.enter(scenario, person, context={"order": 2})
    world.run()
    assert [row[0]["order"] for row in world.all("SELECT context FROM resting ORDER BY passage_id")] == [1, 2]
    world.later(days=1)
    assert world.value(person, "points") == 200


def test_an_empty_pool_is_an_output_and_nobody_is_lost(connection, clock) -> None:
    world = World(connection, clock, codes=5)
    scenario = world.scenario(
        [
            START,
            {"id": 1, "type": "promo_code", "settings": {"pool": "WELCOME"}, "links": {"next": 2, "none_left": 3}},
            email(2),
            points(3),
        ]
    )
    people = [world.profile() for _ in range(12)]
    world.enter(scenario, *people)
    world.run()
    assert world.all("SELECT count(*) FROM promo_assignment") == [(5,)]
    assert sum(world.value(person, "points") or 0 for person in people) == 700
    assert world.all("SELECT reason, count(*) FROM passage_ended GROUP BY 1") == [(1, 12)]
    assert find_pool(connection, "WELCOME").left == 0


def test_a_linked_not_sent_waits_for_the_outcome(world: World) -> None:
    letter = {**email(1), "links": {"next": 2, "not_sent": 3}}
    scenario = world.scenario([START, letter, pause(2), points(3)])
    reached, refused, without = world.profile(), world.profile(), world.profile(email=None)
    world.enter(scenario, reached)
    world.run()
    assert world.all("SELECT awaits, due_at FROM resting") == [(1, None)]
    world.deliver(EMAIL)
    world.run()
    assert world.steps(reached) == [(0, 0), (1, 0)]
    world.enter(scenario, refused, without)
    world.run()
    world.deliver(EMAIL, accepted=False)
    world.run()
    assert world.value(refused, "points") == world.value(without, "points") == 100
    assert world.all("SELECT state, reason FROM message WHERE profile_id = %s", without) == [(9, 1)]


def test_without_a_link_not_sent_goes_on_with_the_others(world: World) -> None:
    scenario = world.scenario(
        [
            START,
            {
                "id": 1,
                "type": "sms",
                "settings": {"resource": "Newsletter", "template": "Reminder"},
                "links": {"next": 2},
            },
            pause(2),
        ]
    )
    person = world.profile(sms=1)
    world.enter(scenario, person)
    world.run()
    assert world.all("SELECT state, reason FROM message") == [(9, 2)]
    assert world.steps(person) == [(0, 0), (1, 1)]
    link = next(link for link in statistics(world.connection, scenario).links if link.node == 1)
    assert link.n == 1
    assert world.deliver(SMS) == 0


def test_who_left_a_category_gets_none_of_its_messages(world: World) -> None:
    set_categories(world.connection, world.resource.id, [CategoryDraft("sale", "Sales"), CategoryDraft("new", "New")])
    everything, sales, others = world.profile(), world.profile(), world.profile()
    for profile, names in ((sales, ["sale"]), (others, ["new"])):
        world.connection.execute("UPDATE subscription SET cats = %s WHERE profile_id = %s", (names, profile))
    scenario = world.scenario([START, email(1, category="sale"), pause(2)])
    world.enter(scenario, everything, sales, others)
    world.run()
    rows = world.connection.execute("SELECT profile_id, state, reason FROM message ORDER BY profile_id").fetchall()
    assert rows == [(everything, 0, None), (sales, 0, None), (others, 9, 10)]
    world.connection.execute("UPDATE subscription SET cats = '{}' WHERE profile_id = %s AND channel = 1", (sales,))
    taken = claim(world.connection, world.clock, 1, Channel.EMAIL, 100)
    assert [message.profile_id for message in taken.messages] == [everything]
    assert world.connection.execute("SELECT reason FROM message WHERE profile_id = %s", (sales,)).fetchone() == (10,)


def test_a_category_that_the_resource_does_not_have_is_a_problem_of_its_node(world: World) -> None:
    with pytest.raises(SojournError) as caught:
        world.scenario([START, email(1, category="sale")])
    assert caught.value.problems[0].place == "node 1.settings.category"


def test_a_step_whose_rule_cannot_be_answered_is_held_with_everybody_and_tried_again(world: World) -> None:
    world.connection.execute(
        "INSERT INTO external_table (created_at, updated_at, name, short_name, kind) VALUES (now(), now(), 'VIP', 'vip', 'sql')"
    )
    rules = {"all": [{"rule": "external", "field": "email", "presence": "not_in", "table": "vip"}]}
    condition = {"id": 1, "type": "condition", "settings": {"rules": rules}, "links": {"yes": 2}}
    scenario = world.scenario([START, condition, pause(2)])
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    [(reason,)] = world.all("SELECT reason FROM node_held")
    assert reason.startswith("SJ001") and "VIP" in reason and world.steps(person) == []
    assert retry_refused(world.connection, world.clock.now()) == 0
    world.connection.execute("UPDATE external_table SET generation = 1, columns = '{value}'")
    world.clock.advance(timedelta(minutes=2))
    assert retry_refused(world.connection, world.clock.now()) == 1
    world.run()
    assert world.steps(person) == [(0, 0), (1, 0)]


def test_a_loop_stops_at_the_visit_cap_with_an_outcome_of_its_own(world: World) -> None:
    scenario = world.scenario([START, points(1, 2, by=1), pause(2, 1, length="1h")])
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    for _ in range(105):
        world.later(hours=1)
    assert world.value(person, "points") == 100
    assert world.all("SELECT reason, node_id FROM passage_ended") == [(6, 1)]
    assert statistics(world.connection, scenario).totals.capped == 1


def test_one_persons_bad_data_fail_that_person_alone(world: World) -> None:
    scenario = world.scenario([START, pause(1, 2), points(2, 3, by=1), email(3)])
    people = [world.profile(points=2**63 - 1 if number == 7 else 1) for number in range(20)]
    world.enter(scenario, *people)
    world.run()
    world.later(days=1)
    assert world.all("SELECT reason, count(*) FROM passage_ended GROUP BY 1 ORDER BY 1") == [(1, 19), (3, 1)]
    [(profile, message)] = world.all("SELECT profile_id, message FROM passage_failure")
    assert profile == people[7]
    assert "out of range" in message
    totals = statistics(world.connection, scenario).totals
    assert (totals.entered, totals.completed, totals.failed, totals.inside) == (20, 19, 1, 0)


def test_stop_keeps_people_and_activate_lets_them_go_on(world: World) -> None:
    from sojourn.scenarios import activate

    scenario = world.scenario([START, pause(1, 2), points(2)])
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    stop(world.connection, world.clock, scenario)
    world.loop.refresh_now()
    assert world.later(days=5) == 0
    with pytest.raises(SojournError, match="not active"):
        world.enter(scenario, person)
    activate(world.connection, world.clock, scenario)
    world.loop.refresh_now()
    world.run()
    assert world.value(person, "points") == 100


def test_everybody_can_be_taken_out_and_what_was_planned_is_cancelled(world: World) -> None:
    scenario = world.scenario([START, email(1, 2), pause(2)])
    people = [world.profile() for _ in range(5)]
    world.enter(scenario, *people)
    world.run()
    assert remove_everybody(world.connection, world.clock, scenario) == 5
    assert world.all("SELECT state, count(*) FROM message GROUP BY 1") == [(5, 5)]
    totals = statistics(world.connection, scenario).totals
    assert (totals.entered, totals.inside, totals.removed) == (5, 0, 5)


def test_people_finish_on_the_version_by_which_they_entered(world: World) -> None:
    from sojourn.scenarios import get_scenario, save_draft

    scenario = world.scenario([START, pause(1, 2), points(2, by=1)])
    old, new = world.profile(), world.profile()
    world.enter(scenario, old)
    world.run()
    draft = get_scenario(world.connection, scenario)
    changed = draft.document.model_copy(update={"nodes": [node for node in draft.document.nodes if node.id != 2]})
    from sojourn.scenarios.graph import NodeDocument

    changed.nodes.append(NodeDocument.model_validate(points(2, by=1000)))
    from sojourn.kernel import Settings

    save_draft(world.connection, world.clock, scenario, draft.revision, changed)
    publish(world.connection, world.clock, scenario, settings=Settings(), accept_sandbox=True)
    world.loop.refresh_now()
    world.enter(scenario, new)
    world.run()
    world.later(days=1)
    assert (world.value(old, "points"), world.value(new, "points")) == (1, 1000)


@pytest.mark.parametrize(
    ("nodes", "code", "place"),
    [
        ([START], "too_small", "nodes"),
        ([START, pause(1, 9)], "unknown_target", "node 1.links.next"),
        ([START, pause(1, 0)], "link_to_start", "node 1.links.next"),
        ([START, points(1, 1)], "spinning_loop", "node 1.links.next"),
        ([START, {"id": 1, "type": "wish"}], "unknown_type", "node 1.type"),
        ([START, {"id": 1, "type": "email", "settings": {"resource": "Nobody", "template": "Welcome letter"}}], "unknown_reference", "node 1.settings.resource"),
        ([START, {"id": 1, "type": "sms", "settings": {"resource": "Newsletter", "template": "Welcome letter"}}], "wrong_channel", "node 1.settings.template"),
        ([START, {"id": 1, "type": "condition", "settings": {"rules": {"rule": "field", "field": "nope", "operator": "eq", "value": 1}}}], "unknown_field", "node 1.settings.rules.field"),
        ([START, {"id": 1, "type": "pause", "settings": {"length": "soon"}}], "bad_setting", "node 1.settings.length"),
        ([START, {"id": 1, "type": "api_request", "settings": {"url": "ftp://x"}}], "bad_address", "node 1.settings.url"),
        ([{"id": 1, "type": "pause", "links": {"next": 2}}, pause(2)], "one_start", "nodes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_words_with_node_and_setting(
    world: World, nodes: list[dict[str, Any]], code: str, place: str
) -> None:
    from sojourn.kernel import Settings

    made = create_scenario(world.connection, world.clock, {"name": "Wrong", "database": "Customers", "nodes": nodes})
    with pytest.raises(SojournError) as caught:
        publish(world.connection, world.clock, made.id, settings=Settings(), accept_sandbox=True)
    assert (code, place) in {(p.code, p.place) for p in caught.value.problems}


def test_publishing_asks_when_messages_would_go_to_the_sandbox(world: World) -> None:
    from sojourn.kernel import Settings

    made = create_scenario(
        world.connection, world.clock, {"name": "Asks", "database": "Customers", "nodes": [START, email(1)]}
    )
    with pytest.raises(SojournError) as caught:
        publish(world.connection, world.clock, made.id, settings=Settings())
    assert caught.value.code == "sandbox"
    assert (
        publish(
            world.connection, world.clock, made.id, settings=Settings(smtp_url="smtp://mail.example")
        ).published_number
        == 1
    )


def test_every_batch_size_gives_the_same_result(connection, clock) -> None:
    world = World(connection, clock, batch=1)
    scenario = world.scenario(WELCOME)
    people = [world.profile(email=0 if number % 2 else 4) for number in range(6)]
    world.enter(scenario, *people, *people)
    world.run()
    world.later(days=1)
    assert world.all("SELECT count(*) FROM promo_assignment") == [(3,)]
    assert world.all("SELECT count(*) FROM entry_refused") == [(6,)]
    assert world.all("SELECT lane, count(*) FROM resting GROUP BY 1 ORDER BY 1") == sorted(
        (lane_of(p), 1) for p in people[::2]
    )


def test_the_content_of_an_api_call_is_known_to_letters_while_inside_and_after(world: World) -> None:
    from sojourn.scenarios.variables import load_contexts

    scenario = world.scenario([START, pause(1, 2), points(2)])
    called, imported = world.profile(), world.profile()
    world.enter(scenario, called, context={"cart": {"sum": 12}})
    world.enter(scenario, imported)
    world.run()
    keys = [
        (lane_of(p), passage, p)
        for passage, p in world.all("SELECT passage_id, profile_id FROM resting ORDER BY profile_id")
    ]
    assert load_contexts(world.connection, keys) == [{"cart": {"sum": 12}}, {}]
    world.later(days=1)
    assert load_contexts(world.connection, keys) == [{"cart": {"sum": 12}}, {}]
