"""One module per rule."""

from sojourn.segments.registry import register_rule
from sojourn.segments.rules.activity import ActivityRule
from sojourn.segments.rules.api_content import ApiContentRule
from sojourn.segments.rules.external import ExternalRule
from sojourn.segments.rules.field import FieldRule
from sojourn.segments.rules.message import MessageRule
from sojourn.segments.rules.sample import SampleRule
from sojourn.segments.rules.segment import SegmentRule
from sojourn.segments.rules.structure import StructureRule
from sojourn.segments.rules.subscription import SubscriptionRule
from sojourn.segments.rules.utm import UtmRule

for _kind in (
    FieldRule,
    UtmRule,
    SubscriptionRule,
    ActivityRule,
    MessageRule,
    SegmentRule,
    StructureRule,
    SampleRule,
    ExternalRule,
    ApiContentRule,
):
    register_rule(_kind)

__all__ = [
    "ActivityRule",
    "ApiContentRule",
    "ExternalRule",
    "FieldRule",
    "MessageRule",
    "SampleRule",
    "SegmentRule",
    "StructureRule",
    "SubscriptionRule",
    "UtmRule",
]
