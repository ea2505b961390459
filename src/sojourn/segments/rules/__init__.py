"""One module per rule."""

from sojourn.segments.registry import register_rule
from sojourn.segments.rules.field import FieldRule
from sojourn.segments.rules.message import MessageRule
from sojourn.segments.rules.subscription import SubscriptionRule

for _kind in (FieldRule, MessageRule, SubscriptionRule):
    register_rule(_kind)

__all__ = ["FieldRule", "MessageRule", "SubscriptionRule"]
