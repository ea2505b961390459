"""Plays a play on both sides and compares after every round."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import reject

from sojourn.scenarios import statistics
from tests.reference.compiled import Compiled, publishable
from tests.reference.graph import Graph
from tests.reference.interpreter import take_out
from tests.reference.person import ACCEPTED, HANDING_OVER, PARTS, PLANNED, Capture, Person
from tests.reference.plays import Play, Round
from tests.reference.worlds import TooManyOrders, settle


def play(compiled: Compiled, drawn: Play) -> None:
    """Run a play on the compiled engine and on the oracle; they agree after every round, or this raises."""
    documents = [publishable(compiled.connection, document) for document in drawn.graphs]
    if None in documents:
        reject()
    graphs = [Graph(document) for document in documents if document is not None]
    people = compiled.begin(documents[0] or {}, drawn.people, drawn.batch)
    published, version = 0, 1
    for number, happening in enumerate(drawn.rounds):
        # Whoever stands at a start node that the next version does not have is none of the oracle's business.
        doors = {capture.node for person in people for capture in person.captures}
        if happening.publish is not None and all(graphs[happening.publish].has_start(node) for node in doors):
            published, version = happening.publish, version + 1
            compiled.publish(documents[published] or {})
        _happen(compiled, people, happening, graphs[published])
        compiled.clock.advance(timedelta(seconds=happening.advance))
        if happening.lag and number + 1 < len(drawn.rounds):
            continue
        try:
            worlds = [settle(person, graphs[published], version, compiled.clock.now()) for person in people]
        except TooManyOrders:
            reject()
        compiled.run()
        people = [_chosen(seen, possible) for seen, possible in zip(compiled.people(), worlds, strict=True)]
        if happening.fold:
            compiled.fold()
    compiled.check_house()
    _compare_figures(compiled, people, graphs[published])


def _chosen(seen: Person, possible: list[Person]) -> Person:
    """The world that the compiled engine went into."""
    mark = seen.snapshot()
    for world in possible:
        if world.snapshot() == mark:
            return world
    raise AssertionError(
        f"none of {len(possible)} possible outcomes is what the engine did; the nearest:\n"
        + min((_difference(mark, world.snapshot()) for world in possible), key=len)
    )


def _difference(engine: tuple[Any, ...], oracle: tuple[Any, ...]) -> str:
    """What the one has and the other has not, part by part."""
    lines = []
    for name, seen, wanted in zip(PARTS, engine, oracle, strict=True):
        only_seen, only_wanted = Counter(seen) - Counter(wanted), Counter(wanted) - Counter(seen)
        lines += [f"{name}, engine: {item}" for item in only_seen] + [f"{name}, oracle: {item}" for item in only_wanted]
    return "\n".join(lines)


def _happen(compiled: Compiled, people: list[Person], happening: Round, graph: Graph) -> None:
    """The world outside acts on both sides."""
    ids, now = compiled.profile_ids, compiled.clock.now()
    for number, name, value in happening.fields:
        if people[number].exists:
            people[number].fields[name] = value
            compiled.write_field(ids[number], name, value)
    for number, which, status in happening.statuses:
        if which < len(people[number].subscriptions):
            chosen = people[number].subscriptions[which]
            if status == 0 and chosen.status == 4:
                chosen.confirmed_at = now
            chosen.status = status
            compiled.write_subscriptions(ids[number], people[number])
    for number, global_status in happening.global_statuses:
        if people[number].exists:
            people[number].status = global_status
            compiled.connection.execute(
                f'UPDATE "{compiled.base.table}" SET status = %s WHERE lane = %s AND id = %s',
                (global_status, ids[number] & 63, ids[number]),
            )
            compiled.write_subscriptions(ids[number], people[number])
    for chosen_people, state in happening.outcomes:
        compiled.outcome([ids[n] for n in chosen_people], state)
        for number in chosen_people:
            _decide(people[number], "messages", state, now)
    for chosen_people, state in happening.answers:
        compiled.answer([ids[n] for n in chosen_people], state)
        for number in chosen_people:
            _decide(people[number], "requests", state, now)
    for chosen_people, clicked in happening.opens:
        compiled.opened([ids[n] for n in chosen_people], clicked)
        for message in (m for n in chosen_people for p in people[n].passages for m in p.messages.values()):
            if message.state == ACCEPTED:
                message.opened, message.clicked = message.opened or not clicked, message.clicked or clicked
    if happening.remove:
        compiled.remove()
        for passage in (p for person in people for p in person.passages if p.live):
            take_out(passage, "removed", now)
    starts = sorted(node for node in graph.nodes if graph.type(node).startswith("start"))
    for number, start, key, context in happening.captures:
        node = starts[start % len(starts)]
        compiled.capture(ids[number], node, key, context, priority=1 if graph.type(node) == "start" else 5)
        people[number].captures.append(Capture(node, now, key, context))


def _decide(person: Person, what: str, state: int, now: Any) -> None:
    for passage in person.passages:
        for hop, planned in getattr(passage, what).items():
            if planned.state in (PLANNED, HANDING_OVER):
                planned.state = state
                if state != HANDING_OVER and getattr(planned, "awaited", True):
                    person.answers.append((passage, hop, now))


def _compare_figures(compiled: Compiled, people: list[Person], graph: Graph) -> None:
    """The statistics of the scenario say what the passages say."""
    figures = statistics(compiled.connection, compiled.scenario_id)
    passages = [passage for person in people for passage in person.passages]
    ends = Counter(passage.ended[0] if passage.ended else "inside" for passage in passages)
    totals = figures.totals
    assert (totals.entered, totals.inside) == (len(passages), ends["inside"])
    assert (totals.completed, totals.failed, totals.removed, totals.restarted, totals.capped) == (
        ends["completed"], ends["failed"], ends["removed"], ends["restarted"], ends["visit_cap"],
    )  # fmt: skip
    left = Counter((node, output) for passage in passages for _, node, output, _ in passage.steps)
    inside = Counter(passage.node for passage in passages if passage.live)
    assert {(node, output): n for node, f in figures.nodes.items() for output, n in f.outputs.items() if n} == dict(
        left
    )
    assert {node: f.inside for node, f in figures.nodes.items() if f.inside} == dict(inside)
