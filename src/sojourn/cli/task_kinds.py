"""All kinds of background tasks: what the process of a task must know."""

from __future__ import annotations

from sojourn.kernel import Settings
from sojourn.kernel.tasks import register


def register_all(settings: Settings) -> None:
    """Offer every kind."""
    from sojourn.bulk import EXPORT, UPDATE, export_task, update_task
    from sojourn.profiles.tasks import IMPORT, import_task

    register(EXPORT, export_task(settings))
    register(UPDATE, update_task())
    register(IMPORT, import_task(settings))
