"""What this room keeps about people."""

from __future__ import annotations

from sojourn.kernel.holdings import OWN, Holding, register_holding

_PROMO_CODES_EXPORT = """
SELECT l.name AS pool, c.code, a.at, a.expires_at FROM promo_assignment a JOIN promo_pool l ON l.id = a.pool_id JOIN promo_code c ON c.pool_id = a.pool_id AND c.no = a.no
 WHERE a.lane = ANY(%(lanes)s::smallint[]) AND a.profile_id = ANY(%(ids)s::bigint[]) ORDER BY a.at
"""


def register_holdings() -> None:
    """Offer it to the erasure: a code stays assigned, but to nobody, so that it is not given away twice."""
    register_holding(
        Holding(
            "promo_codes",
            {"en": "Promo codes", "ru": "Промокоды"},
            f"SELECT count(*) FROM promo_assignment WHERE {OWN}",
            (f"UPDATE promo_assignment SET profile_id = 0 WHERE {OWN}",),
            _PROMO_CODES_EXPORT,
        )
    )
