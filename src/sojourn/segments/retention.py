"""How long entries and exits of segments are kept."""

from __future__ import annotations

from sojourn.kernel.retention import Kind, MonthlyTable, register


def register_retention() -> None:
    """Offer the kind `segment_history`."""
    register(
        Kind(
            "segment_history",
            {"en": "Entries and exits of segments", "ru": "Входы в сегменты и выходы из них"},
            {
                "en": "Rules such as “entered at least n times” no longer count what happened before. Who is in a segment now stays.",
                "ru": "Правила вида «входил не менее n раз» больше не считают того, что было раньше. Текущий состав сегментов остаётся.",
            },
            (MonthlyTable("segment_history", "at"),),
        )
    )
