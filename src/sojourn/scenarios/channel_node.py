"""What channel nodes share: the check of the contact in SQL, the planned message, and the outcome *not sent*."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from sojourn.delivery.codes import Channel, Flag, State
from sojourn.delivery.sql import PlannedMessages
from sojourn.scenarios.node_type import NEXT, BaseNode, Category, NodeContext, Port, Settings
from sojourn.scenarios.stage import LANE, Awaits, Flow, Stage

NOT_SENT = Port("not_sent", {"en": "Not sent", "ru": "Не отправлено"}, "error", optional=True)
_SUBSCRIBED, _UNCONFIRMED = 0, 4


class ChannelSettings(Settings):
    """Whose subscribers may receive, and what they get."""

    resource: int | str = Field(
        title="Subscription resource",
        description="Only its subscribers receive the message.",
        json_schema_extra={"x-source": "resource"},
    )
    template: int | str = Field(title="Template", json_schema_extra={"x-source": "template"})
    category: int | str | None = Field(
        None,
        title="Category",
        description="Who has left this category of the resource does not get the message.",
        json_schema_extra={"x-widget": "category"},
    )
    """Its name; once published, its number."""


class ChannelNode(BaseNode):
    """Plans one message for each who may be written to; the delivery workers check again and hand it over.

    If *not sent* is linked, people rest until the ledger knows; otherwise they go on at once.
    """

    category: ClassVar[Category] = "channel"
    channel: ClassVar[Channel]

    def confirms(self, settings: Any) -> bool:
        """Whether the message is a confirmation letter, which also reaches unconfirmed contacts."""
        return False

    def ports(self, settings: Any) -> list[Port]:
        return [NEXT, NOT_SENT]

    def reads(self, node: NodeContext) -> frozenset[str]:
        return frozenset({"subscription"})

    def writes(self, node: NodeContext) -> frozenset[str]:
        return frozenset({"message"})

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        settings, waits = node.settings, NOT_SENT.id in node.linked
        allowed = f"s.effective = {_SUBSCRIBED}" + (
            f" OR s.effective = {_UNCONFIRMED}" if self.confirms(settings) else ""
        )
        # The contact was chosen when the subscription was written (`preferred`): one probe of an index, no sort.
        # LIMIT keeps it a probe for each row, even in a plan that was made while the table was empty.
        category = settings.category if isinstance(settings.category, int) else 0
        left = _left(stage, settings.resource, category) if category else "false"
        join = f"""LEFT JOIN LATERAL (SELECT s.id, s.effective{", s.cats" if category else ""} FROM subscription s WHERE s.lane = {LANE} AND s.profile_id = f.profile_id
      AND s.resource_id = {stage.bind(settings.resource, "int")} AND s.channel = {int(self.channel)}::smallint AND s.preferred LIMIT 1) s ON true"""
        asked = stage.derive(
            f"n{node.node_id}", flow, _asked(allowed, left) if category else f"s.id AS subscription_id, ({allowed}) IS TRUE AS sendable", join
        )  # fmt: skip
        flags = (Flag.CONFIRMATION if self.confirms(settings) else 0) | (Flag.AWAITED if waits else 0)
        stage.messages.append(
            PlannedMessages(
                asked.source,
                "f.hop",
                node.scenario_id,
                node.node_id,
                settings.template,
                settings.resource,
                self.channel,
                int(flags),
                stage.priority,
                category,
            )
        )
        if not waits:
            return {"next": asked.visited_by(node.node_id, "CASE WHEN f.sendable THEN 0 ELSE 1 END", 2)}
        stage.rest(node.node_id, asked.only("sendable"), "NULL::timestamptz", Awaits.ANSWER)
        return {NOT_SENT.id: asked.only("NOT sendable").visited(node.node_id, 1)}

    def leave(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        gone = f"m.state IN ({int(State.ACCEPTED)}, {int(State.IN_DOUBT)})"
        join = f"LEFT JOIN LATERAL (SELECT m.state FROM message m WHERE m.lane = {LANE} AND m.passage_id = f.passage_id AND m.hop = f.hop LIMIT 1) m ON true"
        asked = stage.derive(f"n{node.node_id}_out", flow, f"({gone}) IS TRUE AS sent", join)
        return {
            "next": asked.only("sent").visited(node.node_id, 0),
            NOT_SENT.id: asked.only("NOT sent").visited(node.node_id, 1),
        }


def _asked(allowed: str, left: str) -> str:
    return f"s.id AS subscription_id, ({left}) AS category_left, ({allowed}) IS TRUE AND NOT ({left}) AS sendable"


def _left(stage: Stage, resource: int, category: int) -> str:
    """SQL: whether the subscription names its categories, and this one is not among them."""
    return (
        f"s.cats IS NOT NULL AND NOT EXISTS (SELECT FROM resource_category g WHERE g.resource_id = {stage.bind(resource, 'int')}"
        f" AND g.number = {int(category)}::smallint AND g.name = ANY(s.cats))"
    )
