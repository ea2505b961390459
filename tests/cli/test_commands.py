"""The commands as a shell sees them: exit codes, what is printed, and JSON."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from sojourn import __version__
from sojourn.kernel import Settings, VirtualClock
from sojourn.profiles import create_database, create_resource


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
    assert settings.database_url
    return kept | {"SOJOURN_HOME": str(settings.home), "SOJOURN_DATABASE_URL": settings.database_url, "COLUMNS": "200"}


def run(environment: dict[str, str], *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sojourn", *arguments],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_version_is_told_to_people_and_to_programs(environment: dict[str, str]) -> None:
    assert run(environment, "version").stdout == f"{__version__}\n"
    assert json.loads(run(environment, "version", "--json").stdout) == {"version": __version__}


def test_an_unknown_command_is_bad_input(environment: dict[str, str]) -> None:
    assert run(environment, "fly").returncode == 2


def test_a_bad_setting_is_named_by_its_variable(environment: dict[str, str], tmp_path: Path) -> None:
    result = run(environment | {"SOJOURN_PORT": "99999"}, "status")
    assert result.returncode == 2
    assert "SOJOURN_PORT: Input should be less than or equal to 65535" in result.stderr
    (tmp_path / "sojourn.toml").write_text("port = \n")
    result = run(environment, "status", "--json", cwd=tmp_path)
    assert result.returncode == 2
    assert json.loads(result.stdout)["error"]["place"] == "sojourn.toml"


def test_a_database_that_is_away_is_a_failure_with_a_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    away = environment | {"SOJOURN_DATABASE_URL": f"host={tmp_path} user=x dbname=x"}
    result = run(away, "status")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: SOJOURN_DATABASE_URL: The database cannot be reached:")
    assert "Traceback" not in result.stderr
    error = json.loads(run(away, "status", "--json").stdout)["error"]
    assert error["code"] == "database_unreachable"


def test_migrating_a_database_that_is_new_enough_changes_nothing(environment: dict[str, str]) -> None:
    assert json.loads(run(environment, "migrate", "--json").stdout) == {"migrated": True}


def test_status_tells_what_waits(environment: dict[str, str]) -> None:
    state = json.loads(run(environment, "status", "--json").stdout)
    assert state["parts"] == []
    assert state["messages_waiting"] == 0
    assert state["database_bytes"] > 0
    assert "messages waiting" in run(environment, "status").stdout


def test_an_import_creates_profiles_subscribes_them_and_writes_the_rejected_lines(
    environment: dict[str, str], connection: psycopg.Connection, clock: VirtualClock, tmp_path: Path
) -> None:
    base = create_database(connection, clock, "Customers")
    create_resource(connection, clock, "Newsletter")
    file, rejected = tmp_path / "people.csv", tmp_path / "rejected.csv"
    file.write_text("E-Mail,Vorname\nada@example.org,Ada\nnobody,No\nbob@example.org,Bob\n")
    result = run(
        environment, "import", str(file), "--database", "Customers", "--mapping", "E-Mail=email", "--mapping", "Vorname=_fname",
        "--resource", "Newsletter", "--rejected", str(rejected), "--json",
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    counts = json.loads(result.stdout)
    assert (counts["state"], counts["total"], counts["created"], counts["rejected"]) == ("completed", 3, 2, 1)
    names = {row[0] for row in connection.execute(f"SELECT fname FROM {base.table}")}  # type: ignore[arg-type]
    assert names == {"Ada", "Bob"}
    assert connection.execute("SELECT count(*) FROM subscription").fetchone() == (2,)
    (row,) = csv.DictReader(rejected.open(encoding="utf-8-sig", newline=""))
    assert (row["Line"], row["Column"], row["E-Mail"], row["Vorname"]) == ("3", "E-Mail", "nobody", "No")


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["--database", "Nobody"], "db_id"),
        (["--database", "Customers", "--mapping", "email"], "--mapping"),
        (["--database", "Customers", "--mapping", "x=email"], "x"),
        (["--database", "Customers", "--resource", "None"], "--resource"),
    ],
)
def test_an_import_that_cannot_work_is_bad_input_with_its_place(
    environment: dict[str, str], connection: psycopg.Connection, clock: VirtualClock, tmp_path: Path, arguments: list[str], place: str
) -> None:  # fmt: skip
    create_database(connection, clock, "Customers")
    file = tmp_path / "people.csv"
    file.write_text("email\nada@example.org\n")
    result = run(environment, "import", str(file), *arguments, "--json")
    assert result.returncode == 2
    assert json.loads(result.stdout)["error"]["place"] == place


def test_ctrl_c_ends_an_import_cleanly_and_keeps_what_was_applied(
    environment: dict[str, str], connection: psycopg.Connection, clock: VirtualClock, tmp_path: Path
) -> None:
    base = create_database(connection, clock, "Customers")
    file = tmp_path / "people.csv"
    with file.open("w") as out:
        out.write("email\n")
        out.writelines(f"person{number}@example.org\n" for number in range(400_000))
    process = subprocess.Popen(
        [sys.executable, "-m", "sojourn", "import", str(file), "--database", "Customers", "--json"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while connection.execute(f"SELECT count(*) FROM {base.table}").fetchone() == (0,):  # type: ignore[arg-type]
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    told = json.loads(out)
    assert (process.returncode, told["state"]) == (1, "cancelled"), errors
    assert connection.execute(f"SELECT count(*) FROM {base.table}").fetchone() == (told["created"],)  # type: ignore[arg-type]
    assert 0 < told["created"] < 400_000
    assert "Traceback" not in errors


def test_a_scenario_file_that_cannot_be_read_is_bad_input(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("format: sojourn/scenario@1\nnodes: [\n")
    for command in ("validate", "apply"):
        result = run(environment, "scenario", command, str(file))
        assert result.returncode == 2, result.stdout
        assert result.stderr and "Traceback" not in result.stderr


def test_a_scenario_goes_in_and_comes_out_again(
    environment: dict[str, str], connection: psycopg.Connection, clock: VirtualClock, tmp_path: Path
) -> None:
    create_database(connection, clock, "Customers")
    file = tmp_path / "pause.yaml"
    file.write_text(
        "format: sojourn/scenario@1\nname: Rest\ndatabase: Customers\nnodes:\n"
        "  - {id: 0, type: start, links: {next: 1}}\n  - {id: 1, type: pause, settings: {length: 1d}}\n"
    )
    assert run(environment, "scenario", "validate", str(file)).returncode == 0
    applied = json.loads(run(environment, "scenario", "apply", str(file), "--activate", "--json").stdout)
    assert (applied["name"], applied["state"]) == ("Rest", "active")
    assert "database: Customers" in run(environment, "scenario", "export", "Rest").stdout
    missing = run(environment, "scenario", "export", "Nothing")
    assert missing.returncode == 2
    file.write_text(file.read_text().replace("Customers", "Nobody"))
    result = run(environment, "scenario", "validate", str(file), "--json")
    assert (result.returncode, json.loads(result.stdout)["valid"]) == (2, False)


def test_an_unknown_benchmark_is_bad_input_and_names_those_there_are(environment: dict[str, str]) -> None:
    result = run(environment, "bench", "nothing")
    assert result.returncode == 2
    assert "start" in result.stderr
