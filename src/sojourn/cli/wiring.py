"""Connects the rooms: what an upper room offers to a lower one's registry, in every process that may need it."""

from __future__ import annotations


def connect_rooms() -> None:
    """Let imports start scenarios, and letters carry promo codes and the content of API calls. Doing it twice is harmless."""
    from sojourn import loyalty
    from sojourn.delivery import retention as letters
    from sojourn.events import retention as events
    from sojourn.profiles import retention as changes
    from sojourn.scenarios import retention as trace
    from sojourn.scenarios.variables import register_variables
    from sojourn.segments import retention as members
    from sojourn.triggers import register_import_triggers

    for kept in (events, changes, members, trace, letters):
        kept.register_retention()
    register_import_triggers()
    loyalty.register_variables()
    register_variables()
