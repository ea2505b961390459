"""What this room keeps about people."""

from __future__ import annotations

from sojourn.kernel.holdings import OWN, Holding, register_holding

_SEGMENTS_EXPORT = """
SELECT g.name AS segment, h.at, h.entered FROM segment_history h LEFT JOIN segment g ON g.id = h.segment_id WHERE h.lane = ANY(%(lanes)s::smallint[]) AND h.profile_id = ANY(%(ids)s::bigint[]) ORDER BY h.at
"""


def register_holdings() -> None:
    """Offer it to the erasure."""
    register_holding(
        Holding(
            "segments",
            {"en": "Segments: members, entries and exits", "ru": "Сегменты: состав, входы и выходы"},
            f"SELECT (SELECT count(*) FROM segment_member WHERE {OWN}) + (SELECT count(*) FROM segment_history WHERE {OWN})",
            (f"DELETE FROM segment_member WHERE {OWN}", f"DELETE FROM segment_history WHERE {OWN}"),
            _SEGMENTS_EXPORT,
        )
    )
