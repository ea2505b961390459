"""The commands. Each imports what it needs when it runs, so that none pays for another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sojourn.cli.output import DONE, FAILED, print_error
from sojourn.kernel.errors import SojournError

app = typer.Typer(
    name="sojourn", help="Self-hosted customer engagement: profiles, messages, automation scenarios.", no_args_is_help=True,
    add_completion=False, pretty_exceptions_enable=False,
)  # fmt: skip
scenario = typer.Typer(help="Scenario files: bring in, take out, check.", no_args_is_help=True)
app.add_typer(scenario, name="scenario")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def run() -> int:
    """Run the command of this process' arguments; gives the exit code. Errors are told here and nowhere else."""
    as_json = "--json" in sys.argv
    try:
        app()
    except SojournError as error:
        return print_error(error, as_json)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED if end.code else DONE
    except Exception as error:
        lost = _database_lost(error)
        if lost is None:
            raise
        return print_error(lost, as_json)
    return DONE


def _database_lost(error: Exception) -> SojournError | None:
    import psycopg

    from sojourn.kernel.errors import Unavailable

    if isinstance(error, psycopg.OperationalError):
        reason = (str(error).strip().splitlines() or ["no connection"])[0]
        return Unavailable("database_unreachable", f"The database cannot be reached: {reason}", "SOJOURN_DATABASE_URL")
    return None


@app.command()
def up() -> None:
    """Start everything: the database, the web server, the engine and the delivery workers."""
    from sojourn.cli.configuration import load_settings
    from sojourn.cli.supervisor import Supervisor, part_children
    from sojourn.kernel.child_process import product_command
    from sojourn.kernel.logs import configure_logs

    settings = load_settings()
    configure_logs("supervisor", settings.log_format, settings.log_level)
    Supervisor(settings, part_children(settings), prepare=product_command("prepare")).run()


@app.command()
def web() -> None:
    """Run a web server only."""
    _part("web")


@app.command()
def engine() -> None:
    """Run an engine only, which leads profiles through scenarios."""
    _part("engine")


@app.command()
def worker() -> None:
    """Run a delivery worker only, which also does background tasks."""
    _part("worker")


def _part(name: str) -> None:
    from sojourn.cli.configuration import load_settings
    from sojourn.cli.parts import run_part

    run_part(name, load_settings())


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Bring the database to this release."""
    from sojourn.cli.configuration import load_settings
    from sojourn.cli.output import print_json
    from sojourn.cli.preparation import prepare_database
    from sojourn.cli.reach_database import reach_database
    from sojourn.kernel import SystemClock

    with reach_database(load_settings()) as url:
        prepare_database(SystemClock(), url)
    if as_json:
        print_json({"migrated": True})
    else:
        print("The database fits this release.")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV file with a header line.", exists=True, dir_okay=False, readable=True)],
    database: Annotated[str, typer.Option("--database", help="Name or id of the profile database.")],
    mapping: Annotated[
        list[str] | None, typer.Option("--mapping", help="COLUMN=FIELD, once per column; without it columns go to fields of their name.")
    ] = None,
    resource: Annotated[str | None, typer.Option("--resource", help="Name or id of the resource to which everybody is subscribed.")] = None,
    channel: Annotated[list[str] | None, typer.Option("--channel", help="email (the default) or sms, once each: whose contacts are subscribed.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="Status of the subscriptions; unconfirmed begins a double opt-in.")] = None,
    rejected: Annotated[Path | None, typer.Option("--rejected", help="Where rejected lines are written, as CSV.")] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Import profiles from a file."""
    from sojourn.cli.configuration import load_settings
    from sojourn.cli.import_command import import_profiles

    raise typer.Exit(
        import_profiles(
            load_settings(), file, database, mapping or [], resource, channel or [], status, rejected, as_json=as_json
        )
    )


@scenario.command()
def apply(
    file: Annotated[Path, typer.Argument(help="YAML or JSON file.", exists=True, dir_okay=False)],
    publish: Annotated[bool, typer.Option("--publish", help="Publish it.")] = False,
    activate: Annotated[bool, typer.Option("--activate", help="Publish and activate it.")] = False,
    accept_sandbox: Annotated[
        bool, typer.Option("--accept-sandbox", help="Accept that messages go to the built-in mailbox.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create the scenario of a file, or replace the draft of the one with its name."""
    from sojourn.cli.scenario_commands import apply_file

    apply_file(file, publish=publish, activate=activate, accept_sandbox=accept_sandbox, as_json=as_json)


@scenario.command()
def export(name: Annotated[str, typer.Argument(help="Name or id of the scenario.")], as_json: AsJson = False) -> None:
    """Print the draft of a scenario as a file."""
    from sojourn.cli.scenario_commands import export_scenario

    export_scenario(name, as_json=as_json)


@scenario.command()
def validate(
    file: Annotated[Path, typer.Argument(help="YAML or JSON file.", exists=True, dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Tell all problems of a file against this installation; changes nothing."""
    from sojourn.cli.scenario_commands import validate_file

    raise typer.Exit(validate_file(file, as_json=as_json))


@app.command()
def status(as_json: AsJson = False) -> None:
    """Tell which parts run and how much work waits."""
    from sojourn.cli.configuration import load_settings
    from sojourn.cli.status import print_status

    print_status(load_settings(), as_json=as_json)


@app.command()
def bench(name: Annotated[str, typer.Argument(help="Module of the folder bench/.")], as_json: AsJson = False) -> None:
    """Run a benchmark of a source checkout; prints one JSON line a figure."""
    from sojourn.cli.bench_command import run_bench

    run_bench(name, as_json=as_json)


@app.command()
def version(as_json: AsJson = False) -> None:
    """Tell the release."""
    from sojourn import __version__
    from sojourn.cli.output import print_json

    if as_json:
        print_json({"version": __version__})
    else:
        print(__version__)


@app.command(hidden=True)
def prepare() -> None:
    """Before the parts start (`sojourn up` calls this)."""
    from sojourn.cli.configuration import load_settings
    from sojourn.cli.preparation import prepare_installation
    from sojourn.kernel import SystemClock
    from sojourn.kernel.database import own_server_url

    settings = load_settings()
    prepare_installation(settings, SystemClock(), settings.database_url or own_server_url(settings))


@app.command(hidden=True)
def task(task_id: int) -> None:
    """The process of one background task (workers call this)."""
    from sojourn.cli.configuration import load_settings
    from sojourn.cli.parts import run_task_process
    from sojourn.kernel.database import own_server_url

    settings = load_settings()
    raise typer.Exit(run_task_process(settings, settings.database_url or own_server_url(settings), task_id))
