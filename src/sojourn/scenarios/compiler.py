"""Compiles a version of a scenario: for every place where people come in or rest, the chain of stages that a pass runs through.

A stage is cut where one statement would be wrong, because all its parts see one snapshot (design: docs/explanation/engine.md):
a node reads what an earlier node of the pass wrote; one statement would write a row twice; a back link is reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sojourn.delivery.codes import PRIORITY_API, PRIORITY_NORMAL
from sojourn.profiles import Database
from sojourn.scenarios.entry import Door, captured_flow, carried_flow, restarted_text, woken_flow
from sojourn.scenarios.exits import CompiledExits, compile_exits
from sojourn.scenarios.graph import Links, ScenarioDocument
from sojourn.scenarios.node_type import NodeContext, NodeType
from sojourn.scenarios.nodes import node_types
from sojourn.scenarios.stage import Awaits, CarryEntry, Entry, Exit, Flow, Leaf, Stage
from sojourn.segments.rule import Definitions, NoDefinitions
from sojourn.triggers import HAPPENINGS

MAX_PATHS = 64
"""Ways that one leaf may tell apart; above it a stage is cut."""


@dataclass(frozen=True)
class CompiledStage:
    """One statement, the values bound in it, and its leaves (whose routes the engine looks up)."""

    entry: Entry
    sql: str
    values: Mapping[str, Any]
    leaves: tuple[Leaf, ...]

    @property
    def routes(self) -> list[tuple[list[int], list[int], int, int, int]]:
        """All ways through the stage: nodes, outputs, entry, exit, node of exit; in order of leaves and paths."""
        return [
            ([n for n, _ in way], [o for _, o in way], int(self.entry), int(leaf.exit), leaf.node_id)
            for leaf in self.leaves
            for way in leaf.flow.paths
        ]


@dataclass(frozen=True)
class Following:
    """A further stage of a pass: entered by those carried to `node_id`; `pool_id` names the promo pool that must deal before a retry."""

    node_id: int
    entry: CarryEntry
    stage: CompiledStage
    pool_id: int | None = None


@dataclass(frozen=True)
class Pass:
    """Everything a pass from one place does: the first stage and those that may follow, in the order of the graph."""

    node_id: int
    captures: bool
    stage: CompiledStage
    following: tuple[Following, ...]
    before: CompiledStage | None = None
    """Run first: ends passages that a new capture restarts."""

    @property
    def pools(self) -> set[int]:
        """Promo code pools from which the pass may take."""
        return {following.pool_id for following in self.following if following.pool_id is not None}


@dataclass(frozen=True)
class CompiledVersion:
    """All passes of a version: of its start nodes, and of the nodes at which people rest."""

    scenario_id: int
    version_id: int
    database_id: int
    captures: Mapping[int, Pass]
    wakes: Mapping[int, Pass]
    exits: CompiledExits | None = None


@dataclass
class Compiler:
    """Compiles one version. `document` has ids in place of names."""

    scenario_id: int
    version_id: int
    document: ScenarioDocument
    database: Database
    definitions: Definitions = field(default_factory=NoDefinitions)
    extra_doors: tuple[int, ...] = ()
    """Nodes before which people stand besides those to which loops come back."""
    types: dict[int, NodeType] = field(init=False, default_factory=dict)
    contexts: dict[int, NodeContext] = field(init=False, default_factory=dict)
    links: Links = field(init=False)

    def __post_init__(self) -> None:
        ports: dict[int, list[str]] = {}
        for node in self.document.nodes:
            node_type = node_types()[node.type]
            settings = node_type.settings.model_validate(node.settings)
            self.types[node.id] = node_type
            self.contexts[node.id] = NodeContext(
                self.scenario_id,
                self.version_id,
                node.id,
                settings,
                self.database,
                frozenset(node.links),
                self.definitions,
            )
            ports[node.id] = [port.id for port in node_type.ports(settings)]
        # Nodes that no start leads to are compiled as well: an edit may have cut off people who stand there.
        roots = [*self._starts(), *sorted(self.types)]
        self.links = Links(roots, ports, {node.id: node.links for node in self.document.nodes})

    def _starts(self) -> list[int]:
        return sorted(node_id for node_id, node_type in self.types.items() if node_type.category == "trigger")

    @property
    def doors(self) -> list[int]:
        """Nodes before which people can stand, ascending."""
        return sorted({*self.links.doors, *self.extra_doors})

    def resting_nodes(self) -> set[int]:
        """Nodes that can make people rest in them."""
        return {node_id for node_id in self.types if self._may_rest(node_id)}

    def compile(self) -> CompiledVersion:
        """All passes of the version."""
        captures = {node_id: self._capture_pass(node_id) for node_id in self._starts()}
        resting = {leaf.node_id for done in captures.values() for leaf in _rests(done)}
        resting |= self.resting_nodes() | set(self.extra_doors)
        wakes: dict[int, Pass] = {}
        while todo := sorted(resting - wakes.keys()):
            for node_id in todo:
                wakes[node_id] = self._wake_pass(node_id)
                resting |= {leaf.node_id for leaf in _rests(wakes[node_id])}
        exits = compile_exits(self.version_id, self.document.exits)
        return CompiledVersion(self.scenario_id, self.version_id, self.database.id, captures, wakes, exits)

    # ------------------------------------------------------------------ passes

    def _new_stage(self, priority: int = PRIORITY_NORMAL) -> Stage:
        return Stage(self.scenario_id, self.version_id, self.doors, priority)

    def _capture_pass(self, node_id: int) -> Pass:
        reentry = self.document.reentry
        priority = PRIORITY_API if self.types[node_id].code == "start" else PRIORITY_NORMAL
        stage = self._new_stage(priority)
        flow = captured_flow(stage, node_id, self._door(node_id), reentry)
        walk = _Walk(self, stage)
        walk.add(node_id, flow)
        first = walk.finish(Entry.CAPTURED, "taken")
        before = self._restart_stage(node_id) if reentry.mode == "restart" else None
        return Pass(node_id, True, first, self._following(walk, priority), before)

    def _door(self, node_id: int) -> Door:
        settings, trigger = self.contexts[node_id].settings, self.types[node_id].trigger
        return Door(self.database, settings.rules, settings.key, self.definitions, trigger in HAPPENINGS)

    def _restart_stage(self, node_id: int) -> CompiledStage:
        stage = self._new_stage()
        text, leaves = restarted_text(stage, node_id, self._door(node_id))
        return CompiledStage(Entry.WOKE, text, dict(stage.bindings.values), leaves)

    def _wake_pass(self, node_id: int) -> Pass:
        stage = self._new_stage()
        walk = _Walk(self, stage)
        due = woken_flow(stage, node_id)
        is_door = node_id in self.doors
        rests_inside = self._may_rest(node_id)
        if is_door:
            walk.add(node_id, due.only(f"awaits = {int(Awaits.DOOR)}") if rests_inside else due)
        if rests_inside:
            woken = due.only(f"awaits IS DISTINCT FROM {int(Awaits.DOOR)}") if is_door else due
            walk.leave(node_id, woken)
        return Pass(node_id, False, walk.finish(Entry.WOKE, "taken"), self._following(walk, PRIORITY_NORMAL))

    def _may_rest(self, node_id: int) -> bool:
        """Whether arriving at the node can make people rest in it."""
        probe = self._new_stage()
        context = self.contexts[node_id]
        self.types[node_id].arrive(probe, context, Flow("probe"))
        return any(leaf.exit is Exit.RESTS and leaf.node_id == node_id for leaf in probe.leaves)

    def _following(self, walk: _Walk, priority: int) -> tuple[Following, ...]:
        """The stages after the first, each after all that may carry people to it."""
        todo = {(leaf.node_id, leaf.entry) for leaf in walk.stage.leaves if leaf.exit is Exit.CARRIED}
        done: dict[tuple[int, CarryEntry], Following] = {}
        while fresh := todo - done.keys():
            for node_id, entry in sorted(fresh):
                stage = self._new_stage(priority)
                further = _Walk(self, stage)
                further.add(node_id, carried_flow(stage, node_id, entry), cut=False)
                compiled = further.finish(Entry.CARRIED, "taken")
                pool = getattr(self.contexts[node_id].settings, "pool", None) if entry is CarryEntry.RETRY else None
                done[node_id, entry] = Following(node_id, entry, compiled, pool)
                todo |= {(leaf.node_id, leaf.entry) for leaf in stage.leaves if leaf.exit is Exit.CARRIED}
        rank = {node_id: index for index, node_id in enumerate(self.links.order)}
        return tuple(sorted(done.values(), key=lambda f: (rank[f.node_id], f.entry)))


def _rests(done: Pass) -> list[Leaf]:
    stages = [done.stage, *(f.stage for f in done.following)]
    return [leaf for stage in stages for leaf in stage.leaves if leaf.exit is Exit.RESTS]


class _Walk:
    """Walks forward from where a stage begins, node by node in the order of the graph."""

    def __init__(self, compiler: Compiler, stage: Stage) -> None:
        self.compiler = compiler
        self.stage = stage
        self._waiting: dict[int, list[Flow]] = {}
        self._uncut: set[int] = set()
        self._taken: set[str] = set()

    def add(self, node_id: int, flow: Flow, *, cut: bool = True) -> None:
        """People come to a node; `cut=False`: they begin the stage there."""
        self._waiting.setdefault(node_id, []).append(flow)
        if not cut:
            self._uncut.add(node_id)

    def leave(self, node_id: int, flow: Flow) -> None:
        """People who rested at a node go on."""
        context = self.compiler.contexts[node_id]
        self._go_on(node_id, self.compiler.types[node_id].leave(self.stage, context, flow))

    def finish(self, entry: Entry, counted: str) -> CompiledStage:
        """Walk until everybody has left the stage."""
        for node_id in self.compiler.links.order:
            flows = self._waiting.pop(node_id, None)
            if flows:
                self._visit(node_id, flows)
        assert not self._waiting, "people would be lost"
        text = self.stage.text(counted)
        return CompiledStage(entry, text, dict(self.stage.bindings.values), tuple(self.stage.leaves))

    def _visit(self, node_id: int, flows: list[Flow]) -> None:
        context, node_type = self.compiler.contexts[node_id], self.compiler.types[node_id]
        exclusive = node_type.exclusive(context)
        if node_id not in self._uncut and self._must_cut(context, node_type, flows, exclusive):
            for flow in flows:
                self.stage.carry(node_id, flow)
            return
        self._taken |= exclusive
        flow = self.stage.merge(f"n{node_id}_in", flows)
        outputs = node_type.arrive(self.stage, context, flow)
        writes = node_type.writes(context)
        self._go_on(node_id, {port: out.writing(writes) for port, out in outputs.items()})

    def _must_cut(
        self, context: NodeContext, node_type: NodeType, flows: list[Flow], exclusive: frozenset[str]
    ) -> bool:
        written = frozenset().union(*(flow.writes for flow in flows))
        if written & node_type.reads(context) or exclusive & self._taken:
            return True
        if any(name.startswith("profile.") for name in written) and any(
            name.startswith("profile.") for name in node_type.writes(context)
        ):
            return True  # one statement updates a row once
        return sum(len(flow.paths) for flow in flows) > MAX_PATHS

    def _go_on(self, node_id: int, outputs: dict[str, Flow]) -> None:
        links = self.compiler.links
        for port, flow in outputs.items():
            target = links.links.get(node_id, {}).get(port)
            if target is None:
                self.stage.complete(node_id, flow)
            elif (node_id, port) in links.back:
                self.stage.knock(target, flow)
            else:
                self.add(target, flow)


def compile_version(
    scenario_id: int,
    version_id: int,
    document: ScenarioDocument,
    database: Database,
    definitions: Definitions | None = None,
    extra_doors: tuple[int, ...] = (),
) -> CompiledVersion:
    """Compile a version whose document has ids in place of names; `definitions` are what its rules refer to."""
    return Compiler(
        scenario_id, version_id, document, database, definitions or NoDefinitions(), extra_doors=extra_doors
    ).compile()
