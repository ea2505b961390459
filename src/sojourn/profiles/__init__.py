"""Profiles: databases with typed fields, matching, imports of every kind, subscriptions and resources."""

from sojourn.profiles.databases import Database, create_database, database, database_of, list_databases
from sojourn.profiles.fields import Field, add_field, use_for_matching
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
)  # fmt: skip

__all__ = [
    "Database", "Field", "Resource", "Subscription", "add_field", "confirm", "create_database", "create_resource", "database", "database_of",
    "list_databases", "list_resources", "of_profile", "resource", "resume_suspended", "set_global_status", "set_status", "subscription",
    "unsubscribe", "use_for_matching",
]  # fmt: skip
