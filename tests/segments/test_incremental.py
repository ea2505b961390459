"""What is kept up to date equals what is asked of everybody: after anything that can happen, in any order, and while it happens."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from sojourn.events import Event, EventKind, append
from sojourn.events.touching import wait_for_writers
from sojourn.kernel import Settings, SystemClock, VirtualClock
from sojourn.kernel.database import DatabaseServer, connect, ensure_partitions, with_database
from sojourn.kernel.errors import Unavailable
from sojourn.profiles import (
    Options,
    Record,
    SubscriptionInput,
    database,
    delete_profile,
    import_records,
    set_global_status,
)
from sojourn.scenarios import Catalogue, activate, create_scenario, publish
from sojourn.scenarios.engine_loop import EngineLoop
from sojourn.segments.definitions import StoredSegments
from sojourn.segments.evaluation import ask, everybody
from sojourn.segments.incremental import catch_up
from sojourn.segments.membership import add_members, remove_members
from sojourn.segments.recalculating import question_of, recalculate
from sojourn.segments.store import Segment, change_segment, create_segment, get_segment, parse_draft
from sojourn.templates import TemplateContent, save_template
from sojourn.triggers import enter
from tests.conftest import START
from tests.segments.house import OMSK, RICH, Connection, House

RULES: list[dict[str, Any]] = [
    OMSK,
    {"not": RICH},
    {"any": [OMSK, {"rule": "subscription", "state": "subscribed"}]},
    {"rule": "activity", "event": "opened", "times": 2},
    {"not": {"rule": "activity", "event": "opened"}},
    {"rule": "structure", "part": "subscription", "sign": "at_least", "number": 1},
    {"rule": "field", "field": "_status", "operator": "eq", "value": "unsubscribed"},
    {"all": [{"rule": "segment", "segment": "S0"}, RICH]},
    {"rule": "segment", "segment": "S0", "membership": "entered", "times": 2},
    {"not": {"rule": "segment", "segment": "S3"}},
    {"rule": "scenario", "scenario": "Way", "participation": "inside"},
    {"rule": "scenario", "scenario": "Way", "participation": "completed"},
    {"rule": "message", "event": "sent", "scope": "ever"},
    {"rule": "segment", "segment": "VIP"},
    {"all": [{"rule": "segment", "segment": "Dynamic"}, {"rule": "segment", "segment": "VIP", "membership": "past"}]},
]
WHAT = [
    "points", "city", "subscribe", "unsubscribe", "open", "status", "born", "delete", "enter", "hour", "vip", "not_vip", "dynamic", "catch_up"
]  # fmt: skip
steps = st.lists(
    st.tuples(st.sampled_from(WHAT), st.integers(0, 14), st.integers(0, 9)), min_size=12, max_size=40
)  # fmt: skip


class Town(House):
    """A house with a scenario, a list made by hand, and everything that can happen to people."""

    def __init__(self, connection: Connection, clock: VirtualClock) -> None:
        super().__init__(connection, clock)
        self.born(12, _city="Omsk", points=3)
        letter = '<a href="{{ unsubscribe_url }}">Leave</a>'
        save_template(connection, clock, "Letter", 1, TemplateContent(subject="Hello", html=letter))
        nodes = [
            {"id": 0, "type": "start", "links": {"next": 1}},
            {"id": 1, "type": "email", "settings": {"resource": "News", "template": "Letter"}, "links": {"next": 2}},
            {"id": 2, "type": "pause", "settings": {"length": "1h"}},
        ]
        way = {"name": "Way", "database": "People", "reentry": {"mode": "restart"}, "nodes": nodes}
        self.way = create_scenario(connection, clock, way).id
        publish(connection, clock, self.way, settings=Settings(), accept_sandbox=True)
        activate(connection, clock, self.way)
        self.loop = EngineLoop(connection, clock)
        self.loop.refresh_now()
        self.vip = self.segment("VIP", "static")
        self.dynamic = self.segment("Dynamic", "dynamic", rules=OMSK)

    def run(self) -> None:
        while self.loop.step():
            pass

    def happens(self, what: str, who: int, value: int) -> None:
        connection, clock = self.connection, self.clock
        known = connection.execute(f"SELECT 1 FROM {self.base.table} WHERE id = %s", (who,)).fetchone()
        match what:
            case "points":
                self.change(who, points=value)
            case "city":
                self.change(who, _city=("Omsk", "Tomsk", None)[value % 3])
            case "subscribe" | "unsubscribe":
                status = "subscribed" if what == "subscribe" else "unsubscribed"
                given = SubscriptionInput(self.news, "email", f"c{who}@example.com", status)
                options = Options(mode="update", matching="profile_id")
                import_records(connection, clock, self.base, [Record({"profile_id": who}, {}, [given])], options)
            case "open":
                append(connection, clock, [Event(who, EventKind.OPENED, clock.now())])
            case "status" if known:
                set_global_status(connection, clock, self.base.id, who, value % 2, cause=1)
            case "born":
                self.born(1, _city="Omsk", points=value)
            case "delete" if known:
                delete_profile(connection, clock, self.base, who, cause=1)
            case "enter":
                enter(connection, clock, self.way, [who])
                self.run()
            case "hour":
                clock.advance(timedelta(hours=1))
                self.run()
            case "vip":
                add_members(connection, clock, self.vip.id, [who], cause=1)
            case "not_vip":
                remove_members(connection, clock, self.vip.id, [who], cause=1)
            case "dynamic":
                self._change_dynamic(("Omsk", "Tomsk")[value % 2])
            case "catch_up":
                catch_up(connection, clock)

    def _change_dynamic(self, city: str) -> None:
        revision = get_segment(self.connection, self.dynamic.id).revision
        draft = parse_draft({"name": "Dynamic", "rules": {**OMSK, "value": city}})
        change_segment(self.connection, self.clock, self.dynamic.id, revision, draft, Catalogue(self.connection))

    def fitting(self, segment: Segment) -> set[int]:
        """Who fits, asked of everybody at once."""
        asked = ask(self.base, question_of(segment), self.clock.now(), StoredSegments(self.connection))
        return {row[0] for row in self.connection.execute(everybody(self.base, asked, "p.id"), asked.values)}


@contextmanager
def fresh(server: DatabaseServer, name: str) -> Iterator[Connection]:
    with connect(with_database(server.url, "postgres"), "test") as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template_sojourn").format(sql.Identifier(name)))
    with connect(with_database(server.url, name), "test") as connection:
        ensure_partitions(connection, START)
        yield connection


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=steps)
def test_what_is_kept_equals_what_is_asked_of_everybody(
    server: DatabaseServer, plan: list[tuple[str, int, int]]
) -> None:
    with fresh(server, "incremental_test") as connection:
        clock = VirtualClock(START)
        town = Town(connection, clock)
        segments = [town.segment(f"S{number}", rules=rules) for number, rules in enumerate(RULES)]
        for what, who, value in plan:
            clock.advance(timedelta(minutes=1))
            town.happens(what, town.people[who % len(town.people)], value)
        unfolds = segments[-1]
        if get_segment(connection, unfolds.id).next_at == clock.now() or any(what == "dynamic" for what, *_ in plan):
            recalculate(connection, clock, unfolds.id)  # other rules are a matter of a whole calculation
        catch_up(connection, clock)
        kept = [town.members(segment) for segment in segments]
        assert kept == [town.fitting(segment) for segment in segments]
        sizes = [get_segment(connection, segment.id).size for segment in segments]
        assert sizes == [len(members) for members in kept]
        _check_history(connection, segments, kept)


def _check_history(connection: Connection, segments: list[Segment], kept: list[set[int]]) -> None:
    """Entries and exits take turns, and the last of them says who is in."""
    for segment, members in zip(segments, kept, strict=True):
        inside: dict[int, bool] = {}
        for profile, entered in connection.execute(
            "SELECT profile_id, entered FROM segment_history WHERE segment_id = %s ORDER BY at, ctid", (segment.id,)
        ):
            assert inside.get(profile, False) != entered
            inside[profile] = entered
        assert {profile for profile, is_in in inside.items() if is_in} == members


def test_a_change_of_a_dynamic_segment_makes_due_who_unfolds_it(connection: Connection, clock: VirtualClock) -> None:
    town = Town(connection, clock)
    unfolds = town.segment("Unfolds", rules={"rule": "segment", "segment": "Dynamic"})
    plain = town.segment("Plain", rules=OMSK)
    assert unfolds.next_at is None
    clock.advance(timedelta(minutes=1))
    town.happens("dynamic", town.people[0], 1)
    assert get_segment(connection, unfolds.id).next_at == clock.now()
    assert get_segment(connection, plain.id).next_at is None


def test_what_happens_after_the_question_was_put_counts(connection: Connection, clock: VirtualClock) -> None:
    town = Town(connection, clock)
    lately = town.segment("Lately", rules={"rule": "activity", "event": "opened", "within_days": 7})
    real, calls = clock.now, 0

    def later() -> Any:
        """Each look at the clock finds it moved on."""
        nonlocal calls
        calls += 1
        return real() + timedelta(seconds=calls)

    clock.now = later  # type: ignore[method-assign]
    for who in town.people[:3]:
        append(connection, clock, [Event(who, EventKind.OPENED, clock.now())])
    catch_up(connection, clock)
    assert town.members(lately) == set(town.people[:3])


def test_a_calculation_waits_for_changes_that_do_not_know_of_it(
    connection: Connection, clock: VirtualClock, database_url: str
) -> None:
    town = Town(connection, clock)
    with connect(database_url, "other") as other, other.transaction():
        append(other, clock, [Event(town.people[0], EventKind.OPENED, clock.now())])
        with pytest.raises(Unavailable):
            wait_for_writers(connection, patience=0.2)
    wait_for_writers(connection, patience=0.2)


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_missed_while_people_change_and_segments_come(database_url: str, seed: int) -> None:
    """Three writers at work, the work list emptied beside them, segments made, changed and calculated meanwhile."""
    clock = SystemClock()
    with connect(database_url, "test") as connection:
        ensure_partitions(connection, clock.now())
        town = Town(connection, clock)  # type: ignore[arg-type]
        town.born(60, _city="Omsk", points=3)
        stop = threading.Event()
        broken: list[BaseException] = []

        def at_work(work: Any) -> threading.Thread:
            def run() -> None:
                try:
                    with connect(database_url, "test") as own:
                        work(own)
                except BaseException as error:
                    broken.append(error)

            thread = threading.Thread(target=run)
            thread.start()
            return thread

        def write(own: Connection) -> None:
            dice = random.Random(seed * 100 + threading.get_ident() % 97)
            while not stop.is_set():
                who = dice.choice(town.people)
                if dice.random() < 0.5:
                    fields = {"points": dice.randrange(10), "_city": dice.choice(["Omsk", "Tomsk"])}
                    options = Options(mode="update", matching="profile_id")
                    import_records(own, clock, town.base, [Record({"profile_id": who}, fields)], options)
                else:
                    append(own, clock, [Event(who, EventKind.OPENED, clock.now())])

        def keep(own: Connection) -> None:
            while not stop.is_set():
                catch_up(own, clock, seconds=0.5)

        threads = [at_work(write) for _ in range(3)]
        segments = []
        rules = [OMSK, RICH, {"rule": "activity", "event": "opened", "times": 2}, {"not": RICH}]
        for number, tree in enumerate(rules):
            if number == 1:
                threads.append(at_work(keep))
            made = create_segment(
                connection, clock, town.base.id, "updatable", parse_draft({"name": f"S{number}", "rules": tree}), Catalogue(connection)
            )  # fmt: skip
            recalculate(connection, clock, made.id)
            segments.append(made.id)
        first = get_segment(connection, segments[0])
        change_segment(
            connection, clock, first.id, first.revision, parse_draft({"name": "S0", "rules": {"any": [OMSK, RICH]}}), Catalogue(connection)
        )  # fmt: skip
        recalculate(connection, clock, first.id)
        stop.set()
        for thread in threads:
            thread.join()
        assert not broken
        catch_up(connection, clock)
        for number in segments:
            segment = get_segment(connection, number)
            members = town.members(segment)
            assert (members, segment.size) == (town.fitting(segment), len(members))
        assert database(connection, town.base.id).id == town.base.id


def test_catching_up_gives_way_to_other_duties(connection: Connection, clock: VirtualClock) -> None:
    town = Town(connection, clock)
    segment = town.segment("Omsk", rules=OMSK)
    town.born(40, _city="Omsk")
    looked_at = catch_up(connection, clock, seconds=0)
    assert 0 < looked_at < 40
    catch_up(connection, clock)
    assert town.members(segment) == town.fitting(segment)
