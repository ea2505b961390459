"""What is done to many profiles at once, in the background: bulk updates and exports."""

from sojourn.bulk.audience import Audience
from sojourn.bulk.export import EXPORT, ExportArguments, export_task
from sojourn.bulk.update import UPDATE, Changes, UpdateArguments, update_task

__all__ = [
    "EXPORT",
    "UPDATE",
    "Audience",
    "Changes",
    "ExportArguments",
    "UpdateArguments",
    "export_task",
    "update_task",
]
