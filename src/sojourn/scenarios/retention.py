"""How long the trace of scenarios is kept."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import psycopg

from sojourn.kernel.retention import Kind, MonthlyTable, PlainTable, register
from sojourn.scenarios.durations import to_timedelta

_INTERVALS = """
SELECT DISTINCT v.graph -> 'reentry' ->> 'min_interval' FROM scenario s JOIN scenario_version v ON v.id = s.published_version_id
 WHERE v.graph -> 'reentry' ->> 'min_interval' IS NOT NULL
"""


def _longest_interval(connection: psycopg.Connection[Any]) -> int:
    """Days for which the end of a passage is needed: it says when somebody may enter again."""
    intervals = [to_timedelta(row[0]) for row in connection.execute(_INTERVALS)]
    return max(1, math.ceil(max(intervals, default=timedelta()) / timedelta(days=1)))


def register_retention() -> None:
    """Offer the kind `trace`. Live passages and *entered once* are no trace: they decide what happens next, and stay."""
    register(
        Kind(
            "trace",
            {"en": "Trace of scenarios", "ru": "След сценариев"},
            {
                "en": "The way of a profile through scenarios, why it was refused or failed, and the content of ended passages are gone;"
                " rules such as “has left the scenario” no longer see it. Figures on the canvas stay, and so does “enters once only”.",
                "ru": "Путь профиля по сценариям, причины отказов и ошибок и содержимое завершённых прохождений исчезают;"
                " правила вида «вышел из сценария» их больше не видят. Цифры на холсте и запрет повторного входа остаются.",
            },
            (
                MonthlyTable("trail", "at"),
                MonthlyTable("passage_ended", "ended_at"),
                MonthlyTable("entry_refused", "at"),
                PlainTable("passage_failure", "at"),
            ),
            least_days=_longest_interval,
        )
    )
