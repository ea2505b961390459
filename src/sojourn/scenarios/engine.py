"""The engine: runs the passes of compiled versions, lane by lane, each pass one transaction under the lane's lock."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog
from psycopg import errors

from sojourn.kernel import Clock
from sojourn.loyalty.dealing import deal, deal_ahead
from sojourn.scenarios.compiler import CompiledStage, CompiledVersion, Pass
from sojourn.scenarios.entry import CARRIED_TABLE
from sojourn.scenarios.exits import POKED_TABLE
from sojourn.scenarios.failures import fail_one, hold_node
from sojourn.scenarios.routes import register_routes
from sojourn.scenarios.stage import Exit

Connection = psycopg.Connection[Any]
LOCK_SPACE = 7001
"""First number of the advisory locks of lanes."""
BATCH = 10_000
CULPRITS_AN_HOUR = 100
_TRANSIENT = errors.OperationalError
_DATA = (errors.DataError, errors.IntegrityError)
log = structlog.get_logger("engine")


@dataclass
class Turn:
    """What a turn in one lane did."""

    taken: int = 0
    planned: int = 0
    """Dispatch lists written: the workers have something to do."""


@dataclass
class _Prepared:
    """A compiled version with its routes looked up."""

    version: CompiledVersion
    values: dict[int, dict[str, Any]] = field(default_factory=dict)

    def parameters(self, stage: CompiledStage) -> dict[str, Any]:
        return self.values[id(stage)]


class Engine:
    """Runs passes on one connection. Compiled versions are given to it; it remembers nothing that matters."""

    def __init__(self, connection: Connection, clock: Clock, *, batch: int = BATCH) -> None:
        self.connection = connection
        self.clock = clock
        self.batch = batch
        self._prepared: dict[int, _Prepared] = {}
        self._demand: dict[int, float] = {}
        """Codes a pool gave for each person of the last pass: how much to deal ahead. Only speed depends on it."""
        self._culprits: dict[tuple[int, int], list[datetime]] = {}
        connection.execute(CARRIED_TABLE)
        connection.execute(POKED_TABLE)
        # Plans that look at the lane's number believe a lane empty that the last sample missed, and turn quadratic (tests/scenarios/test_plans.py).
        connection.execute("SET plan_cache_mode = force_generic_plan")

    def prepare(self, version: CompiledVersion) -> None:
        """Make a version known: looks up (and where new, writes) the routes of its stages."""
        known = self._prepared.get(version.version_id)
        if known and known.version is version:
            return
        prepared = _Prepared(version)
        stages = [s for done in [*version.captures.values(), *version.wakes.values()] for s in _stages(done)]
        for stage, values in zip(stages, register_routes(self.connection, version, stages), strict=True):
            prepared.values[id(stage)] = {**stage.values, **values}
        self._prepared[version.version_id] = prepared

    def keep(self, version_ids: Collection[int]) -> None:
        """Forget all other versions."""
        for version_id in self._prepared.keys() - set(version_ids):
            del self._prepared[version_id]

    @contextmanager
    def lane(self, lane: int) -> Iterator[bool]:
        """Hold the lock of a lane; gives False if somebody else has it."""
        row = self.connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (LOCK_SPACE, lane)).fetchone()
        held = bool(row and row[0])
        try:
            yield held
        finally:
            if held:
                self.connection.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCK_SPACE, lane))

    def run(
        self,
        version: CompiledVersion,
        node_id: int,
        lane: int,
        *,
        captures: bool,
        now: datetime | None = None,
        turns: int = 4,
    ) -> Turn:
        """Run up to `turns` batches of one place in one lane, whose lock the caller holds. Errors in data fail their passage alone."""
        done = (version.captures if captures else version.wakes)[node_id]
        moment = now or self.clock.now()
        turn, size = Turn(), self.batch
        while turns > 0:
            try:
                taken, planned = self._pass(version, done, lane, moment, size)
            except _DATA as error:
                if size > 1:
                    size = max(1, size // 2)
                    continue
                if not self._fail(version, done, lane, moment, error):
                    break
                turns, size = turns - 1, self.batch
                continue
            except _TRANSIENT:
                raise
            except psycopg.Error as error:
                hold_node(self.connection, version.version_id, node_id, moment, f"{error.sqlstate}: {error}")
                log.error("node held", scenario=version.scenario_id, node=node_id, reason=str(error))
                break
            turn.taken += taken
            turn.planned += planned
            if taken < size and size == self.batch:
                break
            size = min(self.batch, size * 2)
            turns -= 1
        return turn

    def _pass(self, version: CompiledVersion, done: Pass, lane: int, now: datetime, size: int) -> tuple[int, int]:
        """One transaction: the first stage, then the further ones to which it carried people."""
        prepared = self._prepared[version.version_id]
        base = {"lane": lane, "now": now, "batch": size, "last": False}
        with self.connection.transaction():
            for pool_id in done.pools:
                if expected := self._demand.get(pool_id):
                    deal_ahead(self.connection, pool_id, lane, int(expected * size * 4))
            if done.before:
                self._run_stage(prepared, done.before, base)
            taken, planned, carried = self._run_stage(prepared, done.stage, base)
            for following in done.following:
                if carried <= 0:
                    break
                if following.pool_id is None:
                    arrived, lists, more = self._run_stage(prepared, following.stage, base)
                    carried += more - arrived
                    planned += lists
                    continue
                while waiting := self._carried_to(following.node_id, int(following.entry)):
                    self._demand[following.pool_id] = max(
                        self._demand.get(following.pool_id, 0.0), waiting / max(taken, 1)
                    )
                    given = deal(self.connection, following.pool_id, lane, waiting)
                    arrived, lists, more = self._run_stage(prepared, following.stage, {**base, "last": given == 0})
                    carried += more - arrived
                    planned += lists
        return taken, planned

    def _run_stage(self, prepared: _Prepared, stage: CompiledStage, base: dict[str, Any]) -> tuple[int, int, int]:
        row = self.connection.execute(stage.sql, {**prepared.parameters(stage), **base}, prepare=True).fetchone()
        assert row
        return int(row[0]), int(row[1]), int(row[2])

    def _carried_to(self, node_id: int, entry: int) -> int:
        row = self.connection.execute(
            "SELECT count(*) FROM carried WHERE node_id = %s AND entry = %s", (node_id, entry)
        ).fetchone()
        return int(row[0]) if row else 0

    def _fail(self, version: CompiledVersion, done: Pass, lane: int, now: datetime, error: psycopg.Error) -> bool:
        """The culprit stands alone: fail its passage. Tells whether to go on; after too many in an hour the node is held."""
        fail_one(self.connection, version, done, lane, now, error)
        recent = self._culprits.setdefault((version.version_id, done.node_id), [])
        recent[:] = [moment for moment in recent if moment > now - timedelta(hours=1)] + [now]
        log.warning(
            "passage failed", scenario=version.scenario_id, node=done.node_id, reason=str(error).splitlines()[0]
        )
        if len(recent) > CULPRITS_AN_HOUR:
            hold_node(
                self.connection,
                version.version_id,
                done.node_id,
                now,
                f"More than {CULPRITS_AN_HOUR} failures in an hour, the last: {error}",
            )
            return False
        return True


def _stages(done: Pass) -> list[CompiledStage]:
    return [*([done.before] if done.before else []), done.stage, *(f.stage for f in done.following)]


__all__ = ["Engine", "Exit", "Turn"]
