"""Edits with people inside: the preview, taking people along, and undoing it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sojourn.kernel import Settings
from sojourn.kernel.errors import Conflict, SojournError
from sojourn.scenarios import get_scenario, overview, publish, save_draft, statistics
from sojourn.scenarios.clearing import move_on, remove_passage
from sojourn.scenarios.editing import EditPreview, needed_doors, preview_edit
from sojourn.scenarios.migrating import Migration, Move, check_moves, list_migrations, migrate, undo_migration
from tests.scenarios.world import EMAIL, World

START = {"id": 0, "type": "start", "links": {"next": 1}}


def step(node: int, kind: str, settings: dict[str, Any] | None = None, **links: int) -> dict[str, Any]:
    return {"id": node, "type": kind, "settings": settings or {}, "links": links}


def pause(node: int, length: str = "1d", **links: int) -> dict[str, Any]:
    return step(node, "pause", {"length": length}, **links)


def goal(node: int, name: str, **links: int) -> dict[str, Any]:
    return step(node, "goal", {"goal": name}, **links)


def letter(node: int, **links: int) -> dict[str, Any]:
    return step(node, "email", {"resource": "Newsletter", "template": "Welcome letter"}, **links)


@pytest.fixture
def world(connection, clock) -> World:
    return World(connection, clock)


def edit(world: World, scenario: int, nodes: list[dict[str, Any]], **more: Any) -> None:
    current = get_scenario(world.connection, scenario)
    document = {
        "name": current.name,
        "database": "Customers",
        "nodes": nodes,
        "reentry": {"mode": current.document.reentry.mode},
        **more,
    }
    save_draft(world.connection, world.clock, scenario, current.revision, document)


def take_along(world: World, scenario: int, moves: dict[int, Move] | None = None) -> Migration:
    preview = preview_edit(world.connection, world.clock, scenario, "en")
    assert not preview.problems
    check_moves(preview.waiting, moves or {}, get_scenario(world.connection, scenario).document)
    doors = needed_doors(preview.waiting, moves or {})
    made = publish(world.connection, world.clock, scenario, settings=Settings(), accept_sandbox=True, doors=doors)
    assert made.published_version_id
    done = migrate(world.connection, world.clock, scenario, made.published_version_id, moves or {})
    world.loop.refresh_now()
    return done


def goals(world: World, person: int) -> list[str]:
    return [
        row[0]
        for row in world.all(
            "SELECT data ->> 'goal' FROM event WHERE profile_id = %s ORDER BY occurred_at, hop", person
        )
    ]


def sums_match(world: World, scenario: int) -> None:
    """The figures say where people are."""
    figures = statistics(world.connection, scenario)
    inside = dict(world.all("SELECT node_id, count(*) FROM resting WHERE scenario_id = %s GROUP BY 1", scenario))
    assert {node: f.inside for node, f in figures.nodes.items() if f.inside} == inside
    totals = figures.totals
    assert totals.inside == sum(inside.values()) == overview(world.connection, scenario).inside
    assert (
        totals.entered
        == totals.inside + totals.completed + totals.failed + totals.removed + totals.restarted + totals.capped
    )


def test_the_preview_says_in_words_what_changes_and_who_waits_where(world: World) -> None:
    scenario = world.scenario([START, pause(1, "1d", next=2), pause(2, "30m", next=3), goal(3, "a")])
    first, second = world.profile(), world.profile()
    world.enter(scenario, first)
    world.run()
    world.later(days=1)
    world.enter(scenario, second)
    world.run()
    edit(world, scenario, [START, pause(1, "2d", next=4), goal(3, "b"), letter(4, next=3)])
    preview: EditPreview = preview_edit(world.connection, world.clock, scenario, "en")
    assert [change.text for change in preview.changes] == [
        "Step removed: Pause", "New step: E-mail", "Pause: Wait 1d → Wait 2d", "Pause, Next: leads to E-mail, not to Pause", "Goal: a → b",
    ]  # fmt: skip
    assert [(w.node_id, w.people, w.due_in_hour, w.due_in_day, w.fate) for w in preview.waiting] == [
        (1, 1, 0, 1, "moves"), (2, 1, 1, 1, "gone"),
    ]  # fmt: skip
    assert preview_edit(world.connection, world.clock, scenario, "ru").changes[0].text == "Шаг удалён: Пауза"
    edit(world, scenario, [START, pause(1, "2d", next=9)])
    assert [problem.code for problem in preview_edit(world.connection, world.clock, scenario, "en").problems] == [
        "unknown_target"
    ]
    assert world.all("SELECT count(*) FROM scenario_version") == [(1,)]


def test_people_keep_their_moment_and_take_the_new_way(world: World) -> None:
    scenario = world.scenario([START, pause(1, next=2), goal(2, "old")])
    along = world.profile()
    world.enter(scenario, along)
    world.run()
    edit(world, scenario, [START, pause(1, "9d", next=3), goal(3, "new")])
    done = take_along(world, scenario)
    assert (done.moved, done.taken_out, done.version) == (1, 0, 2)
    sums_match(world, scenario)
    world.later(hours=23)
    assert goals(world, along) == []
    world.later(hours=1)
    assert goals(world, along) == ["new"]
    assert [step[0] for step in world.steps(along)] == [0, 1, 3]
    sums_match(world, scenario)
    assert [m.id for m in list_migrations(world.connection, scenario)] == [done.id]


@pytest.mark.parametrize("move", ["stay", None, "exit", 3])
def test_people_of_a_removed_step_go_where_the_author_says_and_else_finish_the_old_way(
    world: World, move: Move | None
) -> None:
    scenario = world.scenario([START, pause(1, next=2), goal(2, "old")])
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    edit(world, scenario, [{**START, "links": {"next": 3}}, goal(3, "new", next=4), pause(4, "1h")])
    done = take_along(world, scenario, {1: move} if move is not None else {})
    sums_match(world, scenario)
    world.run()
    world.later(days=1)
    world.later(hours=2)
    assert goals(world, person) == {"stay": ["old"], None: ["old"], "exit": [], 3: ["new"]}[move]
    assert (done.moved, done.taken_out) == (int(move == 3), int(move == "exit"))
    assert world.all("SELECT reason FROM passage_ended") == [(4 if move == "exit" else 1,)]
    sums_match(world, scenario)


def test_an_edit_is_undone_while_nobody_has_gone_on(world: World) -> None:
    scenario = world.scenario([START, pause(1, next=2), pause(2, next=3), goal(3, "old")])
    people = [world.profile() for _ in range(70)]
    world.enter(scenario, *people)
    world.run()
    before = world.all("SELECT passage_id, version_id, node_id, due_at, awaits, hop, turns FROM resting ORDER BY 1")
    edit(world, scenario, [{**START, "links": {"next": 4}}, goal(4, "new", next=5), pause(5)])
    done = take_along(world, scenario, {1: 4})
    assert done.moved == 70
    assert world.all("SELECT DISTINCT node_id, awaits FROM resting") == [(4, 2)]
    undo_migration(world.connection, world.clock, done.id)
    assert (
        world.all("SELECT passage_id, version_id, node_id, due_at, awaits, hop, turns FROM resting ORDER BY 1")
        == before
    )
    sums_match(world, scenario)
    with pytest.raises(Conflict) as caught:
        undo_migration(world.connection, world.clock, done.id)
    assert caught.value.code == "undone_already"
    world.loop.refresh_now()
    world.later(days=2)
    assert goals(world, people[0]) == ["old"]
    sums_match(world, scenario)


def test_what_has_gone_on_cannot_be_undone(world: World) -> None:
    scenario = world.scenario([START, pause(1, next=2), goal(2, "old")])
    person, other = world.profile(), world.profile()
    world.enter(scenario, person, other)
    world.run()
    edit(world, scenario, [START, pause(1, next=3), goal(3, "new")])
    done = take_along(world, scenario)
    [(passage,)] = world.all("SELECT passage_id FROM resting WHERE profile_id = %s", person)
    assert move_on(world.connection, world.clock, scenario, person, passage)
    world.run()
    with pytest.raises(Conflict) as caught:
        undo_migration(world.connection, world.clock, done.id)
    assert caught.value.code == "gone_on" and caught.value.message.startswith("1 ")
    assert goals(world, person) == ["new"]


def test_who_awaits_the_outcome_of_a_letter_can_be_moved_and_sends_another_one(world: World) -> None:
    scenario = world.scenario([START, letter(1, next=2, not_sent=2), goal(2, "old")])
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    edit(world, scenario, [{**START, "links": {"next": 3}}, letter(3, next=4, not_sent=4), goal(4, "new")])
    take_along(world, scenario, {1: 3})
    world.run()
    assert world.all("SELECT node_id, hop FROM message ORDER BY hop") == [(1, 2), (3, 3)]
    world.deliver(EMAIL)
    world.run()
    assert goals(world, person) == ["new"]
    sums_match(world, scenario)


def test_loops_keep_count_over_an_edit(world: World) -> None:
    loop = [START, pause(1, "1h", next=2), letter(2, next=1)]
    scenario = world.scenario(loop)
    person = world.profile()
    world.enter(scenario, person)
    world.run()
    for _ in range(50):
        world.later(hours=1)
    edit(world, scenario, [START, pause(1, "1h", next=2), goal(3, "x", next=1), letter(2, next=3)])
    take_along(world, scenario)
    for _ in range(60):
        world.later(hours=1)
    assert world.all("SELECT reason FROM passage_ended") == [(6,)]
    assert len([node for node, _ in world.steps(person) if node == 2]) == 100
    sums_match(world, scenario)


def test_people_at_a_step_that_is_cut_off_go_on_from_there(world: World) -> None:
    scenario = world.scenario([START, pause(1, next=2), pause(2, next=3), goal(3, "old")])
    person, other = world.profile(), world.profile()
    world.enter(scenario, person)
    world.run()
    world.later(days=1)
    world.enter(scenario, other)
    world.run()
    # Nothing leads to the second pause any more, nor to the branch behind it, where the first one is sent.
    cut = [{**START, "links": {"next": 5}}, goal(5, "start"), pause(2, next=3), letter(3, next=4), goal(4, "new")]
    edit(world, scenario, cut)
    done = take_along(world, scenario, {1: 3})
    assert done.moved == 2
    world.run()
    assert goals(world, other) == ["new"]
    world.later(days=1)
    assert goals(world, person) == ["new"]
    assert world.all("SELECT count(*) FROM resting") == [(0,)]
    sums_match(world, scenario)


def test_destinations_that_cannot_be_are_named(world: World) -> None:
    scenario = world.scenario([START, pause(1, next=2), goal(2, "old")])
    world.enter(scenario, world.profile())
    world.run()
    edit(world, scenario, [START, pause(1, next=3), goal(3, "new")])
    with pytest.raises(SojournError) as caught:
        take_along(world, scenario, {1: 3})
    assert [(p.code, p.place) for p in caught.value.problems] == [("not_removed", "moves.1")]
    edit(world, scenario, [{**START, "links": {"next": 3}}, goal(3, "new")])
    with pytest.raises(SojournError) as caught:
        take_along(world, scenario, {1: 77})
    assert [(p.code, p.place) for p in caught.value.problems] == [("unknown_node", "moves.1")]


def test_one_person_is_let_on_or_taken_out(world: World) -> None:
    scenario = world.scenario(
        [
            START,
            pause(1, "30d", next=2),
            step(2, "api_request", {"url": "https://crm.test/"}, success=3, failure=4),
            goal(3, "yes"),
            goal(4, "no"),
        ]
    )
    one, two = world.profile(), world.profile()
    world.enter(scenario, one, two)
    world.run()
    passages = dict(world.all("SELECT profile_id, passage_id FROM resting"))
    assert move_on(world.connection, world.clock, scenario, one, passages[one])
    world.run()
    assert world.all("SELECT node_id, awaits FROM resting WHERE profile_id = %s", one) == [(2, 1)]
    assert move_on(world.connection, world.clock, scenario, one, passages[one])
    world.clock.advance(timedelta(seconds=1))
    world.run()
    assert goals(world, one) == ["no"]
    assert remove_passage(world.connection, world.clock, scenario, two, passages[two])
    assert not remove_passage(world.connection, world.clock, scenario, two, passages[two])
    assert not move_on(world.connection, world.clock, scenario, two, passages[two])
    sums_match(world, scenario)
