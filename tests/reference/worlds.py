"""All outcomes that some order of simultaneous moves gives.

Inside one slice of time answers come first; then several passages of one person may be due together, or wait at the door, and which goes first is
not fixed. The oracle tries every order, so the compiled engine is right if its outcome is one of them.
"""

from __future__ import annotations

import copy
from datetime import datetime

from tests.reference.graph import Graph
from tests.reference.interpreter import let_in, wake
from tests.reference.person import Person

MOST = 400
"""Worlds looked at before the question is given up."""


class TooManyOrders(Exception):
    """There are too many orders to try."""


def settle(person: Person, graph: Graph, version: int, now: datetime) -> list[Person]:
    """Every state in which nothing is due any more; `graph` is the published version, which new entrants take."""
    person = copy.deepcopy(person)
    for passage, hop, at in person.answers:
        if passage.live and passage.awaits == "answer" and passage.hop == hop:
            passage.due, passage.awaits = at, None
    person.answers.clear()
    seen: set[object] = set()
    waiting, settled = [person], {}
    while waiting:
        world = waiting.pop()
        while len(moves := _moves(world, now)) == 1:
            _make(world, moves[0], graph, version, now)
        if not moves:
            settled[_mark(world)] = world
            continue
        if len(seen) > MOST:
            raise TooManyOrders
        if _mark(world) not in seen:
            seen.add(_mark(world))
            for move in moves:
                waiting.append(copy.deepcopy(world))
                _make(waiting[-1], move, graph, version, now)
    return list(settled.values())


Move = tuple[bool, int]
"""Whether it is a capture (else a rest that is over), and its number with the person."""


def _moves(world: Person, now: datetime) -> list[Move]:
    due = [n for n, p in enumerate(world.passages) if p.live and p.due is not None and p.due <= now]
    return [(True, number) for number in range(len(world.captures))] + [(False, number) for number in due]


def _make(world: Person, move: Move, graph: Graph, version: int, now: datetime) -> None:
    is_capture, number = move
    if is_capture:
        let_in(world, world.captures[number], graph, version, now)
    else:
        wake(world, world.passages[number])


def _mark(world: Person) -> object:
    return world.snapshot(), tuple(sorted(repr((p.entered_at, sorted(p.turns.items()))) for p in world.passages))
