"""Promo code: gives the profile a code of a pool; an empty pool is an output."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from sojourn.kernel.errors import Problem
from sojourn.loyalty.sql import take_codes
from sojourn.scenarios.node_type import (
    NEXT,
    BaseNode,
    Category,
    Language,
    NodeContext,
    Port,
    Settings,
    Surroundings,
    Text,
)
from sojourn.scenarios.stage import LANE, CarryEntry, Flow, Stage

NONE_LEFT = Port("none_left", {"en": "No code left", "ru": "Коды закончились"}, "error")


class PromoCodeSettings(Settings):
    """The pool."""

    pool: int | str = Field(title="Promo code pool", json_schema_extra={"x-source": "promo_pool"})


class PromoCode(BaseNode):
    """Gives each visit one code, never the same twice."""

    code: ClassVar[str] = "promo_code"
    category: ClassVar[Category] = "action"
    icon: ClassVar[str] = "ticket"
    title: ClassVar[Text] = {"en": "Promo code", "ru": "Промокод"}
    description: ClassVar[Text] = {
        "en": "Gives a code that later letters can show.",
        "ru": "Выдаёт код, который покажут следующие письма.",
    }
    settings: ClassVar[type[Settings]] = PromoCodeSettings

    def ports(self, settings: PromoCodeSettings) -> list[Port]:
        return [NEXT, NONE_LEFT]

    def check(self, settings: PromoCodeSettings, around: Surroundings) -> list[Problem]:
        return []

    def summary(self, settings: PromoCodeSettings, language: Language, around: Surroundings) -> list[str]:
        return [around.lookup.name_of("promo_pool", settings.pool)]

    def writes(self, node: NodeContext) -> frozenset[str]:
        return frozenset({"promo"})

    def exclusive(self, node: NodeContext) -> frozenset[str]:
        return frozenset({f"promo.{node.settings.pool}"})

    def arrive(self, stage: Stage, node: NodeContext, flow: Flow) -> dict[str, Flow]:
        asked = stage.derive(f"n{node.node_id}", flow, "1 AS asks")
        for name, body in take_codes(
            f"n{node.node_id}_code",
            asked.source,
            "f.hop",
            node.settings.pool,
            node.scenario_id,
            node.node_id,
            LANE,
            stage.bindings,
        ):
            stage.part(name, body, materialized=not body.startswith(("UPDATE", "INSERT")))
        result = Flow(f"n{node.node_id}_code", asked.paths, writes=asked.writes)
        # Whoever finds the lane's block empty tries again after the dealer gave more; `last`: it had none.
        stage.carry(node.node_id, result.only("NOT got AND NOT %(last)s"), CarryEntry.RETRY)
        return {
            "next": result.only("got").visited(node.node_id, 0),
            "none_left": result.only("NOT got AND %(last)s").visited(node.node_id, 1),
        }
