"""The template variable `api`: the content with which a passage was started by API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from sojourn.delivery import variables

# Two probes of an index by profile for each message; LATERAL keeps them probes whatever the statistics say.
_CONTEXTS = """
SELECT k.n, coalesce(r.context, e.context)
  FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) WITH ORDINALITY k(lane, passage_id, profile_id, n)
  LEFT JOIN LATERAL (SELECT context FROM resting r
     WHERE r.lane = k.lane AND r.profile_id = k.profile_id AND r.passage_id = k.passage_id LIMIT 1) r ON true
  LEFT JOIN LATERAL (SELECT context FROM passage_ended e
     WHERE e.lane = k.lane AND e.profile_id = k.profile_id AND e.passage_id = k.passage_id LIMIT 1) e ON true
"""


def load_contexts(
    connection: psycopg.Connection[Any], keys: Sequence[tuple[int, int, int]]
) -> list[dict[str, Any]]:  # fmt: skip
    """For each (lane, passage, profile): the content of the API call that started the passage; empty if it started otherwise."""
    found: list[dict[str, Any]] = [{} for _ in keys]
    lanes, passages, profiles = ([key[i] for key in keys] for i in range(3))
    for number, context in connection.execute(_CONTEXTS, (lanes, passages, profiles)):
        found[number - 1] = context or {}
    return found


def register_variables() -> None:
    """Make `api` known to the delivery workers."""
    variables.register("api", load_contexts)
