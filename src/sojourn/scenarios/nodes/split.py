"""Split: deals people to branches by percent, by a keyed hash of the profile, so that the shares are even and everybody can be dealt again."""

from __future__ import annotations

from itertools import accumulate
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from sojourn.kernel.errors import Problem
from sojourn.scenarios.node_type import BaseNode, Category, Language, NodeContext, Port, Settings, Surroundings, Text
from sojourn.scenarios.stage import Flow, Stage

MOST_BRANCHES = 10
_PARTS = 10_000


class Branch(BaseModel):
    """One branch and its share of people, in percent."""

    model_config = ConfigDict(extra="forbid")
    title: str = Field("", title="Name", max_length=100)
    percent: float = Field(50, title="Percent", ge=0, le=100)


class SplitSettings(Settings):
    """The branches; their shares add up to 100."""

    branches: list[Branch] = Field(
        default_factory=lambda: [Branch(title="A"), Branch(title="B")],
        title="Branches",
        min_length=2,
        max_length=MOST_BRANCHES,
        json_schema_extra={"x-widget": "branches"},
    )
    sticky: bool = Field(
        True,
        title="The same branch each time",
        description="Who comes again goes the same way as before; otherwise every visit is dealt anew.",
    )


class Split(BaseNode):
    """Each branch is an output, in the order of the settings."""

    code: ClassVar[str] = "split"
    category: ClassVar[Category] = "operator"
    icon: ClassVar[str] = "arrows-split-2"
    title: ClassVar[Text] = {"en": "Random split", "ru": "Случайное разделение"}
    description: ClassVar[Text] = {
        "en": "Deals people to branches by percent.",
        "ru": "Распределяет людей по ветвям в процентах.",
    }
    settings: ClassVar[type[Settings]] = SplitSettings

    def ports(self, settings: SplitSettings) -> list[Port]:
        return [_port(number, branch) for number, branch in enumerate(getattr(settings, "branches", []))]

    def check(self, settings: SplitSettings, around: Surroundings) -> list[Problem]:
        total = round(sum(branch.percent for branch in settings.branches), 2)
        if total != 100:
            return [Problem("shares_not_100", f"The shares add up to {total:g} %, not to 100 %.", "branches")]
        return []

    def summary(self, settings: SplitSettings, language: Language, around: Surroundings) -> list[str]:
        return [
            " · ".join(
                f"{branch.title or chr(65 + n)} {branch.percent:g} %" for n, branch in enumerate(settings.branches)
            )
        ]

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        settings = node.settings
        # A draw of its own for each node; a key of the node and the profile, so that splits are independent of each other and of samples.
        key = f"{stage.bind(f'split:{node.scenario_id}:{node.node_id}:', 'text')} || f.profile_id"
        if not settings.sticky:
            key += f" || ':' || f.passage_id || ':' || {flow.hop}"
        place = f"mod(('x' || substr(md5({key}), 1, 8))::bit(32)::bigint, {_PARTS})"
        ends = [round(end * _PARTS / 100) for end in accumulate(branch.percent for branch in settings.branches)]
        asked = stage.derive(f"n{node.node_id}", flow, f"{place} AS place")
        outputs = {}
        low = 0
        for number, (branch, high) in enumerate(zip(settings.branches, ends, strict=True)):
            only = asked.only(f"place >= {low} AND place < {high}")
            outputs[_port(number, branch).id] = only.visited(node.node_id, number)
            low = high
        return outputs


def _port(number: int, branch: Branch) -> Port:
    name = branch.title or chr(65 + number)
    title = f"{name} {branch.percent:g} %"
    return Port(f"b{number + 1}", {"en": title, "ru": title})
