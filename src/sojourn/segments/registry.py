"""All rules by their codes. Rules about things of upper rooms are registered by those rooms (see `sojourn.cli.wiring`)."""

from __future__ import annotations

from sojourn.segments.rule import Rule

RULES: dict[str, type[Rule]] = {}


def register_rule(kind: type[Rule]) -> type[Rule]:
    """Offer a rule under its code; a second one of the same code takes its place. Can be used as a decorator."""
    RULES[kind.code] = kind
    return kind
