"""What this room keeps about people: who stands at the door of a scenario."""

from __future__ import annotations

from sojourn.kernel.holdings import OWN, Holding, register_holding


def register_holdings() -> None:
    """Offer it to the erasure."""
    register_holding(
        Holding(
            "captures",
            {"en": "Entries that wait", "ru": "Ожидающие входы"},
            f"SELECT count(*) FROM capture WHERE {OWN}",
            (f"DELETE FROM capture WHERE {OWN}", f"DELETE FROM wait_inbox WHERE {OWN}"),
        )
    )
