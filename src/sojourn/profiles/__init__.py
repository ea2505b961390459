"""Profiles: databases with typed fields, matching, imports of every kind, subscriptions and resources."""

from sojourn.profiles.csv_import import import_csv
from sojourn.profiles.databases import Database, create_database, database, database_of, list_databases
from sojourn.profiles.fields import Field, add_field, use_for_matching
from sojourn.profiles.import_options import FileOptions, Report, SubscribeAll
from sojourn.profiles.importing import Options, Outcome, Record, SubscriptionInput, import_records, subscribe
from sojourn.profiles.profile import delete_profile, get_profile, list_profiles
from sojourn.profiles.resources import Resource, create_resource, list_resources, resource
from sojourn.profiles.subscriptions import (
    Subscription,
    confirm,
    of_profile,
    resume_suspended,
    set_global_status,
    set_status,
    subscription,
    unsubscribe,
)

__all__ = [
    "Database", "Field", "FileOptions", "Options", "Outcome", "Record", "Report", "Resource", "SubscribeAll", "Subscription", "SubscriptionInput",
    "add_field", "confirm", "create_database", "create_resource", "database", "database_of", "delete_profile", "get_profile", "import_csv",
    "import_records", "list_databases", "list_profiles", "list_resources", "of_profile", "resource", "resume_suspended", "set_global_status",
    "set_status", "subscribe", "subscription", "unsubscribe", "use_for_matching",
]  # fmt: skip
