"""A scenario's graph for the oracle: outputs, links, back links, durations."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

OUTPUTS = {
    "email": ["next", "not_sent"],
    "sms": ["next", "not_sent"],
    "pause": ["next"],
    "condition": ["yes", "no"],
    "update_profile": ["next"],
    "promo_code": ["next", "none_left"],
    "api_request": ["success", "failure"],
    "api_filter": ["yes", "no"],
    "split": ["b1", "b2", "b3"],
    "window": ["next"],
    "goal": ["next"],
    "exit": ["left"],
}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def outputs_of(node_type: str) -> list[str]:
    """The outputs of a node type, in their order."""
    return ["next"] if node_type.startswith("start") else OUTPUTS[node_type]


def length(text: str) -> timedelta:
    """`1h 30m` as a length of time."""
    return timedelta(seconds=sum(int(n) * _SECONDS[unit] for n, unit in re.findall(r"(\d+)\s*([smhd])", text)))


class Graph:
    """A published version: nodes by id, and which links lead back."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.nodes: dict[int, dict[str, Any]] = {node["id"]: node for node in document["nodes"]}
        reentry = document.get("reentry", {})
        self.mode: str = reentry.get("mode", "never")
        self.min_interval = length(reentry["min_interval"]) if reentry.get("min_interval") else None
        self.back: set[tuple[int, str]] = set()
        self._find_back_links()

    def __deepcopy__(self, memo: object) -> Graph:
        return self  # never changed, and every copy of a person refers to it

    def type(self, node: int) -> str:
        """The type of a node."""
        return str(self.nodes[node]["type"])

    def has_start(self, node: int) -> bool:
        """Whether the node is a start node of this version."""
        return node in self.nodes and self.type(node).startswith("start")

    def settings(self, node: int) -> dict[str, Any]:
        """The settings of a node."""
        return dict(self.nodes[node].get("settings", {}))

    def target(self, node: int, output: str) -> int | None:
        """Where an output leads."""
        found = self.nodes[node].get("links", {}).get(output)
        return None if found is None else int(found)

    def _find_back_links(self) -> None:
        """A link leads back if its target is still being walked, depth first from the start nodes."""
        open_, done = set(), set()

        def walk(node: int) -> None:
            open_.add(node)
            for output in outputs_of(self.type(node)):
                target = self.target(node, output)
                if target in open_:
                    self.back.add((node, output))
                elif target is not None and target not in done:
                    walk(target)
            open_.discard(node)
            done.add(node)

        for node in sorted(self.nodes):
            if self.type(node).startswith("start") and node not in done:
                walk(node)
