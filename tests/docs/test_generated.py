"""The reference says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import generate


def test_every_generated_part_stands_on_a_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in generate.pages())
    assert [name for name in generate.PARTS if f"<!-- generated: {name} -->" not in text] == []


@pytest.mark.parametrize("page", generate.pages(), ids=lambda page: page.name)
def test_a_page_equals_the_code(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert generate.rendered(text) == text, "run: python docs/generate.py"
