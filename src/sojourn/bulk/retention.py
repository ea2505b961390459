"""How long files of exports are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg

from sojourn.kernel.files import FileStore
from sojourn.kernel.retention import Effect, Kind, register
from sojourn.kernel.settings import Settings
from sojourn.kernel.tasks import files_before, forget_file

_KINDS = ("profile_export",)


class ExportFiles:
    """Files that exports made; the task and its counts stay."""

    def effect(self, connection: psycopg.Connection[Any], before: datetime) -> Effect:
        """See `kernel.retention.Store`."""
        return Effect(len(files_before(connection, _KINDS, before)), True)

    def forget(self, connection: psycopg.Connection[Any], before: datetime, stop: Callable[[], bool]) -> int:
        """See `kernel.retention.Store`."""
        gone = 0
        store = FileStore.of(Settings())
        for task_id, key in files_before(connection, _KINDS, before):
            if stop():
                break
            store.delete(key)
            forget_file(connection, task_id)
            gone += 1
        return gone


def register_retention() -> None:
    """Offer the kind `exports`."""
    register(
        Kind(
            "exports",
            {"en": "Files of exports", "ru": "Файлы выгрузок"},
            {
                "en": "Files of old exports can no longer be downloaded. That they were made, by whom and when, stays.",
                "ru": "Файлы старых выгрузок больше нельзя скачать. Кто и когда их сделал, остаётся в журнале.",
            },
            (ExportFiles(),),
        )
    )
