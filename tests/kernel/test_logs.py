"""Log lines."""

from __future__ import annotations

import json
import subprocess
import sys

_PROGRAM = """
import logging, structlog
from sojourn.kernel.logs import configure_logs
log = structlog.get_logger("early")
configure_logs("engine", {form!r}, "info")
log.info("pass done", moved=3)
log.debug("unseen")
logging.getLogger("some.library").warning("from a %s", "library")
"""


def _lines(form: str) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(form=form)], capture_output=True, text=True, check=True
    )
    assert result.stdout == ""
    return result.stderr.splitlines()


def test_text_lines_name_the_part_and_carry_the_values() -> None:
    ours, theirs = _lines("text")
    assert "info    engine: pass done  moved=3" in ours
    assert "warning engine: from a library" in theirs


def test_json_lines_are_one_document_each() -> None:
    ours, theirs = map(json.loads, _lines("json"))
    assert (ours["part"], ours["event"], ours["moved"], ours["level"]) == ("engine", "pass done", 3, "info")
    assert theirs["event"] == "from a library"
