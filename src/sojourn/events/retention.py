"""How long events are kept."""

from __future__ import annotations

from sojourn.kernel.retention import Kind, MonthlyTable, register


def register_retention() -> None:
    """Offer the kind `events`."""
    register(
        Kind(
            "events",
            {"en": "Events", "ru": "События"},
            {
                "en": "Rules, reports and the history of a profile no longer see what happened before: sent, opened, clicked, goals.",
                "ru": "Правила, отчёты и история профиля больше не видят того, что было раньше: отправки, открытия, переходы, цели.",
            },
            (MonthlyTable("event", "recorded_at"),),
        )
    )
