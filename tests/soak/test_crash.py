"""Many kills while many people go through the welcome scenario. `SOJOURN_SOAK_PEOPLE`, `SOJOURN_SOAK_KILLS` and `SOJOURN_SOAK_SEED` change the run."""

from __future__ import annotations

import json
import os
from dataclasses import asdict

import pytest

from tests.soak.crash import run


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_after_many_kills_sink_ledger_and_trail_agree(capsys: pytest.CaptureFixture[str]) -> None:
    people, kills, seed = (
        int(os.environ.get(f"SOJOURN_SOAK_{name}", default))
        for name, default in (("PEOPLE", "20000"), ("KILLS", "150"), ("SEED", "1"))
    )
    figures = run(people=people, kills=kills, seed=seed, patience=5400)
    with capsys.disabled():
        print("\n" + json.dumps({"seed": seed, **asdict(figures)}))
