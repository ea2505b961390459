"""How long the history of changes and the reports of imports are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg

from sojourn.kernel.retention import Effect, Kind, MonthlyTable, register

_OLD = "SELECT r.ctid FROM import_rejection r JOIN background_task t ON t.id = r.task_id WHERE t.finished_at < %s"


class RefusedRows:
    """Refused rows are as old as the import that refused them."""

    def effect(self, connection: psycopg.Connection[Any], before: datetime) -> Effect:
        """See `kernel.retention.Store`."""
        row = connection.execute(f"SELECT count(*) FROM ({_OLD}) x", (before,)).fetchone()
        return Effect(row[0] if row else 0, True)

    def forget(self, connection: psycopg.Connection[Any], before: datetime, stop: Callable[[], bool]) -> int:
        """See `kernel.retention.Store`."""
        gone = 0
        while not stop():
            done = connection.execute(
                f"DELETE FROM import_rejection r USING ({_OLD} LIMIT 20000) x(place) WHERE r.ctid = x.place", (before,)
            ).rowcount
            gone += done
            if not done:
                break
        return gone


def register_retention() -> None:
    """Offer the kinds `changes` and `refused_rows`."""
    register(
        Kind(
            "changes",
            {"en": "History of changes", "ru": "История изменений"},
            {
                "en": "The history of a profile no longer tells old values and who changed them. What the profile holds now stays.",
                "ru": "История профиля больше не показывает прежние значения и кто их изменил. Текущие данные профиля остаются.",
            },
            (MonthlyTable("change", "at"),),
        )
    )
    register(
        Kind(
            "refused_rows",
            {"en": "Rows refused by imports", "ru": "Строки, отклонённые при импорте"},
            {
                "en": "Refused rows of old imports can no longer be downloaded. The counts of the import stay.",
                "ru": "Отклонённые строки старых импортов больше нельзя скачать. Счётчики импорта остаются.",
            },
            (RefusedRows(),),
        )
    )
