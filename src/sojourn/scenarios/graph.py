"""The graph document: what people write, files hold and the editor draws. Its schema is documented in docs/reference/scenario-files.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sojourn.kernel.errors import Problem, SojournError
from sojourn.scenarios.awaited import MOST_EVENTS, Awaited
from sojourn.scenarios.durations import Duration

FORMAT: Literal["sojourn/scenario@1"] = "sojourn/scenario@1"
MAX_NODES = 500
MAX_BYTES = 2_000_000


class Position(BaseModel):
    """Where a card lies on the canvas, in pixels."""

    model_config = ConfigDict(extra="forbid")
    x: float = 0
    y: float = 0


class NodeDocument(BaseModel):
    """One node. `links` maps an output to the node it leads to; an output without a link ends the passage as completed."""

    model_config = ConfigDict(extra="forbid")
    id: int = Field(ge=0, le=1_000_000)
    type: str
    title: str = Field("", max_length=200)
    comment: str = Field("", max_length=2000)
    position: Position = Position()
    settings: dict[str, Any] = {}
    links: dict[str, int] = {}


class Reentry(BaseModel):
    """What happens when a profile comes again: see spec of the four modes in docs/reference/scenario-files.md."""

    model_config = ConfigDict(extra="forbid")
    mode: Literal["never", "after_exit", "restart", "parallel"] = "never"
    min_interval: Duration | None = Field(None, description="Least time between two entries; mode after_exit only.")


class ScenarioDocument(BaseModel):
    """A scenario as a document. `database` is the id or the name of a profile database."""

    model_config = ConfigDict(extra="forbid")
    format: Literal["sojourn/scenario@1"] = FORMAT
    name: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=10_000)
    tags: list[str] = Field([], max_length=50)
    database: int | str
    reentry: Reentry = Reentry()
    exits: list[Awaited] = Field(
        [], max_length=MOST_EVENTS, description="Events that end a passage at once, wherever it rests."
    )
    nodes: list[NodeDocument] = Field([], max_length=MAX_NODES)

    def node(self, node_id: int) -> NodeDocument | None:
        """The node of that id, if there is one."""
        return next((node for node in self.nodes if node.id == node_id), None)


def read_document(text: str) -> ScenarioDocument:
    """A document from YAML or JSON text.

    Raises:
        SojournError: `bad_file` with line and column, or `bad_document` with all problems and their places.
    """
    if len(text) > MAX_BYTES:
        raise SojournError("bad_file", f"A scenario file has at most {MAX_BYTES // 1000} kB.")
    try:
        data = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except json.JSONDecodeError as error:
        raise SojournError(
            "bad_file", f"This is not JSON: {error.msg}.", f"line {error.lineno}, column {error.colno}"
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else None
        raise SojournError(
            "bad_file", f"This is not YAML: {getattr(error, 'problem', None) or 'it cannot be read'}.", place
        ) from None
    except RecursionError:
        raise SojournError("bad_file", "The file is nested too deeply.") from None
    return parse_document(data)


def parse_document(data: Any) -> ScenarioDocument:
    """A document from plain data.

    Raises:
        SojournError: `bad_document` with all problems and their places.
    """
    if not isinstance(data, dict):
        raise SojournError("bad_document", "A scenario file is an object with format, name, database and nodes.")
    try:
        return ScenarioDocument.model_validate(data)
    except ValidationError as error:
        problems = [
            Problem("bad_value", issue["msg"] + ".", _place(data, issue["loc"])) for issue in error.errors()[:100]
        ]
        raise SojournError("bad_document", "The scenario document has errors.", problems=problems) from None


def _place(data: dict[str, Any], location: tuple[int | str, ...]) -> str:
    """`node 3.links.next` reads better than `nodes.2.links.next`."""
    if len(location) > 1 and location[0] == "nodes" and isinstance(location[1], int):
        nodes = data.get("nodes")
        node = nodes[location[1]] if isinstance(nodes, list) else None
        name = (
            f"node {node['id']}"
            if isinstance(node, dict) and isinstance(node.get("id"), int)
            else f"node at place {location[1] + 1}"
        )
        return ".".join([name, *map(str, location[2:])])
    return ".".join(map(str, location))


class Links:
    """The links of a graph, split into forward and back links.

    A depth-first walk from the start nodes, outputs in the order of the node's ports, marks a link to a node that is still being
    walked as a *back link*; without those the graph has no cycles and `order` is a topological order.
    """

    def __init__(self, starts: list[int], ports: dict[int, list[str]], links: dict[int, dict[str, int]]) -> None:
        self.links = links
        self.back: set[tuple[int, str]] = set()
        self.order: list[int] = []
        state: dict[int, int] = {}
        for start in starts:
            self._walk(start, ports, state)
        self.order.reverse()
        self.reachable = set(state)

    def _walk(self, start: int, ports: dict[int, list[str]], state: dict[int, int]) -> None:
        if start in state:
            return
        state[start] = 1
        stack: list[tuple[int, Iterator[str]]] = [(start, iter(ports[start]))]
        while stack:
            node, outputs = stack[-1]
            for port in outputs:
                target = self.links.get(node, {}).get(port)
                if target is None:
                    continue
                if state.get(target) == 1:
                    self.back.add((node, port))
                elif target not in state:
                    state[target] = 1
                    stack.append((target, iter(ports[target])))
                    break
            else:
                state[node] = 2
                self.order.append(node)
                stack.pop()

    @property
    def doors(self) -> list[int]:
        """Targets of back links, ascending: where a loop comes round."""
        return sorted({self.links[node][port] for node, port in self.back})
