"""The template variable `promo`: the code that this passage got last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from sojourn.delivery import variables

_CODES = """
SELECT k.n, c.code, a.expires_at
  FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) WITH ORDINALITY k(lane, passage_id, profile_id, n),
       LATERAL (SELECT pool_id, no, expires_at FROM promo_assignment a
                 WHERE a.lane = k.lane AND a.passage_id = k.passage_id ORDER BY hop DESC LIMIT 1) a
  JOIN promo_code c ON c.pool_id = a.pool_id AND c.no = a.no
"""


def load_promo(
    connection: psycopg.Connection[Any], keys: Sequence[tuple[int, int, int]]
) -> list[dict[str, Any] | None]:
    """For each (lane, passage, profile): `code` and `expires_at` of the latest code of the passage, or None."""
    found: list[dict[str, Any] | None] = [None] * len(keys)
    lanes, passages, profiles = ([key[i] for key in keys] for i in range(3))
    for number, code, expires_at in connection.execute(_CODES, (lanes, passages, profiles)):
        found[number - 1] = {"code": code, "expires_at": expires_at.isoformat() if expires_at else None}
    return found


def register_variables() -> None:
    """Make `promo` known to the delivery workers."""
    variables.register("promo", load_promo)
