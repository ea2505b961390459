"""`/databases`: profile databases and their fields."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from sojourn.profiles import Database, add_field, create_database, database, list_databases
from sojourn.profiles import Field as ProfileField
from sojourn.web.api.call import Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, page_of, size

router = APIRouter(tags=["profiles"])


class FieldShape(BaseModel):
    """A field of profiles; `matching`: profiles can be found by it."""

    name: str
    title: str
    type: str
    options: list[str] | None
    required: bool
    matching: bool
    custom: bool


class DatabaseShape(BaseModel):
    """A profile database."""

    id: int
    name: str
    description: str
    manager_title: str
    manager_language: str
    created_at: datetime | None
    fields: list[FieldShape]


class NewDatabase(BaseModel):
    """A database to make; `manager_title` is what recipients read on pages about their subscriptions."""

    name: Annotated[str, Field(max_length=200)]
    description: Annotated[str, Field(max_length=10_000)] = ""
    manager_title: Annotated[str, Field(max_length=200)] = ""
    manager_language: str = "en"


class NewField(BaseModel):
    """A custom field to add; `options` belong to the type `enum`."""

    name: str
    title: str
    type: str
    options: Annotated[list[str], Field(max_length=1_000)] | None = None
    required: bool = False
    matching: bool = False


def _field(field: ProfileField) -> FieldShape:
    return FieldShape(
        name=field.name, title=field.title, type=field.type, options=list(field.options) or None, required=field.required,
        matching=field.matching, custom=not field.builtin,
    )  # fmt: skip


def _shape(found: Database) -> DatabaseShape:
    return DatabaseShape(
        id=found.id, name=found.name, description=found.description, manager_title=found.manager_title, manager_language=found.manager_language,
        created_at=found.created_at, fields=[_field(field) for field in found.fields.values()],
    )  # fmt: skip


@router.get("/databases", name="list_databases")
def list_all(call: Reading, after: After = None, limit: Limit = 100) -> Page[DatabaseShape]:
    """Databases with their fields."""
    with call.connection() as connection:
        return page_of(
            list_databases(connection, after=after or 0, limit=size(limit) + 1), limit, _shape, lambda found: found.id
        )


@router.get("/databases/{database_id}", name="get_database")
def get_one(database_id: int, call: Reading) -> DatabaseShape:
    """A database with its fields."""
    with call.connection() as connection:
        return _shape(database(connection, database_id))


@router.post("/databases", status_code=201, name="create_database")
def create(given: NewDatabase, call: Changing) -> DatabaseShape:
    """Make a database."""
    with call.connection() as connection, connection.transaction():
        made = create_database(
            connection,
            call.clock,
            given.name,
            description=given.description,
            manager_title=given.manager_title,
            manager_language=given.manager_language,
        )
        call.note(connection, "create", "database", made.id, {"name": made.name})
    return _shape(made)


@router.post("/databases/{database_id}/fields", status_code=201, name="add_field")
def add(database_id: int, given: NewField, call: Changing) -> FieldShape:
    """Add a custom field."""
    with call.connection() as connection:
        made = add_field(
            connection, call.clock, database_id, given.name, given.title, given.type, options=given.options, required=given.required,
            matching=given.matching,
        )  # fmt: skip
        call.note(connection, "add_field", "database", database_id, {"name": made.name, "type": made.type})
    return _field(made)
