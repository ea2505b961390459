"""What a node type is: one file with its settings, outputs, texts, checks and SQL. Third parties add one through an entry point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from sojourn.kernel.errors import Problem
from sojourn.profiles import Database
from sojourn.segments import Lookup
from sojourn.segments.rule import Definitions, NoDefinitions

if TYPE_CHECKING:
    from sojourn.scenarios.stage import Flow, Stage

Language = Literal["en", "ru"]
Tone = Literal["main", "yes", "no", "error"]
Category = Literal["trigger", "channel", "operator", "action"]
Text = Mapping[Language, str]


@dataclass(frozen=True)
class Port:
    """An output of a node. An `optional` one may stay without a link, and then does not end the passage: the node says what happens.

    One that is not `linkable` ends the passage by itself.
    """

    id: str
    title: Text
    tone: Tone = "main"
    optional: bool = False
    linkable: bool = True


NEXT = Port("next", {"en": "Next", "ru": "Далее"})


def choices(words: Mapping[str, Text], **more: Any) -> dict[str, Any]:
    """What a setting with a fixed choice tells the editor: the words of its values, and `more`."""
    return {"x-words": {value: dict(text) for value, text in words.items()}} | {
        "x-" + name.replace("_", "-"): value for name, value in more.items()
    }


class Settings(BaseModel):
    """Base of all settings. A field's `x-source` names the kind of thing it refers to, by id or by name."""

    model_config = ConfigDict(extra="forbid")


class Things(Lookup, Protocol):
    """What settings can name, with what checks need to know of it."""

    def database_of(self, kind: str, reference: int | str) -> int | None:
        """The profile database that a scenario works on; None where there is no such thing."""
        ...

    def segment_kind(self, reference: int | str) -> tuple[str, int, bool]:
        """Kind and database of a segment, and whether it has a limit.

        Raises:
            NotFound: there is none.
        """
        ...


@dataclass(frozen=True)
class Surroundings:
    """What a node's checks and texts may look at."""

    database: Database
    lookup: Things
    node_ids: frozenset[int] = frozenset()


@dataclass(frozen=True)
class NodeContext:
    """One node of a version that is being compiled."""

    scenario_id: int
    version_id: int
    node_id: int
    settings: Any
    database: Database
    linked: frozenset[str]
    """Outputs that have a link."""
    definitions: Definitions = field(default_factory=NoDefinitions)
    """What rules refer to."""


class NodeType(Protocol):
    """The contract of a node type. Registered once per process; holds no state."""

    code: ClassVar[str]
    schema_version: ClassVar[int]
    category: ClassVar[Category]
    icon: ClassVar[str]
    title: ClassVar[Text]
    description: ClassVar[Text]
    settings: ClassVar[type[Settings]]
    trigger: ClassVar[str | None]
    """The word of the trigger that a start node listens to (`triggers.Listener`); None for all others."""

    def ports(self, settings: Any) -> list[Port]:
        """The outputs for these settings, in the order in which they are drawn."""
        ...

    def check(self, settings: Any, around: Surroundings) -> list[Problem]:
        """What is wrong with the settings; `place` is the setting."""
        ...

    def summary(self, settings: Any, language: Language, around: Surroundings) -> list[str]:
        """At most two lines for the card."""
        ...

    def takes_time(self, settings: Any) -> bool:
        """Whether everyone rests here, so that a loop through this node cannot spin."""
        ...

    def reads(self, node: NodeContext) -> frozenset[str]:
        """What the node's SQL reads of what a node may write: `profile.<column>`, `subscription`, `message`, `event`, `promo`, `request`."""
        ...

    def writes(self, node: NodeContext) -> frozenset[str]:
        """What it writes, in the same words."""
        ...

    def exclusive(self, node: NodeContext) -> frozenset[str]:
        """Rows that one statement may write only once, on whatever branch."""
        ...

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        """SQL for those who come here: who goes on by which output; those who rest are given to `stage.rest`."""
        ...

    def leave(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        """SQL for those who rested here and whose moment has come."""
        ...


class BaseNode:
    """Defaults for node types."""

    schema_version: ClassVar[int] = 1
    trigger: ClassVar[str | None] = None

    def ports(self, settings: Any) -> list[Port]:
        return [NEXT]

    def check(self, settings: Any, around: Surroundings) -> list[Problem]:
        return []

    def summary(self, settings: Any, language: Language, around: Surroundings) -> list[str]:
        return []

    def takes_time(self, settings: Any) -> bool:
        return False

    def reads(self, node: NodeContext) -> frozenset[str]:
        return frozenset()

    def writes(self, node: NodeContext) -> frozenset[str]:
        return frozenset()

    def exclusive(self, node: NodeContext) -> frozenset[str]:
        return frozenset()

    def leave(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        raise AssertionError(f"nobody rests at {type(self).__name__}")


def parse_settings(node_type: NodeType, settings: dict[str, Any]) -> tuple[Any, list[Problem]]:
    """The settings as the type's model, or what is wrong with them."""
    try:
        return node_type.settings.model_validate(settings), []
    except ValidationError as error:
        return None, [
            Problem("bad_setting", issue["msg"] + ".", ".".join(map(str, issue["loc"]))) for issue in error.errors()
        ]


def references(node_type: NodeType) -> dict[str, str]:
    """Settings that name things: field → kind."""
    found = {}
    for name, known in node_type.settings.model_fields.items():
        extra = known.json_schema_extra
        if isinstance(extra, dict) and isinstance(extra.get("x-source"), str):
            found[name] = str(extra["x-source"])
    return found
