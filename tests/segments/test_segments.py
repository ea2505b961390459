"""Segments: made, changed, referred to, calculated, counted; and kept up to date as if calculated from nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sojourn.events import Event, EventKind, append
from sojourn.kernel import SojournError, VirtualClock
from sojourn.kernel.errors import Conflict
from sojourn.profiles import (
    delete_profile,
)
from sojourn.scenarios import Catalogue
from sojourn.segments import membership
from sojourn.segments.counting import count
from sojourn.segments.dependencies import refresh_listeners
from sojourn.segments.evaluation import Question
from sojourn.segments.hints import hints
from sojourn.segments.incremental import catch_up
from sojourn.segments.recalculating import due_segments, recalculate
from sojourn.segments.store import (
    archive_segment,
    change_segment,
    get_segment,
    parse_draft,
)
from tests.conftest import START
from tests.segments.house import OMSK, RICH, Connection, House


@pytest.fixture
def house(connection: Connection, clock: VirtualClock) -> House:
    made = House(connection, clock)
    made.born(6, _city="Omsk", points=3)
    made.born(4, _city="Tomsk", points=9)
    return made


def test_an_updatable_segment_holds_who_fits_and_follows_changes(house: House) -> None:
    segment = house.segment("Omsk", rules=OMSK)
    assert house.members(segment) == set(house.people[:6])
    assert (segment.size, segment.error) == (6, None)
    house.change(house.people[0], _city="Tomsk")
    house.change(house.people[9], _city="Omsk")
    house.born(1, _city="Omsk")
    assert catch_up(house.connection, house.clock) == 3
    assert house.members(segment) == {*house.people[1:6], house.people[9], house.people[10]}
    assert get_segment(house.connection, segment.id).size == 7
    rows = house.connection.execute(
        "SELECT profile_id, entered FROM segment_history WHERE segment_id = %s ORDER BY at, profile_id", (segment.id,)
    ).fetchall()
    assert rows.count((house.people[0], False)) == 1 and len(rows) == 6 + 3
    assert house.connection.execute("SELECT count(*) FROM touched").fetchone() == (0,)


def test_without_updatable_segments_nothing_is_noted(house: House) -> None:
    house.segment("Now", "dynamic", rules=OMSK)
    house.born(3)
    assert house.listeners() == set()
    assert house.connection.execute("SELECT count(*) FROM touched").fetchone() == (0,)


def test_the_work_list_holds_what_the_rules_need(house: House) -> None:
    house.segment("A", rules=OMSK)
    assert house.listeners() == {"profile"}
    opened = house.segment("B", rules={"rule": "activity", "event": "opened"})
    assert house.listeners() == {"profile", "event"}
    archive_segment(house.connection, house.clock, opened.id)
    assert house.listeners() == {"profile"}
    dynamic = house.segment("C", "dynamic", rules={"rule": "subscription"})
    house.segment("D", rules={"rule": "segment", "segment": dynamic.id})
    assert house.listeners() == {"profile", "member", "subscription"}


def test_segments_of_segments_follow_each_other(house: House) -> None:
    inner = house.segment("Inner", rules=OMSK)
    outer = house.segment("Outer", rules={"all": [{"rule": "segment", "segment": "Inner"}, RICH]})
    assert house.members(outer) == set()
    house.change(house.people[0], points=7)
    house.change(house.people[7], _city="Omsk")
    catch_up(house.connection, house.clock)
    assert house.members(outer) == {house.people[0], house.people[7]} and house.people[7] in house.members(inner)
    entered = house.segment("Entered", rules={"rule": "segment", "segment": inner.id, "membership": "past"})
    house.change(house.people[1], _city="Tomsk")
    catch_up(house.connection, house.clock)
    assert house.members(entered) == {house.people[1]}


def test_circles_are_refused(house: House) -> None:
    first = house.segment("First", "dynamic", rules=OMSK)
    second = house.segment("Second", "dynamic", rules={"rule": "segment", "segment": first.id})
    draft = parse_draft({"name": "First", "rules": {"rule": "segment", "segment": second.id}})
    with pytest.raises(SojournError, match=r"refer to itself|circle"):
        change_segment(house.connection, house.clock, first.id, first.revision, draft, Catalogue(house.connection))


def test_who_refers_to_a_segment_keeps_it(house: House) -> None:
    first = house.segment("First", "dynamic", rules=OMSK)
    second = house.segment("Second", "dynamic", rules={"not": {"rule": "segment", "segment": first.id}})
    with pytest.raises(Conflict, match="Second"):
        archive_segment(house.connection, house.clock, first.id)
    archive_segment(house.connection, house.clock, second.id)
    archive_segment(house.connection, house.clock, first.id)
    house.segment("First", "dynamic", rules=OMSK)  # the name is free again


def test_a_change_of_another_is_told(house: House) -> None:
    segment = house.segment("S", rules=OMSK)
    draft = parse_draft({"name": "S", "rules": RICH})
    change_segment(house.connection, house.clock, segment.id, segment.revision, draft, Catalogue(house.connection))
    with pytest.raises(Conflict, match="meanwhile"):
        change_segment(house.connection, house.clock, segment.id, segment.revision, draft, Catalogue(house.connection))
    recalculate(house.connection, house.clock, segment.id)
    assert house.members(segment) == set(house.people[6:])


@pytest.mark.parametrize(
    ("kind", "draft", "code"),
    [
        ("static", {"rules": OMSK}, "static_rules"), ("dynamic", {"schedule": {"every_minutes": 5}}, "no_schedule"), ("dynamic", {"rules": {"rule": "field", "field": "x", "operator": "eq"}}, "unknown_field"),
        ("dynamic", {"rules": {"rule": "message", "event": "sent", "scope": "passage"}}, "needs_passage"), ("dynamic", {"rules": {"rule": "segment", "segment": 99}}, "unknown_reference"),
        ("dynamic", {"name": " "}, "bad_name"),
    ],
)  # fmt: skip
def test_a_segment_that_cannot_be_is_refused_with_the_place(
    house: House, kind: Any, draft: dict[str, Any], code: str
) -> None:
    with pytest.raises(SojournError) as refused:
        house.segment(**{"name": "S", "kind": kind, **draft})
    assert refused.value.problems[0].code == code


def test_a_limit_is_applied_last_and_evenly(house: House) -> None:
    segment = house.segment("Three of Omsk", rules=OMSK, most=3)
    first = house.members(segment)
    assert len(first) == 3 and first <= set(house.people[:6])
    recalculate(house.connection, house.clock, segment.id)
    assert house.members(segment) == first, "the same ones at each calculation"


def test_halves_are_disjoint(house: House) -> None:
    house.born(60)
    low = house.segment("Low", sample={"start": 0, "end": 50})
    high = house.segment("High", sample={"start": 50, "end": 100})
    assert house.members(low) | house.members(high) == set(house.people)
    assert not house.members(low) & house.members(high)


def test_static_segments_take_members_by_hand_and_tell_hooks(house: House) -> None:
    segment = house.segment("VIP", "static")
    told: list[tuple[int, list[int], list[int]]] = []
    membership.register(lambda connection, at, number, come, gone: told.append((number, sorted(come), sorted(gone))))
    try:
        assert (
            membership.add_members(
                house.connection, house.clock, segment.id, [*house.people[:3], house.people[0], 999_999], cause=1
            )
            == 3
        )
        assert membership.add_members(house.connection, house.clock, segment.id, house.people[:2], cause=1) == 0
        assert membership.remove_members(house.connection, house.clock, segment.id, [house.people[0]], cause=1) == 1
    finally:
        membership._hooks.pop()
    assert told == [(segment.id, house.people[:3], []), (segment.id, [], [house.people[0]])]
    delete_profile(house.connection, house.clock, house.base, house.people[1], cause=1)
    assert house.members(segment) == {house.people[2]}
    updatable = house.segment("U", rules=OMSK)
    with pytest.raises(Conflict, match="by hand"):
        membership.add_members(house.connection, house.clock, updatable.id, house.people, cause=1)


def test_a_calculation_that_fails_keeps_the_members_and_says_why(house: House) -> None:
    segment = house.segment("S", rules=OMSK)
    house.connection.execute(
        "INSERT INTO external_table (created_at, updated_at, name, short_name, kind) VALUES (now(), now(), 'Blocked', 'blocked', 'list')"
    )
    for presence in ("in", "not_in"):
        draft = parse_draft(
            {"name": "S", "rules": {"rule": "external", "field": "email", "table": "Blocked", "presence": presence}}
        )
        changed = change_segment(
            house.connection,
            house.clock,
            segment.id,
            get_segment(house.connection, segment.id).revision,
            draft,
            Catalogue(house.connection),
        )
        with pytest.raises(SojournError, match="has no values that may be used"):
            recalculate(house.connection, house.clock, changed.id)
        failed = get_segment(house.connection, segment.id)
        assert failed.error and failed.next_at == house.clock.now() + timedelta(minutes=5)
        house.change(
            house.people[0],
            points=house.connection.execute("SELECT extract(epoch FROM clock_timestamp())::bigint").fetchone()[0],
        )
        catch_up(house.connection, house.clock)
        assert house.members(segment) == set(house.people[:6]), "neither widened nor emptied"
    with pytest.raises(SojournError, match="has no values that may be used"):
        count(
            house.connection,
            house.clock,
            house.base,
            Question({"rule": "external", "field": "email", "table": 1, "presence": "not_in"}),
            Catalogue(house.connection),
        )


def test_an_outside_table_that_was_fetched_is_compared(house: House) -> None:
    connection = house.connection
    connection.execute(
        "INSERT INTO external_table (created_at, updated_at, name, short_name, kind, columns, generation, usable_until) VALUES (now(), now(), 'T', 't', 'list', '{mail,city}', 2, %s)",
        (house.clock.now() + timedelta(hours=1),),
    )
    connection.execute(
        "INSERT INTO external_value VALUES (1, 2, 1, 'p0@example.com'), (1, 1, 1, 'p1@example.com'), (1, 2, 2, 'Tomsk')"
    )

    def who(**rule: Any) -> int:
        return count(
            connection,
            house.clock,
            house.base,
            Question({"rule": "external", "table": 1, **rule}),
            Catalogue(connection),
        ).number

    assert who(field="email") == 1
    assert who(field="email", presence="not_in") == 9
    assert who(field="_city", column="city") == 4
    with pytest.raises(SojournError):
        who(field="_city", column="nothing")
    house.clock.advance(timedelta(hours=2))
    with pytest.raises(SojournError, match="has no values that may be used"):
        who(field="email", presence="not_in")


def test_what_changes_by_time_is_calculated_by_time(house: House) -> None:
    connection, clock = house.connection, house.clock
    append(connection, clock, [Event(house.people[0], EventKind.OPENED, clock.now())])
    recent = house.segment("Opened lately", rules={"rule": "activity", "event": "opened", "within_days": 7})
    assert house.members(recent) == {house.people[0]} and recent.next_at == clock.now() + timedelta(hours=1)
    days = house.segment(
        "Birthday", rules={"rule": "field", "field": "_bdate", "operator": "anniversary", "value": [0, 0]}
    )
    assert days.next_at == START.replace(hour=0) + timedelta(days=1)
    assert house.segment("Plain", rules=OMSK).next_at is None
    clock.advance(timedelta(days=8))
    assert set(due_segments(connection, clock)) == {recent.id, days.id}
    recalculate(connection, clock, recent.id)
    assert house.members(recent) == set()


def test_hints_tell_what_was_probably_not_meant() -> None:
    negation = {"rule": "field", "field": "a", "operator": "ne", "value": 1}
    assert len(hints({"any": [negation, {"not": negation}]}, "en")) == 1
    assert hints({"all": [negation, negation]}, "en") == []
    assert len(hints({"all": [negation] * 4}, "ru")) == 1
    assert "whole segment" in hints({"rule": "segment", "segment": 1, "membership": "not_in"}, "en")[0]


def test_listeners_can_be_restored(house: House) -> None:
    house.segment("S", rules=OMSK)
    house.connection.execute("DELETE FROM touch_listener")
    refresh_listeners(house.connection)
    assert house.listeners() == {"profile"}
