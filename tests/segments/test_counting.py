"""How many fit, who they are, and whom one can write to: exact where it is quick, else an estimate that says so."""

from __future__ import annotations

import pytest

from sojourn.kernel import VirtualClock
from sojourn.profiles import Options, Record, SubscriptionInput, import_records
from sojourn.scenarios import Catalogue
from sojourn.segments.counting import Reach, count, reach, sample_people
from sojourn.segments.evaluation import Question
from tests.segments.house import OMSK, Connection, House


@pytest.fixture
def house(connection: Connection, clock: VirtualClock) -> House:
    made = House(connection, clock)
    made.born(6, _city="Omsk", points=3)
    made.born(4, _city="Tomsk", points=9)
    return made


def test_counts_say_whether_they_are_exact(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.born(300, _city="Omsk")
    question = Question(OMSK)
    found = count(house.connection, house.clock, house.base, question, Catalogue(house.connection))
    assert (found.number, found.exact, found.low, found.high, found.total) == (306, True, 306, 306, 310)
    assert (
        count(house.connection, house.clock, house.base, Question(OMSK, most=5), Catalogue(house.connection)).number
        == 5
    )
    monkeypatch.setattr("sojourn.segments.counting.EXACT_MS", 1)
    monkeypatch.setattr("sojourn.segments.counting._ESTIMATE_SECONDS", 0.0)
    slow = {
        "all": [OMSK, {"rule": "field", "field": "email", "operator": "matches", "value": "^p[0-9]+@(ex|am|ple|xx)*"}]
    }
    estimate = count(house.connection, house.clock, house.base, Question(slow), Catalogue(house.connection))
    assert estimate.exact or estimate.low <= estimate.number <= estimate.high


def test_people_and_reach_of_a_question(house: House) -> None:
    subscription = SubscriptionInput(house.news, "email", "a@example.com")
    import_records(
        house.connection,
        house.clock,
        house.base,
        [Record({"profile_id": house.people[0]}, {}, [subscription])],
        Options(mode="update", matching="profile_id"),
    )
    question = Question(OMSK)
    assert (
        sample_people(house.connection, house.clock, house.base, question, Catalogue(house.connection), 3)
        == sorted(house.people[:6], key=lambda p: (p & 63, p))[:3]
    )
    found = reach(house.connection, house.clock, house.base, question, Catalogue(house.connection))
    assert found == [Reach(1, None, 1), Reach(1, house.news, 1)]
