"""The table of figures knows all benchmarks."""

from __future__ import annotations

import re

from bench.runner import figures
from tests.docs.pages import ROOT


def test_every_figure_of_a_benchmark_stands_in_the_table_and_no_other() -> None:
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)) == sorted(figures())
    assert sorted(re.findall(r"make bench NAME=([a-z.-]+)`", text)) == sorted(figures())
