"""What this room keeps about people: the ledger's rows, copies of letters, answers of API requests.

The ledger has no index by profile: an erasure reads the rows of the person's lane, a 64th of all. Sums were counted when it happened and stay.
"""

from __future__ import annotations

from sojourn.kernel.holdings import OWN, Holding, register_holding

_LETTER = f"{OWN} OR recipient = ANY(%(contacts)s::text[])"

_LETTERS_EXPORT = f"""
SELECT at, channel, recipient, subject, body_text AS text FROM sandbox_message WHERE {OWN} ORDER BY id
"""

_MESSAGES_EXPORT = """
SELECT m.created_at, m.handed_at, m.channel, t.name AS template, m.state, m.delivered_at, m.opened_at, m.clicked_at
  FROM message m LEFT JOIN template t ON t.id = m.template_id WHERE m.lane = ANY(%(lanes)s::smallint[]) AND m.profile_id = ANY(%(ids)s::bigint[]) ORDER BY m.created_at
"""

_REQUESTS_EXPORT = f"""
SELECT created_at, answered_at, status, saved FROM request WHERE {OWN} ORDER BY created_at
"""


def register_holdings() -> None:
    """Offer it to the erasure."""
    register_holding(
        Holding(
            "letters",
            {"en": "Copies of letters", "ru": "Копии писем"},
            f"SELECT count(*) FROM sandbox_message WHERE {_LETTER}",
            (f"DELETE FROM sandbox_message WHERE {_LETTER}",),
            _LETTERS_EXPORT,
        )
    )
    register_holding(
        Holding(
            "messages",
            {"en": "Messages", "ru": "Сообщения"},
            f"SELECT count(*) FROM message WHERE {OWN}",
            (f"DELETE FROM message WHERE {OWN}", f"DELETE FROM answer_inbox WHERE {OWN}"),
            _MESSAGES_EXPORT,
        )
    )
    register_holding(
        Holding(
            "requests",
            {"en": "API requests and their answers", "ru": "API-запросы и ответы на них"},
            f"SELECT count(*) FROM request WHERE {OWN}",
            (f"DELETE FROM request WHERE {OWN}",),
            _REQUESTS_EXPORT,
        )
    )
