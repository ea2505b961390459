"""All methods of the integration API, by path."""

from __future__ import annotations

from sojourn.web.v1 import exports, history, lists, merging, profiles, relations, subscriptions, suppresses, workflows
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
    "profiles/quick_import": Method(profiles.quick_import, "editor", changes=True, starts=True),
    "profiles/get": Method(profiles.get),
    "profiles/list": Method(profiles.list_page),
    "profiles/delete": Method(profiles.delete, "editor", changes=True),
    "profiles/merge": Method(merging.merge_many, "editor", changes=True),
    "profiles/split": Method(merging.split_many, "editor", changes=True),
    "relations/edit": Method(relations.edit, "editor", changes=True),
    "relations/add": Method(relations.edit, "editor", changes=True),
    "relations/modify": Method(relations.add_to, "editor", changes=True),
    "relations/delete": Method(relations.delete, "editor", changes=True),
    "relations/get": Method(relations.get),
    "profiles/get_all": Method(exports.get_all, "editor", changes=True),
    "tasks/status": Method(exports.task_status),
    "suppresses/add": Method(suppresses.add, "editor", changes=True),
    "suppresses/emails_add": Method(suppresses.add_values("emails", "email"), "editor", changes=True),
    "suppresses/phones_add": Method(suppresses.add_values("phones", "phone"), "editor", changes=True),
    "suppresses/domains_add": Method(suppresses.add_values("domains", "domain"), "editor", changes=True),
    "suppresses/export": Method(suppresses.export, "editor", changes=True),
    "subscriptions/set": Method(subscriptions.set_one, "editor", changes=True, starts=True),
    "subscriptions/list": Method(subscriptions.list_of_profile),
    "subscriptions/get": Method(subscriptions.get_one),
    "subscriptions/delete": Method(subscriptions.delete_one, "editor", changes=True),
    "subscriptions/restore": Method(subscriptions.restore_one, "editor", changes=True),
    "subscriptions/suspend_all": Method(subscriptions.suspend_everybody, "editor", changes=True),
    "subscriptions/unsuspend_all": Method(subscriptions.unsuspend_everybody, "editor", changes=True),
    "subscribers/history_get": Method(history.history_get),
    "subscribers/history_get_all": Method(history.history_get_all),
    "workflows/start": Method(workflows.start, "editor", changes=True, starts=True),
    "workflows/import_and_start": Method(workflows.import_and_start, "editor", changes=True, starts=True),
    "workflows/import_and_start_batch": Method(workflows.import_and_start_batch, "editor", changes=True, starts=True),
    "workflows/import_and_start_batch_task": Method(workflows.import_and_start_batch_task, "editor", changes=True),
    "workflows/list": Method(workflows.list_all),
    "workflows/activate": Method(workflows.activate_one, "editor", changes=True, starts=True),
    "workflows/deactivate": Method(workflows.deactivate_one, "editor", changes=True, starts=True),
    "databases/list": Method(lists.list_all_databases),
    "databases/get": Method(lists.get_database),
    "databases/fields_get": Method(lists.get_database_fields),
    "resources/list": Method(lists.list_all_resources),
    "resources/get": Method(lists.get_resource),
    "resources/fields_get": Method(lists.get_resource_fields),
}
