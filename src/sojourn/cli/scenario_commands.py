"""`sojourn scenario …`: files of scenarios."""

from __future__ import annotations

from pathlib import Path

from sojourn.cli.configuration import load_settings
from sojourn.cli.output import BAD_INPUT, DONE, print_json, say
from sojourn.cli.reach_database import reach_database
from sojourn.kernel import SystemClock
from sojourn.kernel.database import connect
from sojourn.scenarios import files


def apply_file(path: Path, *, publish: bool, activate: bool, accept_sandbox: bool, as_json: bool) -> None:
    """Apply a file and tell what became of it."""
    settings = load_settings()
    with reach_database(settings) as url, connect(url, "scenario") as connection:
        scenario = files.apply(
            connection, SystemClock(), path, settings=settings, publish_it=publish, activate_it=activate, accept_sandbox=accept_sandbox
        )  # fmt: skip
    state = "active" if activate else "published" if publish else "draft"
    if as_json:
        print_json({"id": scenario.id, "name": scenario.name, "state": state})
    else:
        print(f"Scenario {scenario.id} “{scenario.name}”: {state}.")


def export_scenario(reference: str, *, as_json: bool) -> None:
    """Print a scenario as YAML, or the same as JSON."""
    with reach_database(load_settings()) as url, connect(url, "scenario") as connection:
        text = files.export(connection, int(reference) if reference.isdigit() else reference)
    if as_json:
        import yaml

        print_json(yaml.safe_load(text))
    else:
        print(text, end="")


def validate_file(path: Path, *, as_json: bool) -> int:
    """Print the problems of a file; gives the exit code."""
    with reach_database(load_settings()) as url, connect(url, "scenario") as connection:
        problems = files.validate(connection, path)
    if as_json:
        print_json({"valid": not problems, "problems": [problem.as_dict() for problem in problems]})
    elif not problems:
        print("The file is in order.")
    for problem in [] if as_json else problems:
        say(f"{problem.place}: {problem.message}" if problem.place else problem.message)
    return BAD_INPUT if problems else DONE
