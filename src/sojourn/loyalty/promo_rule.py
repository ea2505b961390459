"""Rule: the profile was given a promo code."""

from __future__ import annotations

from typing import ClassVar, Literal

from sojourn.profiles import Database
from sojourn.segments import register_rule
from sojourn.segments.rule import Group, Language, Lookup, Reads, RuleContext, Text, TimeNeed, Touch
from sojourn.segments.windows import TITLES, WORDS, WindowRule

Validity = Literal["any", "valid", "expired"]
_VALIDITIES: dict[str, Text] = {
    "any": {"en": "was given", "ru": "выдан"},
    "valid": {"en": "is still valid", "ru": "ещё действует"},
    "expired": {"en": "has expired", "ru": "истёк"},
}


@register_rule
class PromoCodeRule(WindowRule):
    """A code of `pool` was given to the profile in the window, and is valid or expired now if asked."""

    code: ClassVar[str] = "promo_code"
    group: ClassVar[Group] = "entity"
    title: ClassVar[Text] = {"en": "Promo code", "ru": "Промокод"}
    description: ClassVar[Text] = {
        "en": "A promo code was given, is still valid, or has expired.",
        "ru": "Промокод выдан, ещё действует или истёк.",
    }
    titles: ClassVar[dict[str, Text]] = {
        "pool": {"en": "Pool", "ru": "Набор"},
        "validity": {"en": "State", "ru": "Состояние"},
        **TITLES,
    }
    words: ClassVar[dict[str, dict[str, Text]]] = {"validity": _VALIDITIES, **WORDS}
    references: ClassVar[dict[str, str]] = {"pool": "promo_pool"}
    rule: Literal["promo_code"] = "promo_code"
    pool: int | str | None = None
    validity: Validity = "any"

    @property
    def time_need(self) -> TimeNeed:
        return "moment" if self.validity != "any" else super().time_need

    def touched_by(self) -> frozenset[Touch]:
        return frozenset({"passage"})

    def reads(self, database: Database) -> Reads:
        return frozenset({"promo_code"})

    def sql(self, context: RuleContext) -> str:
        conditions = self.window(context, "a.at")
        if self.pool is not None:
            conditions.append(f"a.pool_id = {context.bind(self.pool, 'int')}")
        if self.validity == "valid":
            conditions.append(f"(a.expires_at IS NULL OR a.expires_at > {context.at})")
        if self.validity == "expired":
            conditions.append(f"a.expires_at <= {context.at}")
        return self.counted(context, "promo_assignment", conditions, "a")

    def text(self, language: Language, database: Database, lookup: Lookup) -> str:
        pool = f" “{lookup.name_of('promo_pool', self.pool)}”" if self.pool is not None else ""
        return (
            f"{self.title[language]}{pool} {_VALIDITIES[self.validity][language]} {self.window_text(language)}".strip()
        )
