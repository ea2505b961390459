"""`sojourn bench`: the benchmarks of a source checkout."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import sojourn
from sojourn.cli.output import print_table
from sojourn.kernel.errors import NotFound, SojournError


def run_bench(name: str, *, as_json: bool) -> None:
    """Run `bench/<name>.py`.

    Raises:
        SojournError: this is no source checkout. NotFound: there is no such benchmark.
    """
    checkout = Path(sojourn.__file__).parents[2]
    if not (checkout / "bench" / "runner.py").exists():
        raise SojournError("no_benchmarks", "Benchmarks are part of a source checkout; this is an installed package.")
    sys.path.insert(0, str(checkout))
    runner = importlib.import_module("bench.runner")
    known = [*runner.figures(), *runner.names()]
    if name not in known:
        raise NotFound("unknown_benchmark", f"There is no benchmark {name}. Known: {', '.join(known)}.", "NAME")
    figures = runner.run(name)
    if as_json:
        for figure in figures:
            print(json.dumps(figure, ensure_ascii=False), flush=True)
        return
    print_table(("figure", "value", "unit"), [(f["name"], f["value"], f["unit"]) for f in figures])
