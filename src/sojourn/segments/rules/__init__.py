"""One module per rule."""

from sojourn.segments.rule import Rule
from sojourn.segments.rules.field import FieldRule
from sojourn.segments.rules.message import MessageRule
from sojourn.segments.rules.subscription import SubscriptionRule

RULES: dict[str, type[Rule]] = {"field": FieldRule, "message": MessageRule, "subscription": SubscriptionRule}

__all__ = ["RULES", "FieldRule", "MessageRule", "SubscriptionRule"]
