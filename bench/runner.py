"""Finds the benchmarks and runs them: `python -m bench.runner [NAME …]` prints one JSON line a figure.

A benchmark is a module of this folder with `measure(…) -> list[dict]`; a figure has `name`, `value`, `unit` and `settings`.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """All benchmarks, by module."""
    return sorted(path.stem for path in _FOLDER.glob("*.py") if "\ndef measure(" in path.read_text(encoding="utf-8"))


def figures() -> dict[str, str]:
    """Each figure (`scenario.passages`) and the module that measures it, by the modules' `FIGURES`."""
    found = {}
    for module in names():
        text = (_FOLDER / f"{module}.py").read_text(encoding="utf-8")
        declared = re.search(r"^FIGURES = \(([^)]*)\)", text, re.M)
        found |= {figure: module for figure in re.findall(r'"([^"]+)"', declared.group(1) if declared else "")}
    return found


def run(name: str) -> list[dict[str, Any]]:
    """Run one benchmark, by its module's name or by a figure's; each figure also says on what machine."""
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    module = figures().get(name, name)
    measured: list[dict[str, Any]] = importlib.import_module(f"bench.{module}").measure()
    return [{**figure, "machine": machine} for figure in measured if name == module or figure["name"] == name]


def main(wanted: list[str]) -> int:
    """Run the wanted benchmarks, or all; one that fails is told and does not stop the others."""
    failed = 0
    for name in wanted or names():
        try:
            for figure in run(name):
                print(json.dumps(figure, ensure_ascii=False), flush=True)
        except Exception as error:
            failed += 1
            print(json.dumps({"name": name, "error": f"{type(error).__name__}: {error}"}), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
