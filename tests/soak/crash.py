"""Leads people through the welcome scenario while processes die, and counts what came of it."""

from __future__ import annotations

import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from typing import Any

import psycopg
import yaml

from sojourn.kernel import Settings, SystemClock
from sojourn.loyalty import create_pool, load_codes
from sojourn.profiles import add_field, create_database, create_resource, database
from sojourn.scenarios import activate, create_scenario, publish
from sojourn.templates import TemplateContent, save_template
from tests.soak.installation import ROOT, Installation

CHUNK = 100
MEAN_PAUSE = 0.8
"""Seconds between two kills; people are imported for as long as that goes on."""
Connection = psycopg.Connection[Any]


@dataclass
class Figures:
    """What came of a run."""

    people: int
    kills: dict[str, int]
    seconds: float
    letters: int = 0
    in_doubt: int = 0
    duplicates: int = 0
    lost: int = 0
    unknown: int = 0
    """Letters at the sink which the ledger says it did not hand over."""
    tasks: int = 0
    tasks_in_doubt: int = 0
    task_duplicates: int = 0


def furnish(installation: Installation) -> int:
    """The welcome scenario with short pauses, active; tells its id."""
    clock = SystemClock()
    with installation.connect() as connection:
        base = create_database(connection, clock, "Customers")
        add_field(connection, clock, base.id, "bonus_points", "Bonus points", "integer")
        create_resource(connection, clock, "Newsletter", channels=["email", "sms"], from_email="shop@example.org")
        links = '<a href="{{ unsubscribe_url }}">Leave</a> <a href="{{ opt_in_url }}">Yes</a>'
        save_template(
            connection,
            clock,
            "Welcome letter",
            1,
            TemplateContent(subject="Welcome", html=f"<p>Hello</p>{links}"),
            confirmation=True,
        )
        save_template(
            connection,
            clock,
            "Gift letter",
            1,
            TemplateContent(subject="A gift", html=f"<p>{{{{ promo.code }}}}</p>{links}"),
        )
        save_template(connection, clock, "Confirmation reminder", 2, TemplateContent(text="Please confirm"))
        pool = create_pool(connection, clock, "Welcome codes", "WELCOME")
        load_codes(connection, pool.id, (f"CODE{number:06d}" for number in range(50_000)))
        document = yaml.safe_load((ROOT / "demo" / "welcome.yaml").read_text())
        nodes = {node["id"]: node["settings"] for node in document["nodes"] if "settings" in node}
        nodes[3]["length"], nodes[11]["length"] = "3s", "2s"
        nodes[9].update(url=f"http://127.0.0.1:{installation.http_port}/tasks", give_up_after="60s")
        scenario = create_scenario(connection, clock, document)
        publish(connection, clock, scenario.id, settings=Settings(home=installation.home), accept_sandbox=True)
        activate(connection, clock, scenario.id)
    return scenario.id


_PEOPLE = "generate_series(%(first)s::int, %(last)s::int) g"


def bring_in(installation: Installation, scenario: int, first: int, last: int) -> None:
    """Import people, once, whatever dies meanwhile: those with even numbers are subscribed, the others have not confirmed."""
    while True:
        try:
            with installation.connect() as connection, connection.transaction():
                base = database(connection, "Customers")
                values = {"first": first, "last": last, "now": SystemClock().now(), "scenario": scenario}
                if connection.execute(
                    f"SELECT 1 FROM {base.table} WHERE lane = %s AND id = %s", (first & 63, first)
                ).fetchone():
                    return
                connection.execute(
                    f"INSERT INTO {base.table} (id, lane, created_at, updated_at, email, phones) SELECT g, g & 63, %(now)s, %(now)s, 'p' || g || '@example.org', ARRAY['+1555' || 1000000 + g] FROM {_PEOPLE}",
                    values,
                )
                connection.execute(
                    f"""INSERT INTO subscription (profile_id, created_at, resource_id, lane, channel, status, effective, contact)
                        SELECT g, %(now)s, (SELECT id FROM resource), g & 63, c, CASE WHEN c = 1 AND g %% 2 = 1 THEN 4 ELSE 0 END, CASE WHEN c = 1 AND g %% 2 = 1 THEN 4 ELSE 0 END,
                          CASE c WHEN 1 THEN 'p' || g || '@example.org' ELSE '+1555' || 1000000 + g END FROM {_PEOPLE}, generate_series(1, 2) c""",
                    values,
                )  # fmt: skip
                connection.execute(
                    f"INSERT INTO capture (profile_id, at, scenario_id, node_id, lane) SELECT g, %(now)s, %(scenario)s, 1, g & 63 FROM {_PEOPLE}, generate_series(1, 2)",
                    values,
                )
                return
        except psycopg.OperationalError:
            time.sleep(0.1)


def run(people: int, kills: int, seed: int, patience: float) -> Figures:
    """The whole test: start, import, kill at drawn moments, wait for the end, check. Raises if anything is lost or happened twice."""
    installation = Installation(seed)
    try:
        installation.start()
        started, scenario = time.monotonic(), furnish(installation)
        next_kill, first = time.monotonic() + 1.0, 1
        deadline = time.monotonic() + patience
        while first <= people or sum(installation.kills.values()) < kills:
            if first <= people * min(1.0, (time.monotonic() - started) / (kills * MEAN_PAUSE)):
                bring_in(installation, scenario, first, min(people, first + CHUNK - 1))
                first += CHUNK
            if time.monotonic() >= next_kill and sum(installation.kills.values()) < kills:
                installation.kill_something()
                next_kill = time.monotonic() + installation.random.uniform(0.05, 2 * MEAN_PAUSE)
            time.sleep(0.02)
            assert time.monotonic() < deadline
        _await_the_end(installation, people, deadline)
        _await_web(installation, deadline)
        figures = Figures(people, installation.kills, round(time.monotonic() - started, 1))
        with installation.connect() as connection:
            _count_letters(connection, installation, figures)
            _count_tasks(connection, installation, figures)
            _check_people(connection, people)
        assert (figures.duplicates, figures.lost, figures.unknown, figures.task_duplicates) == (0, 0, 0, 0), figures
        return figures
    finally:
        installation.stop()


_UNFINISHED = """
SELECT %s - (SELECT count(*) FROM passage_ended), (SELECT count(*) FROM message WHERE state IN (0, 1)), (SELECT count(*) FROM request WHERE state IN (0, 1)),
       (SELECT count(*) FROM dispatch), (SELECT count(*) FROM dispatch_claim)
"""


def _await_the_end(installation: Installation, people: int, deadline: float) -> None:
    left: Any = None
    while time.monotonic() < deadline:
        try:
            with installation.connect() as connection:
                left = connection.execute(_UNFINISHED, (people,)).fetchone()
                if left == (0, 0, 0, 0, 0):
                    return
        except psycopg.OperationalError:
            pass
        time.sleep(0.3)
    raise AssertionError(
        f"not finished: passages, letters, tasks, dispatches, claims left = {left}; "
        + (installation.home / "up.log").read_text()[-2000:]
    )


def _await_web(installation: Installation, deadline: float) -> None:
    """The web server answers again."""
    address = f"http://127.0.0.1:{installation.environment['SOJOURN_PORT']}/health"
    while True:
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            assert time.monotonic() < deadline, "the web server does not answer"
        time.sleep(0.3)


def _count_letters(connection: Connection, installation: Installation, figures: Figures) -> None:
    """Sink against ledger."""
    taken = Counter(key.strip("<>").split("@")[0] for key in installation.noted("letter"))
    ledger = {
        f"{lane}.{passage}.{hop}": state
        for lane, passage, hop, state in connection.execute(
            "SELECT lane, passage_id, hop, state FROM message WHERE channel = 1"
        )
    }
    figures.letters, figures.duplicates = len(taken), sum(n - 1 for n in taken.values())
    figures.in_doubt = sum(state == 4 for state in ledger.values())
    figures.lost = sum(state == 2 and key not in taken for key, state in ledger.items())
    figures.unknown = sum(ledger.get(key) not in (2, 4) for key in taken)
    assert (
        len(ledger) == figures.people // 2 * 2 + figures.people - figures.people // 2
    )  # two letters for the subscribed, one for the others
    assert set(ledger.values()) <= {2, 4}, Counter(ledger.values())
    sandbox = connection.execute("SELECT count(*) FROM sandbox_message WHERE channel = 2").fetchone()
    texts = connection.execute(
        "SELECT count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 4) FROM message WHERE channel = 2"
    ).fetchone()
    assert sandbox and texts and sandbox[0] - texts[0] in range(texts[1] + 1), (sandbox, texts)


def _count_tasks(connection: Connection, installation: Installation, figures: Figures) -> None:
    taken = Counter(installation.noted("task"))
    states = Counter(state for (state,) in connection.execute("SELECT state FROM request"))
    figures.tasks, figures.task_duplicates = len(taken), sum(n - 1 for n in taken.values())
    figures.tasks_in_doubt = states[4]
    assert set(states) <= {2, 4, 5}, states
    assert states[2] <= len(taken) <= states[2] + states[4], (states, len(taken))


def _check_people(connection: Connection, people: int) -> None:
    def one(statement: str) -> Any:
        row = connection.execute(statement).fetchone()
        assert row
        return row[0]

    assert (
        one("SELECT count(*) FROM passage_ended WHERE reason = 1")
        == people
        == one("SELECT count(DISTINCT profile_id) FROM passage_ended")
    )
    assert [
        one(f"SELECT count(*) FROM {table}") for table in ("resting", "capture", "passage_failure", "node_held")
    ] == [0, 0, 0, 0]
    assert one("SELECT count(*) FROM entry_refused") == people
    gaps = "SELECT count(*) FROM (SELECT passage_id FROM step GROUP BY passage_id HAVING min(hop) <> 1 OR max(hop) <> count(*) OR count(DISTINCT hop) <> count(*)) x"
    assert one(gaps) == 0
    base = database(connection, "Customers")
    points = base.field("bonus_points").column
    assert connection.execute(f"SELECT id % 2, {points}, count(*) FROM {base.table} GROUP BY 1, 2 ORDER BY 1").fetchall() == [
        (0, 100, people // 2), (1, None, people - people // 2),
    ]  # fmt: skip
    assert (
        one("SELECT count(*) FROM promo_assignment")
        == one("SELECT count(DISTINCT no) FROM promo_assignment")
        == one("SELECT count(DISTINCT profile_id) FROM promo_assignment")
        == people // 2
    )
    trail = connection.execute("SELECT node_id, output, count(*) FROM step GROUP BY 1, 2 ORDER BY 1, 2").fetchall()
    counted = """SELECT n.node, n.output, sum(c.n)::bigint FROM (SELECT route_id, n FROM counter UNION ALL SELECT route_id, n FROM counter_hour) c
                   JOIN route r USING (route_id), unnest(r.nodes, r.outputs) n(node, output) GROUP BY 1, 2 ORDER BY 1, 2"""
    assert connection.execute(counted).fetchall() == trail
