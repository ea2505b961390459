"""The compiled engine does what the plain interpreter says: random graphs, people, clocks and outcomes (docs/explanation/engine.md)."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as rules

from sojourn.kernel import Settings, VirtualClock
from tests.reference.compare import play
from tests.reference.compiled import Compiled
from tests.reference.plays import plays


@pytest.fixture
def compiled(connection: psycopg.Connection[Any], clock: VirtualClock, settings: Settings) -> Compiled:
    """The compiled engine on a fresh database, which all plays share."""
    return Compiled(connection, clock, settings)


def test_random_scenarios_end_as_the_plain_interpreter_says(compiled: Compiled) -> None:
    @rules(
        max_examples=60,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
        print_blob=False,
    )
    @given(drawn=plays())
    def every_play(drawn: Any) -> None:
        play(compiled, drawn)

    every_play()
