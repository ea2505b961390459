"""Many more random plays than the short form, new ones in each run. `SOJOURN_SOAK_PLAYS` sets how many."""

from __future__ import annotations

import os
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as rules

from sojourn.kernel import Settings, VirtualClock
from tests.reference.compare import play
from tests.reference.compiled import Compiled
from tests.reference.plays import plays


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
def test_thousands_of_random_scenarios_end_as_the_plain_interpreter_says(
    connection: psycopg.Connection[Any], clock: VirtualClock, settings: Settings
) -> None:
    compiled, played = Compiled(connection, clock, settings), 0

    @rules(
        max_examples=int(os.environ.get("SOJOURN_SOAK_PLAYS", "3000")),
        deadline=None,
        database=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        phases=list(Phase) if os.environ.get("SOJOURN_SOAK_SHRINK") else [Phase.generate],  # shrinking takes minutes
    )
    @given(drawn=plays())
    def every_play(drawn: Any) -> None:
        nonlocal played
        play(compiled, drawn)
        played += 1

    every_play()
    print(f"plays: {played}")
