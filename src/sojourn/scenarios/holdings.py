"""What this room keeps about people: their ways through scenarios with the context of each passage. Figures stay: they are sums."""

from __future__ import annotations

from sojourn.kernel.holdings import OWN, Holding, register_holding

_PASSAGES = f"SELECT passage_id FROM passage_ended WHERE {OWN}"
# The trail is found by its passages: that index is small, and the moments bound the months.
_TRAIL = f"lane = ANY(%(lanes)s::smallint[]) AND passage_id IN ({_PASSAGES})"

_PASSAGES_EXPORT = f"""
SELECT s.name AS scenario, x.entered_at, x.ended_at, x.context FROM (
  SELECT scenario_id, entered_at, NULL::timestamptz AS ended_at, context FROM resting WHERE {OWN}
  UNION ALL SELECT scenario_id, entered_at, ended_at, context FROM passage_ended WHERE {OWN}) x JOIN scenario s ON s.id = x.scenario_id ORDER BY x.entered_at
"""


def register_holdings() -> None:
    """Offer them to the erasure. Live passages have been ended by the deletion of the profile."""
    register_holding(
        Holding(
            "passages",
            {"en": "Passages through scenarios", "ru": "Прохождения сценариев"},
            f"SELECT count(*) FROM (SELECT FROM resting WHERE {OWN} UNION ALL SELECT FROM passage_ended WHERE {OWN}) x",
            (
                f"DELETE FROM trail WHERE {_TRAIL}",
                f"DELETE FROM passage_failure WHERE {OWN}",
                f"DELETE FROM passage_ended WHERE {OWN}",
                f"DELETE FROM entry_refused WHERE {OWN}",
                f"DELETE FROM entered WHERE {OWN}",
                f"DELETE FROM scenario_migration_row WHERE {OWN}",
            ),
            _PASSAGES_EXPORT,
        )
    )
