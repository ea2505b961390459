"""What this room keeps about people besides the profile itself, which its deletion removes."""

from __future__ import annotations

from sojourn.kernel.holdings import OWN, Holding, register_holding

_RELATED = (
    "(lane = ANY(%(lanes)s::smallint[]) AND profile_a = ANY(%(ids)s::bigint[])) OR profile_b = ANY(%(ids)s::bigint[])"
)
_IN_ROW = "EXISTS (SELECT FROM unnest(%(contacts)s::text[]) c WHERE strpos(lower(r.row_text), lower(c)) > 0)"

_SUBSCRIPTIONS_EXPORT = """
SELECT r.name AS resource, s.channel, s.contact, s.status, s.priority, s.cats AS categories, s.custom AS fields, s.created_at, s.opted_in_at, s.opt_in_ip, s.opt_in_url,
       c.text AS consent, s.confirmed_at, s.confirm_ip, s.confirm_url, s.suspended_until
  FROM subscription s JOIN resource r ON r.id = s.resource_id LEFT JOIN consent_text c ON c.id = s.consent_id WHERE s.lane = ANY(%(lanes)s::smallint[]) AND s.profile_id = ANY(%(ids)s::bigint[]) ORDER BY s.id
"""

_CHANGES_EXPORT = f"""
SELECT at, kind, cause, old, new FROM change WHERE {OWN} ORDER BY at
"""

_RELATIONS_EXPORT = """
SELECT t.name AS relation, r.weights AS properties, r.created_at FROM relation r JOIN relation_type t ON t.id = r.type_id
 WHERE (r.lane = ANY(%(lanes)s::smallint[]) AND r.profile_a = ANY(%(ids)s::bigint[])) OR r.profile_b = ANY(%(ids)s::bigint[]) ORDER BY r.created_at
"""


def register_holdings() -> None:
    """Offer them to the erasure."""
    register_holding(
        Holding(
            "subscriptions",
            {"en": "Subscriptions", "ru": "Подписки"},
            f"SELECT count(*) FROM subscription WHERE {OWN}",
            (f"DELETE FROM subscription WHERE {OWN}",),
            _SUBSCRIPTIONS_EXPORT,
        )
    )
    # The row that says *deleted* stays: it holds no data, and others may have to learn of it.
    register_holding(
        Holding(
            "changes",
            {"en": "History of changes", "ru": "История изменений"},
            f"SELECT count(*) FROM change WHERE {OWN}",
            (f"DELETE FROM change WHERE {OWN} AND kind <> 5",),
            _CHANGES_EXPORT,
        )
    )
    register_holding(
        Holding(
            "relations",
            {"en": "Relations", "ru": "Связи"},
            f"SELECT count(*) FROM relation WHERE {_RELATED}",
            (f"DELETE FROM relation WHERE {_RELATED}",),
            _RELATIONS_EXPORT,
        )
    )
    register_holding(
        Holding(
            "aliases",
            {"en": "Merged profiles", "ru": "Объединённые профили"},
            f"SELECT count(*) FROM profile_alias WHERE {OWN}",
            (f"DELETE FROM profile_alias WHERE {OWN}",),
        )
    )
    register_holding(
        Holding(
            "refused_rows",
            {"en": "Rows refused by imports", "ru": "Строки, отклонённые при импорте"},
            f"SELECT count(*) FROM import_rejection r WHERE {_IN_ROW}",
            (f"DELETE FROM import_rejection r WHERE {_IN_ROW}",),
        )
    )
