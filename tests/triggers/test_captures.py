"""Captures: who stands at the door of a scenario."""

from __future__ import annotations

import pytest

from sojourn.kernel.errors import Conflict
from sojourn.triggers import Listener, enter, set_listeners


def test_profiles_stand_at_the_default_start_of_an_active_scenario(connection, clock) -> None:
    set_listeners(connection, 7, 1, [Listener(0, "call"), Listener(1, "any_import")])
    assert enter(connection, clock, 7, [64, 65], key="k", context={"order": 1}) == 2
    rows = connection.execute(
        "SELECT profile_id, node_id, lane, priority, key, context FROM capture ORDER BY 1"
    ).fetchall()
    assert rows == [(64, 0, 0, 1, "k", {"order": 1}), (65, 0, 1, 1, "k", {"order": 1})]


def test_a_stopped_scenario_takes_nobody(connection, clock) -> None:
    set_listeners(connection, 7, 1, [Listener(0, "call")])
    set_listeners(connection, 7, 1, [])
    with pytest.raises(Conflict, match="not active"):
        enter(connection, clock, 7, [64])
