"""A stage touches its lane and the rows that are due, whatever the statistics say.

`resting` and `capture` fill and drain, and engines work lane by lane, so statistics are often wrong. A plan that joins back by anything but ctid,
or that uses an index by its lane alone, is quadratic then: these tests look at the rows that each scan really touched.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from sojourn.kernel import LANES, Settings, VirtualClock
from sojourn.scenarios import activate, create_scenario, publish
from sojourn.scenarios.compiler import CompiledStage
from sojourn.scenarios.due import find_due, next_due
from sojourn.scenarios.engine import Engine
from sojourn.scenarios.engine_loop import EngineLoop
from sojourn.scenarios.files import read_file
from tests.scenarios.test_golden import FILES, HERE, WELCOME, furnish

A_LANE = 240
"""Rows that stand at each place of a lane; a quarter of them is due."""
DUE = A_LANE // 4
BIG = ("resting", "capture", "entered", "profile_", "subscription", "message", "request", "event", "promo_assignment", "passage_ended", "trail", "change", "answer_inbox")  # fmt: skip
STATES = (
    "planned while empty",
    "never analysed",
    "analysed empty",
    "analysed with a handful",
    "analysed half",
    "analysed full",
)


class ExplainingEngine(Engine):
    """Runs every stage under EXPLAIN ANALYZE and keeps the plans. Statements stay prepared, as in the engine."""

    plans: list[dict[str, Any]]

    def _run_stage(self, prepared: Any, stage: CompiledStage, base: dict[str, Any]) -> tuple[int, int, int]:
        self.plans.append(_explained(self.connection, stage.sql, {**prepared.parameters(stage), **base}))
        carried = self.connection.execute("SELECT count(*) FROM carried").fetchone()
        assert carried
        return 0, 0, int(carried[0]) and 1_000_000

    def look_at(self, house: House) -> tuple[set[str], int]:
        """What is wrong with the plans of all passes, and how many passes had further stages. Nothing of it happens in the end."""
        faults, followed = set(), 0
        for lane in (3, LANES - 3):
            for done in (*house.version.captures.values(), *house.version.wakes.values()):
                self.plans = []
                with self.connection.transaction(force_rollback=True):
                    self._pass(house.version, done, lane, house.clock.now(), DUE)
                followed += len(self.plans) > 1 + bool(done.before)
                faults |= {f"pass from node {done.node_id}: {fault}" for plan in self.plans for fault in _faults(plan)}
        return faults, followed


def _explained(connection: psycopg.Connection[Any], text: str, values: dict[str, Any]) -> dict[str, Any]:
    """The plan with which a prepared statement is really executed on this connection."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    body = re.sub(r"%\((\w+)\)s", number, text).replace("%%", "%")
    name = f"stage_{hashlib.md5(text.encode()).hexdigest()}"
    if connection.execute("SELECT FROM pg_prepared_statements WHERE name = %s", (name,)).fetchone() is None:
        connection.execute(f"PREPARE {name} AS {body}".encode())
    execute = sql.SQL("EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, BUFFERS OFF, FORMAT JSON) EXECUTE {} ({})")
    arguments = sql.SQL(", ").join(sql.Literal(values[name]) for name in names)
    row = connection.execute(execute.format(sql.Identifier(name), arguments)).fetchone()
    assert row
    return dict(row[0][0]["Plan"])


def _scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All scans of big tables in a plan."""
    if any(str(plan.get("Relation Name", "")).startswith(name) for name in BIG) and "Scan" in plan["Node Type"]:
        yield plan
    for child in plan.get("Plans", []):
        yield from _scans(child)


def _touched(scan: dict[str, Any]) -> float:
    rows = scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0) + scan.get("Rows Removed by Index Recheck", 0)
    return float(rows * scan["Actual Loops"])


def _condition(scan: dict[str, Any]) -> str:
    inside = " ".join(_condition(child) for child in scan.get("Plans", []))
    return " ".join(str(scan.get(name, "")) for name in ("Index Cond", "TID Cond", "Recheck Cond")) + inside


def _faults(plan: dict[str, Any]) -> list[str]:
    """Scans of big tables that touch more than the lane."""
    faults = []
    for scan in _scans(plan):
        touched, condition = _touched(scan), _condition(scan)
        by_lane = "lane" in condition or "TID Cond" in scan
        if touched > 3 * A_LANE or (touched and not by_lane):
            faults.append(
                f"{scan['Node Type']} of {scan['Relation Name']} touched {touched:.0f} rows: {condition or 'no condition'}"
            )
    return faults


# ---------------------------------------------------------------------------------------------- a full house


class House:
    """A scenario with people at all its places, in all lanes."""

    def __init__(self, connection: psycopg.Connection[Any], clock: VirtualClock, file: Path, state: str) -> None:
        self.connection, self.clock = connection, clock
        furnish(connection, clock)
        made = create_scenario(connection, clock, read_file(file))
        publish(connection, clock, made.id, settings=Settings(), accept_sandbox=True)
        activate(connection, clock, made.id)
        self.loop = EngineLoop(connection, clock)
        self.loop._refresh()
        (self.version,) = self.loop.versions.compiled.values()
        self._switch_autovacuum_off()
        self.engine = ExplainingEngine(connection, clock, batch=DUE)
        self.engine.prepare(self.version)
        if state == "planned while empty":
            self.engine.look_at(self)
        if state == "analysed empty":
            connection.execute("ANALYZE")
        if state == "analysed with a handful":
            self._fill_profiles(A_LANE + 1, A_LANE + 1, lanes=40)
            self._fill(range(3, 4), people=40)
            connection.execute("ANALYZE")
            self._empty()
        # Imports fill all lanes evenly; what engines write grows lane by lane.
        self._fill_profiles(1, A_LANE // 2)
        self._fill(range(LANES // 2))
        if state == "analysed half":
            connection.execute("ANALYZE")
        self._fill_profiles(A_LANE // 2 + 1, A_LANE)
        self._fill(range(LANES // 2, LANES))
        if state == "analysed full":
            connection.execute("VACUUM ANALYZE")

    def _switch_autovacuum_off(self) -> None:
        for (name,) in self.connection.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchall():
            self.connection.execute(f"ALTER TABLE {name} SET (autovacuum_enabled = off)")

    def _empty(self) -> None:
        for name in ("resting", "capture", "message", "request", "passage_ended"):
            self.connection.execute(f"DELETE FROM {name}")

    def _fill_profiles(self, first: int, last: int, lanes: int = LANES) -> None:
        values = {"first": first, "last": last, "now": self.clock.now(), "lanes": lanes}
        people = "generate_series(0, %(lanes)s::int - 1) lane, generate_series(%(first)s::int, %(last)s::int) g, LATERAL (SELECT g * 64 + lane AS id) p"
        self.connection.execute(
            f"INSERT INTO profile_{self.version.database_id} (id, lane, created_at, updated_at, email) SELECT id, lane, %(now)s, %(now)s, id || '@example.org' FROM {people}",
            values,
        )
        self.connection.execute(
            f"""INSERT INTO subscription (profile_id, created_at, resource_id, lane, channel, status, effective, contact)
                SELECT id, %(now)s, (SELECT id FROM resource), lane, c, 0, 0, id || '' FROM {people}, generate_series(1, 2) c""",
            values,
        )

    def _fill(self, lanes: range, people: int = A_LANE) -> None:
        """The same people stand at the door and rest, with a message, a request and a code behind them; a quarter is due."""
        now, places = self.clock.now(), sorted(self.version.wakes)
        values = {"from": lanes[0], "to": lanes[-1], "now": now, "people": people, "scenario": self.version.scenario_id, "version": self.version.version_id,
                  "soon": now + timedelta(days=9), "due": now - timedelta(minutes=1)}  # fmt: skip
        everybody = "generate_series(%(from)s::int, %(to)s::int) lane, generate_series(1, %(people)s::int) g, LATERAL (SELECT g * 64 + lane AS id) p"
        run = self.connection.execute
        for node in self.version.captures:
            run(
                f"INSERT INTO capture (profile_id, at, scenario_id, node_id, lane) SELECT id, %(now)s, %(scenario)s, %(node)s, lane FROM {everybody}",
                {**values, "node": node},
            )
        for index, node in enumerate(places):
            more = {**values, "node": node, "place": index, "key": f"place {index}"}
            passage = "(%(place)s::bigint * 1000000 + id)"
            run(
                f"""INSERT INTO resting (passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key)
                    SELECT {passage}, id, %(now)s, CASE WHEN g %% 4 = 0 THEN %(due)s ELSE %(soon)s END, %(scenario)s, %(version)s, %(node)s, 3, lane,
                      CASE WHEN g %% 8 = 0 THEN 2 END, %(key)s FROM {everybody}""", more,
            )  # fmt: skip
            run(
                f"""INSERT INTO message (passage_id, profile_id, subscription_id, created_at, scenario_id, template_id, node_id, hop, resource_id, lane, channel, state)
                    SELECT {passage}, id, 1, %(now)s, %(scenario)s, 1, 2, 3, 1, lane, 1, 2 FROM {everybody}""", more,
            )  # fmt: skip
            run(
                f"INSERT INTO request (passage_id, profile_id, created_at, scenario_id, definition_id, node_id, hop, lane, state) SELECT {passage}, id, %(now)s, %(scenario)s, 1, 9, 3, lane, 0 FROM {everybody}",
                more,
            )
        run(
            f"""INSERT INTO passage_ended (passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason)
                SELECT 90000000 + id, id, %(now)s::timestamptz - interval '30 days', %(now)s, %(scenario)s, %(version)s, 1, 3, lane, 1 FROM {everybody}""", values,
        )  # fmt: skip


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_stage_touches_its_lane_and_due_rows_only(
    file: Path, state: str, connection: psycopg.Connection[Any], clock: VirtualClock
) -> None:
    house = House(connection, clock, file, state)
    faults, followed = house.engine.look_at(house)
    assert faults == set()
    assert followed or not any(done.following for done in house.version.wakes.values())


@pytest.mark.parametrize("state", STATES)
def test_looking_for_due_work_probes_one_index_for_each_place(
    state: str, connection: psycopg.Connection[Any], clock: VirtualClock
) -> None:
    house = House(connection, clock, WELCOME, state)
    places = house.loop.versions.places
    seen: list[dict[str, Any]] = []

    class Looking:
        def execute(self, text: str, values: Any = None, **_: Any) -> psycopg.Cursor[Any]:
            if (
                values is not None
            ):  # whether anybody at all is at a door is the first row of a table that is mostly empty
                seen.append(_explained(connection, text, values))
            return connection.execute(text, values)

    assert find_due(Looking(), range(LANES), places, clock.now())  # type: ignore[arg-type]
    assert next_due(Looking(), range(LANES), places)  # type: ignore[arg-type]
    for plan in seen:
        for scan in _scans(plan):
            assert scan["Node Type"] in ("Index Scan", "Index Only Scan"), scan
            assert scan["Actual Rows"] <= 1 and not scan.get("Rows Removed by Filter"), scan


def test_plans_that_look_at_the_lane_would_be_quadratic(
    connection: psycopg.Connection[Any], clock: VirtualClock
) -> None:
    """Why the engine plans without values; and the proof that the checks above see such a plan."""
    house = House(connection, clock, HERE / "several_at_once.yaml", "analysed half")
    connection.execute("SET plan_cache_mode = force_custom_plan")
    faults, _ = house.engine.look_at(house)
    assert faults
