"""What this room keeps about people."""

from __future__ import annotations

from sojourn.kernel.holdings import OWN, Holding, register_holding

_EVENTS_EXPORT = f"""
SELECT occurred_at, kind, channel, data FROM event WHERE {OWN} ORDER BY occurred_at, id
"""


def register_holdings() -> None:
    """Offer it to the erasure."""
    register_holding(
        Holding(
            "events",
            {"en": "Events", "ru": "События"},
            f"SELECT count(*) FROM event WHERE {OWN}",
            (f"DELETE FROM event WHERE {OWN}", f"DELETE FROM touched WHERE {OWN}"),
            _EVENTS_EXPORT,
        )
    )
