"""The demo's installation in a fresh database."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from demo.seed import Shop, seed
from sojourn.kernel import VirtualClock


@pytest.fixture
def shop(connection: psycopg.Connection[Any], clock: VirtualClock) -> Shop:
    """Everything that the welcome scenario names, with a few codes."""
    return seed(connection, clock, codes=200)
