"""A stage: one statement that takes due passages of one lane through instant nodes and puts them down where they rest next.

The parts are common table expressions. A *flow* is a set of passages on their way: a part's name, a condition, and per row `hop` (the
number of the step they take next), `at` (the moment it is about) and `path` (which of the flow's ways they came). Where people leave
the stage is a *leaf*; each leaf writes its rests or ends, one trail row a passage, and counts its ways.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

from sojourn.delivery import sql as delivery_sql
from sojourn.delivery.codes import PRIORITY_NORMAL
from sojourn.delivery.sql import PlannedMessages, PlannedRequests
from sojourn.events import touch
from sojourn.kernel.statement import Bindings

LANE = "%(lane)s::smallint"
COLUMNS = "passage_id, profile_id, first_hop, hop, at, entered_at, key, context, turns, path"
VISIT_CAP = 100
"""How often a passage may come to the target of back links."""

Visit = tuple[int, int]
"""A node and the output by which it was left, as a number in the order of its ports."""


class Entry(IntEnum):
    """How people come into a stage (route.entry)."""

    CAPTURED = 1
    WOKE = 2
    CARRIED = 3
    MOVED = 4
    """By an edit: no visit, they stand before a node (`migrating`)."""


class Exit(IntEnum):
    """How people leave a stage (route.exit); the ends are also the codes of passage_ended.reason."""

    RESTS = 1
    CARRIED = 2
    COMPLETED = 3
    FAILED = 4
    REMOVED = 5
    VISIT_CAP = 6
    RESTARTED = 7
    MOVED = 8
    """By an edit: they stand before another node, or one of another version."""
    EXITED = 9
    """By an event that ends the passage wherever it rests."""


END_REASON = {Exit.COMPLETED: 1, Exit.EXITED: 2, Exit.FAILED: 3, Exit.REMOVED: 4, Exit.RESTARTED: 5, Exit.VISIT_CAP: 6}


class Awaits(IntEnum):
    """What a resting passage waits for (resting.awaits); null: its due moment."""

    ANSWER = 1
    DOOR = 2
    """It stands before the node, at the end of a back link."""
    EVENT = 3
    """An event of the profile, until the due moment."""


class CarryEntry(IntEnum):
    """How a carried passage enters its node in the next stage."""

    ARRIVE = 0
    RETRY = 1


@dataclass(frozen=True)
class Flow:
    """A set of passages on their way. `paths[i]` lists the visits of those whose `path` is i."""

    source: str
    paths: tuple[tuple[Visit, ...], ...] = ((),)
    where: str | None = None
    step: int = 0
    path: str = "path"
    writes: frozenset[str] = frozenset()

    @property
    def hop(self) -> str:
        """The number of the step taken next, in SQL over alias `f`."""
        return f"(f.hop + {self.step})" if self.step else "f.hop"

    def only(self, condition: str) -> Flow:
        """Those for whom a condition over the source's columns holds."""
        return replace(self, where=f"({self.where}) AND ({condition})" if self.where else condition)

    def visited(self, node_id: int, output: int) -> Flow:
        """The same people after a visit."""
        return replace(self, paths=tuple((*way, (node_id, output)) for way in self.paths), step=self.step + 1)

    def visited_by(self, node_id: int, output: str, count: int) -> Flow:
        """The same people after a visit whose output is a number in SQL, below `count`."""
        paths = tuple((*way, (node_id, number)) for way in self.paths for number in range(count))
        return replace(self, paths=paths, path=f"({self.path}) * {count} + ({output})", step=self.step + 1)

    def writing(self, writes: frozenset[str]) -> Flow:
        """The same people, with what was written for them in this stage."""
        return replace(self, writes=self.writes | writes)

    @property
    def rows(self) -> str:
        """The flow as something to select from; its alias is `f`."""
        return f"(SELECT * FROM {self.source} WHERE {self.where})" if self.where else self.source


@dataclass(frozen=True)
class Leaf:
    """Where people leave a stage."""

    flow: Flow
    exit: Exit
    node_id: int
    due: str = "NULL"
    awaits: Awaits | None = None
    turn: int | None = None
    """Number of the door whose count goes up by one."""
    entry: CarryEntry = CarryEntry.ARRIVE
    since: str = "NULL::timestamptz"
    """Since when an awaited event counts."""


@dataclass
class Stage:
    """Collects the parts of one statement."""

    scenario_id: int
    version_id: int
    doors: list[int]
    priority: int = PRIORITY_NORMAL
    bindings: Bindings = field(default_factory=Bindings)
    parts: list[tuple[str, str, bool]] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)
    messages: list[PlannedMessages] = field(default_factory=list)
    requests: list[PlannedRequests] = field(default_factory=list)

    def bind(self, value: Any, cast: str) -> str:
        """A value of the statement."""
        return self.bindings.bind(value, cast)

    def part(self, name: str, body: str, *, materialized: bool = False) -> str:
        """Add a common table expression; tells its name."""
        if any(known == name for known, _, _ in self.parts):
            name = f"{name}_{len(self.parts)}"
        self.parts.append((name, body, materialized))
        return name

    def derive(self, name: str, flow: Flow, extra: str, join: str = "", at: str = "f.at") -> Flow:
        """A new, materialized set: the flow's people with `extra` columns, computed once; `at`: the moment they are about from here on."""
        body = f"""SELECT f.passage_id, f.profile_id, f.first_hop, {flow.hop} AS hop, {at if at == "f.at" else at + " AS at"}, f.entered_at, f.key, f.context, f.turns, {_of(flow.path)} AS path, {extra}
    FROM {flow.rows} f {join}"""
        return Flow(self.part(name, body, materialized=True), flow.paths, writes=flow.writes)

    def merge(self, name: str, flows: list[Flow]) -> Flow:
        """Several flows that meet at a node, as one."""
        if len(flows) == 1:
            return flows[0]
        selects: list[str] = []
        paths: list[tuple[Visit, ...]] = []
        offset = 0
        for flow in flows:
            selects.append(
                f"SELECT passage_id, profile_id, first_hop, {flow.hop} AS hop, at, entered_at, key, context, turns, {_of(flow.path)} + {offset} AS path FROM {flow.rows} f"
            )
            paths.extend(flow.paths)
            offset += len(flow.paths)
        body = "\n    UNION ALL ".join(selects)
        return Flow(
            self.part(name, body, materialized=True),
            tuple(paths),
            writes=frozenset().union(*(flow.writes for flow in flows)),
        )

    # ------------------------------------------------------------------ leaves

    def rest(
        self, node_id: int, flow: Flow, due: str, awaits: Awaits | None = None, since: str = "NULL::timestamptz"
    ) -> None:
        """People rest at a node until `due`, an expression over `f` (NULL: until what they wait for comes); `since`: see `Leaf`."""
        self.leaves.append(Leaf(flow, Exit.RESTS, node_id, due, awaits, since=since))

    def knock(self, node_id: int, flow: Flow) -> None:
        """People come back to a node by a back link: they rest before it, due at once, unless they have been there too often."""
        door = self.doors.index(node_id) + 1
        self.leaves.append(
            Leaf(
                flow.only(f"coalesce(turns[{door}], 0) < {VISIT_CAP - 1}"),
                Exit.RESTS,
                node_id,
                "f.at",
                Awaits.DOOR,
                door,
            )
        )
        self.leaves.append(Leaf(flow.only(f"coalesce(turns[{door}], 0) >= {VISIT_CAP - 1}"), Exit.VISIT_CAP, node_id))

    def carry(self, node_id: int, flow: Flow, entry: CarryEntry = CarryEntry.ARRIVE) -> None:
        """People go on to a node in a further stage of the same transaction."""
        self.leaves.append(Leaf(flow, Exit.CARRIED, node_id, entry=entry))

    def complete(self, node_id: int, flow: Flow) -> None:
        """People leave the scenario by an output without a link."""
        self.leaves.append(Leaf(flow, Exit.COMPLETED, node_id))

    # ------------------------------------------------------------------ text

    def text(self, counted: str) -> str:
        """The whole statement; it answers how many people of the set `counted` it took, and how many messages and carried people it made."""
        if self.messages:
            for name, body in delivery_sql.plan_messages(self.messages, LANE, self.bindings):
                self.part(name, body)
        if self.requests:
            for name, body in delivery_sql.plan_requests(self.requests, LANE, self.bindings):
                self.part(name, body)
        self._write_rests()
        self._write_carried()
        self._write_ends()
        self._write_trail()
        self.part("touched", touch(f"{counted} x", "passage", profile="x.profile_id", lane=LANE))
        parts = ",\n".join(
            f"{name} AS {'MATERIALIZED ' if once else ''}(\n    {body})" for name, body, once in self.parts
        )
        listed = " + ".join(
            [f"(SELECT count(*) FROM {name})" for name, body, _ in self.parts if name in ("listed", "requests_listed")]
            or ["0"]
        )
        carried = "(SELECT count(*) FROM carried_on)" if any(name == "carried_on" for name, _, _ in self.parts) else "0"
        return f"WITH {parts}\nSELECT (SELECT count(*) FROM {counted}), {listed}, {carried}"

    def _write_rests(self) -> None:
        selects = [
            f"""SELECT f.passage_id, f.profile_id, f.entered_at, {leaf.due}, {self.bind(self.scenario_id, "int")}, {self.bind(self.version_id, "int")}, {self.bind(leaf.node_id, "int")},
      {leaf.flow.hop}, {LANE}, {f"{int(leaf.awaits)}::smallint" if leaf.awaits else "NULL::smallint"}, f.key, f.context, {self._turns(leaf.turn)}, {leaf.since} FROM {leaf.flow.rows} f"""
            for leaf in self.leaves
            if leaf.exit is Exit.RESTS
        ]
        if selects:
            columns = "passage_id, profile_id, entered_at, due_at, scenario_id, version_id, node_id, hop, lane, awaits, key, context, turns, waits_since"
            self.part("rests", f"INSERT INTO resting ({columns})\n    " + "\n    UNION ALL ".join(selects))

    def _turns(self, door: int | None) -> str:
        if door is None:
            return "f.turns"
        return (
            "ARRAY["
            + ", ".join(f"coalesce(f.turns[{i}], 0) + {int(i == door)}" for i in range(1, len(self.doors) + 1))
            + "]::smallint[]"
        )

    def _write_carried(self) -> None:
        selects = [
            f"SELECT f.passage_id, f.profile_id, {leaf.flow.hop}, f.at, f.entered_at, f.key, f.context, f.turns, {self.bind(leaf.node_id, 'int')}, {int(leaf.entry)}::smallint FROM {leaf.flow.rows} f"
            for leaf in self.leaves
            if leaf.exit is Exit.CARRIED
        ]
        if selects:
            columns = "passage_id, profile_id, hop, at, entered_at, key, context, turns, node_id, entry"
            self.part(
                "carried_on",
                f"INSERT INTO carried ({columns})\n    " + "\n    UNION ALL ".join(selects) + "\n    RETURNING 1",
            )

    def _write_ends(self) -> None:
        selects = [
            f"""SELECT f.passage_id, f.profile_id, f.entered_at, f.at, {self.bind(self.scenario_id, "int")}, {self.bind(self.version_id, "int")}, {self.bind(leaf.node_id, "int")},
      {leaf.flow.hop}, {LANE}, {END_REASON[leaf.exit]}::smallint, f.key, f.context FROM {leaf.flow.rows} f"""
            for leaf in self.leaves
            if leaf.exit in END_REASON
        ]
        if selects:
            columns = "passage_id, profile_id, entered_at, ended_at, scenario_id, version_id, node_id, hop, lane, reason, key, context"
            self.part("ends", f"INSERT INTO passage_ended ({columns})\n    " + "\n    UNION ALL ".join(selects))

    def _write_trail(self) -> None:
        """One trail row a passage that made a step, and the count of each way. Counting the branches costs a third of grouping the trail."""
        rows, counts = [], []
        for number, leaf in enumerate(self.leaves):
            route = f"(%(routes_{number})s::int[])[{_of(leaf.flow.path)} + 1]"
            where = ""
            if not all(leaf.flow.paths):
                silent = ", ".join(str(index) for index, way in enumerate(leaf.flow.paths) if not way)
                where = f" WHERE {_of(leaf.flow.path)} NOT IN ({silent})"
            if any(leaf.flow.paths):
                rows.append(f"SELECT f.passage_id, f.at, f.first_hop, {route}, {LANE} FROM {leaf.flow.rows} f{where}")
            counts.append(
                f"SELECT date_trunc('hour', f.at), count(*), {route}, {LANE} FROM {leaf.flow.rows} f GROUP BY 1, 3"
            )
        if rows:
            self.part(
                "trailed",
                "INSERT INTO trail (passage_id, at, hop, route_id, lane)\n    " + "\n    UNION ALL ".join(rows),
            )
        if counts:
            self.part(
                "counted", "INSERT INTO counter (hour, n, route_id, lane)\n    " + "\n    UNION ALL ".join(counts)
            )


def _of(path: str) -> str:
    """A path expression over alias `f`."""
    return path.replace("path", "f.path", 1) if "path" in path else path
