"""Connects the rooms: what an upper room offers to a lower one's registry, in every process that may need it."""

from __future__ import annotations


def connect_rooms() -> None:
    """Let imports start scenarios, and letters carry promo codes and the content of API calls. Doing it twice is harmless."""
    import sojourn.loyalty.promo_rule
    import sojourn.scenarios.participation_rule  # noqa: F401 - offer their rules
    from sojourn import loyalty
    from sojourn.cli.privacy_wiring import connect_privacy
    from sojourn.profiles.change_sets import register_membership
    from sojourn.profiles.field_changes import register_field_use
    from sojourn.profiles.history import register_source
    from sojourn.profiles.merging import register_follower
    from sojourn.profiles.profile import register_deletion
    from sojourn.profiles.relations import RelationsFollow, forget_relations
    from sojourn.scenarios.clearing import PassagesFollow, remove_profile
    from sojourn.scenarios.field_uses import uses_of_field
    from sojourn.scenarios.history_source import passage_history
    from sojourn.scenarios.segment_usage import scenarios_with_segments
    from sojourn.scenarios.variables import register_variables
    from sojourn.segments.history_source import segment_entries
    from sojourn.segments.membership import MembershipsFollow, forget_profile, members_of_import
    from sojourn.segments.usage import register_usage
    from sojourn.triggers import register_import_triggers

    register_field_use(uses_of_field)
    register_usage(scenarios_with_segments)
    register_deletion(remove_profile)
    register_deletion(forget_profile)
    register_deletion(forget_relations)
    for follower in (PassagesFollow(), MembershipsFollow(), RelationsFollow()):
        register_follower(follower)
    register_membership(members_of_import)
    register_source(("segment",), segment_entries, 1)
    register_source(("scenario",), passage_history, 2)
    connect_privacy()
    register_import_triggers()
    loyalty.register_variables()
    register_variables()
