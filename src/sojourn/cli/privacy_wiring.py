"""What each room keeps about people and for how long, brought together for retention, erasure and the data that a person may ask for."""

from __future__ import annotations


def connect_privacy() -> None:
    """Let every room say what it keeps. Doing it twice is harmless."""
    from sojourn.bulk import holdings as exports
    from sojourn.bulk import retention as exports_kept
    from sojourn.delivery import holdings as letters
    from sojourn.delivery import retention as letters_kept
    from sojourn.events import holdings as events
    from sojourn.events import retention as events_kept
    from sojourn.loyalty import holdings as codes
    from sojourn.profiles import holdings as profiles
    from sojourn.profiles import retention as profiles_kept
    from sojourn.scenarios import holdings as passages
    from sojourn.scenarios import retention as trace_kept
    from sojourn.segments import holdings as members
    from sojourn.segments import retention as members_kept
    from sojourn.triggers import holdings as captures

    # In the order in which a person's data are shown and removed: the trail is found by its passages, the passages go after it.
    for kept in (profiles, members, passages, captures, letters, codes, events, exports):
        kept.register_holdings()
    for period in (events_kept, profiles_kept, members_kept, trace_kept, letters_kept, exports_kept):
        period.register_retention()
