"""How long copies of letters are kept."""

from __future__ import annotations

from sojourn.kernel.retention import Kind, PlainTable, register


def register_retention() -> None:
    """Offer the kind `letters`."""
    register(
        Kind(
            "letters",
            {"en": "Copies of letters", "ru": "Копии писем"},
            {
                "en": "Letters and SMS in the sandbox mailbox can no longer be read. That they were sent stays recorded.",
                "ru": "Письма и SMS в почте песочницы больше нельзя прочитать. Сам факт отправки остаётся.",
            },
            (PlainTable("sandbox_message", "at"),),
        )
    )
