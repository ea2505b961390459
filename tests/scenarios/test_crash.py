"""`kill -9` of engine, worker, web and database at drawn moments: nobody is lost, nothing happens twice (the long form is tests/soak)."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from tests.soak.crash import run


@pytest.mark.timeout(300)
def test_after_kills_sink_ledger_and_trail_agree(capsys: pytest.CaptureFixture[str]) -> None:
    figures = run(people=2_000, kills=10, seed=20261125, patience=210)
    with capsys.disabled():
        print("\n" + json.dumps(asdict(figures)))
