"""The pages about settings."""

from __future__ import annotations

import tomllib
from pathlib import Path

from sojourn.cli.settings_reference import EXAMPLE, PAGE, example, reference
from sojourn.kernel import Settings

ROOT = Path(__file__).parents[2]


def test_the_pages_say_what_the_model_says() -> None:
    hint = "run `python -m sojourn.cli.settings_reference`"
    assert (ROOT / PAGE).read_text(encoding="utf-8") == reference(), hint
    assert (ROOT / EXAMPLE).read_text(encoding="utf-8") == example(), hint


def test_every_setting_has_a_meaning() -> None:
    rows = [line for line in reference().splitlines() if line.startswith("| `SOJOURN_")]
    assert len(rows) > 20
    assert not [row for row in rows if row.endswith("|  |")]


def test_the_example_with_its_marks_taken_away_is_a_valid_file() -> None:
    lines = [line.removeprefix("# ") for line in example().splitlines() if " = " in line or line.startswith("# [")]
    values = {name: value for name, value in tomllib.loads("\n".join(lines)).items() if value != ""}
    assert set(values) <= set(Settings.model_fields)
    Settings(**values)
