"""All kinds of background tasks: what the process of a task must know."""

from __future__ import annotations

from sojourn.kernel import Settings
from sojourn.kernel.tasks import register


def register_all(settings: Settings) -> None:
    """Offer every kind."""
    from sojourn.bulk import EXPORT, UPDATE, export_task, update_task
    from sojourn.profiles.conversion import CONVERT, convert_task
    from sojourn.profiles.database_statistics import COUNT, count_task
    from sojourn.profiles.import_runs import RUN, plan_task
    from sojourn.profiles.suspending import SUSPEND, suspend_task
    from sojourn.profiles.tasks import IMPORT, TEST_RUN, import_task
    from sojourn.segments.external_tables import FETCH, fetch_task
    from sojourn.segments.tasks import CALCULATE, FILL, calculate_task, fill_task
    from sojourn.web.v1.start_many import start_many_task
    from sojourn.web.v1.suppression_export import SUPPRESSION_EXPORT, suppression_export_task
    from sojourn.web.v1.workflows import START_MANY

    register(CONVERT, convert_task())
    register(COUNT, count_task())
    register(RUN, plan_task(settings))
    register(FETCH, fetch_task(settings))
    register(SUSPEND, suspend_task())
    register(CALCULATE, calculate_task())
    register(FILL, fill_task())
    register(SUPPRESSION_EXPORT, suppression_export_task(settings))
    register(START_MANY, start_many_task())
    register(EXPORT, export_task(settings))
    register(UPDATE, update_task())
    register(IMPORT, import_task(settings))
    register(TEST_RUN, import_task(settings))
