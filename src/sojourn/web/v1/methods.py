"""All methods of the integration API, by path."""

from __future__ import annotations

from sojourn.web.v1 import lists, profiles, workflows
from sojourn.web.v1.method import Method

SINGLE_IMPORT = "profiles/import"
_write_many = Method(profiles.write_batch("create_update"), "editor", changes=True, starts=True)

METHODS: dict[str, Method] = {
    SINGLE_IMPORT: Method(profiles.write_one("create_update"), "editor", changes=True, starts=True),
    "profiles/import_batch": _write_many,
    "profiles/importmulti": _write_many,
    "profiles/add": Method(profiles.write_one("create"), "editor", changes=True, starts=True),
    "profiles/add_batch": Method(profiles.write_batch("create"), "editor", changes=True, starts=True),
    "profiles/update": Method(profiles.write_one("update"), "editor", changes=True, starts=True),
    "profiles/update_batch": Method(profiles.write_batch("update"), "editor", changes=True, starts=True),
    "profiles/get": Method(profiles.get),
    "workflows/start": Method(workflows.start, "editor", changes=True, starts=True),
    "workflows/import_and_start": Method(workflows.import_and_start, "editor", changes=True, starts=True),
    "workflows/list": Method(workflows.list_all),
    "workflows/activate": Method(workflows.activate_one, "editor", changes=True, starts=True),
    "workflows/deactivate": Method(workflows.deactivate_one, "editor", changes=True, starts=True),
    "databases/list": Method(lists.list_all_databases),
    "resources/list": Method(lists.list_all_resources),
}
