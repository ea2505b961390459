"""The log of events."""

from datetime import timedelta

import pytest

from sojourn.events import Event, EventKind, append, history
from sojourn.kernel import SojournError


def test_the_history_of_a_profile_comes_in_pages_newest_first(connection, clock):
    start = clock.now()
    append(
        connection, clock, [Event(65, EventKind.GOAL, start + timedelta(minutes=n), data={"n": n}) for n in range(5)]
    )
    append(connection, clock, [Event(66, EventKind.GOAL, start)])
    seen, cursor = [], None
    while True:
        page, cursor = history(connection, 65, cursor, 2)
        seen += [event.data["n"] for event in page]
        if cursor is None:
            break
    assert seen == [4, 3, 2, 1, 0]


def test_events_of_one_moment_are_neither_lost_nor_shown_twice(connection, clock):
    append(connection, clock, [Event(1, EventKind.GOAL, clock.now(), data={"n": n}) for n in range(5)])
    first, cursor = history(connection, 1, None, 3)
    second, end = history(connection, 1, cursor, 3)
    assert sorted(event.data["n"] for event in first + second) == [0, 1, 2, 3, 4] and end is None


def test_an_event_lies_in_the_lane_of_its_profile(connection, clock):
    append(
        connection,
        clock,
        [
            Event(
                200,
                EventKind.SENT,
                clock.now(),
                passage_id=7,
                hop=2,
                scenario_id=3,
                node_id=4,
                template_id=5,
                resource_id=6,
                channel=1,
            )
        ],
    )
    row = connection.execute(
        "SELECT lane, kind, passage_id, hop, scenario_id, node_id, template_id, resource_id, channel, recorded_at, data FROM event"
    ).fetchone()
    assert row == (200 & 63, 1, 7, 2, 3, 4, 5, 6, 1, clock.now(), None)


@pytest.mark.parametrize("cursor", ["x", "2026-01-01~1", "2026-01-01T00:00:00+00:00~x", "~"])
def test_a_strange_cursor_is_refused(connection, cursor):
    with pytest.raises(SojournError) as error:
        history(connection, 1, cursor)
    assert error.value.code == "bad_cursor"


def test_nothing_is_appended_for_nothing(connection, clock):
    append(connection, clock, [])
    assert history(connection, 1) == ([], None)
