"""`/databases`: profile databases and their fields."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse

from sojourn.bulk import UPDATE, UpdateArguments
from sojourn.bulk.update import prepared as prepared_update
from sojourn.kernel.errors import Conflict, SojournError
from sojourn.kernel.tasks import create_task, get_task, open_task
from sojourn.profiles import Database, add_field, create_database, database, list_databases
from sojourn.profiles import Field as ProfileField
from sojourn.profiles.conversion import CONVERT, Conversion
from sojourn.profiles.database_changes import change_database, delete_database
from sojourn.profiles.database_statistics import COUNT, DatabaseStatistics, approximate_size, statistics
from sojourn.profiles.field_changes import change_field, delete_field, stop_matching, uses_of_field
from sojourn.profiles.fields import use_for_matching
from sojourn.profiles.own_data import sample
from sojourn.scenarios import Catalogue
from sojourn.scenarios.database_uses import active_scenarios_of
from sojourn.web.api.call import Call, Changing, Reading, Ruling
from sojourn.web.api.pages import After, Limit, Page, page_of, size
from sojourn.web.api.tasks import TaskShape, task_shape
from sojourn.web.installation import Connection
from sojourn.web.public.manager_page import manager_page

router = APIRouter(tags=["profiles"])


class FieldShape(BaseModel):
    """A field of profiles; `matching`: profiles can be found by it; `hidden`: it is not shown on lists and cards."""

    name: str
    title: str
    description: str
    type: str
    options: list[str] | None
    required: bool
    matching: bool
    hidden: bool
    custom: bool


class DatabaseShape(BaseModel):
    """A profile database; `about` is how many profiles it has, roughly once they are many."""

    id: int
    name: str
    description: str
    manager_title: str
    manager_language: str
    manager_fields: list[str]
    created_at: datetime | None
    about: int
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


class ChangedDatabase(BaseModel):
    """The texts of a database, and the fields that recipients may see and change on their page."""

    name: Annotated[str, Field(max_length=200)]
    description: Annotated[str, Field(max_length=10_000)] = ""
    manager_title: Annotated[str, Field(max_length=200)] = ""
    manager_language: str = "en"
    manager_fields: Annotated[list[str], Field(max_length=100)] | None = None


class ChangedField(BaseModel):
    """What is to change of a field; what is missing stays. `name` is its new name."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    title: Annotated[str, Field(max_length=200)] | None = None
    description: Annotated[str, Field(max_length=2_000)] | None = None
    options: Annotated[list[str], Field(max_length=1_000)] | None = None
    required: bool | None = None
    matching: bool | None = None
    hidden: bool | None = None


class FieldUseShape(BaseModel):
    """Something that refers to a field: a scenario, a segment, a template."""

    kind: str
    id: int
    name: str


class NewType(BaseModel):
    """The type that a field is to get."""

    model_config = ConfigDict(extra="forbid")

    type: str
    options: Annotated[list[str], Field(max_length=1_000)] | None = None


class NewTypeOrder(NewType):
    """With what happens to values that do not convert: `refuse` the whole, or `clear` them."""

    misfits: Literal["refuse", "clear"] = "refuse"


class MisfitShape(BaseModel):
    """A value that does not convert, and why."""

    value: str
    reason: str


class ConversionPreviewShape(BaseModel):
    """How many values convert; not `exact`: projected from a share of the profiles."""

    fits: int
    misfits: int
    exact: bool
    examples: list[MisfitShape]


class DatabaseFigures(BaseModel):
    """Figures over a database: what is known (null: not counted yet), and the task that counts them anew."""

    known: DatabaseStatistics | None
    counting: TaskShape | None


class NameTyped(BaseModel):
    """The name of the database, typed by the user who wants everybody in it gone."""

    name: str


def _field(field: ProfileField) -> FieldShape:
    return FieldShape(
        name=field.name, title=field.title, description=field.description, type=field.type, options=list(field.options) or None,
        required=field.required, matching=field.matching, hidden=field.hidden, custom=not field.builtin,
    )  # fmt: skip


def _shape(connection: Connection, found: Database) -> DatabaseShape:
    return DatabaseShape(
        id=found.id, name=found.name, description=found.description, manager_title=found.manager_title, manager_language=found.manager_language,
        manager_fields=list(found.manager_fields), created_at=found.created_at, about=approximate_size(connection, found),
        fields=[_field(field) for field in found.fields.values()],
    )  # fmt: skip


@router.get("/databases", name="list_databases")
def list_all(call: Reading, after: After = None, limit: Limit = 100) -> Page[DatabaseShape]:
    """Databases with their fields."""
    with call.connection() as connection:
        return page_of(
            list_databases(connection, after=after or 0, limit=size(limit) + 1), limit,
            lambda found: _shape(connection, found), lambda found: found.id,
        )  # fmt: skip


@router.get("/databases/{database_id}", name="get_database")
def get_one(database_id: int, call: Reading) -> DatabaseShape:
    """A database with its fields."""
    with call.connection() as connection:
        return _shape(connection, database(connection, database_id))


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
        return _shape(connection, made)


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


@router.get("/databases/{database_id}/manager-page", name="manager_page", response_class=HTMLResponse)
def look_at_manager_page(database_id: int, call: Reading, lang: Literal["en", "ru"] = "en") -> HTMLResponse:
    """The page where recipients manage what they get, with invented data."""
    with call.connection() as connection:
        return manager_page(sample(connection, call.clock, database_id), lang, UTC, preview=True)


@router.put("/databases/{database_id}", name="change_database")
def change(database_id: int, given: ChangedDatabase, call: Changing) -> DatabaseShape:
    """Change the texts of a database."""
    with call.connection() as connection, connection.transaction():
        changed = change_database(connection, database_id, **given.model_dump())
        call.note(connection, "change", "database", database_id, {"name": changed.name})
        return _shape(connection, changed)


@router.delete("/databases/{database_id}", status_code=204, name="delete_database")
def delete(database_id: int, call: Ruling) -> Response:
    """Remove a database without profiles that nothing refers to."""
    with call.connection() as connection, connection.transaction():
        name = database(connection, database_id).name
        delete_database(connection, database_id)
        call.note(connection, "delete", "database", database_id, {"name": name})
    return Response(status_code=204)


@router.post("/databases/{database_id}/wipe", status_code=202, name="wipe_database")
def wipe(database_id: int, given: NameTyped, call: Ruling) -> TaskShape:
    """Delete everybody in a database, in the background; whose name has to be given. Not while an active scenario works on it."""
    with call.connection() as connection, connection.transaction():
        known = database(connection, database_id)
        if given.name.strip() != known.name:
            raise SojournError("wrong_name", "This is not the name of the database.", "name")
        active = active_scenarios_of(connection, database_id)
        if active:
            shown = ", ".join(f"“{name}”" for name in active[:5])
            raise Conflict("database_in_use", f"Stop the scenarios of this database first: {shown}.", "database")
        order = UpdateArguments.model_validate(
            {"audience": {"database_id": database_id}, "changes": {"delete": True, "skip_triggers": True}, "user_id": call.caller.user_id}
        )  # fmt: skip
        ready = prepared_update(connection, order, Catalogue(connection))
        call.note(connection, "wipe", "database", database_id, {"name": known.name})
        return _begin(call, connection, UPDATE, known.name, ready.model_dump(mode="json"))


@router.get("/databases/{database_id}/statistics", name="database_statistics")
def figures(database_id: int, call: Reading) -> DatabaseFigures:
    """Figures over a database; those of a small one are counted at once."""
    with call.connection() as connection:
        running = open_task(connection, COUNT, {"database_id": database_id})
        return DatabaseFigures(
            known=statistics(connection, call.clock, database_id), counting=running and task_shape(running)
        )


@router.post("/databases/{database_id}/statistics", status_code=202, name="count_database")
def count(database_id: int, call: Reading) -> TaskShape:
    """Count a database anew, in the background."""
    with call.connection() as connection, connection.transaction():
        known = database(connection, database_id)
        running = open_task(connection, COUNT, {"database_id": database_id})
        return (
            task_shape(running)
            if running
            else _begin(call, connection, COUNT, known.name, {"database_id": database_id})
        )


@router.patch("/databases/{database_id}/fields/{name}", name="change_field")
def change_one(database_id: int, name: str, given: ChangedField, call: Changing) -> FieldShape:
    """Change a custom field; something that refers to it by its name keeps it from being renamed."""
    with call.connection() as connection:
        changed = change_field(
            connection, database_id, name, new_name=given.name, **given.model_dump(exclude={"name", "matching"})
        )
        if given.matching is not None and given.matching != changed.matching:
            if given.matching:
                use_for_matching(connection, call.clock, database_id, changed.name)
            else:
                stop_matching(connection, database_id, changed.name)
        call.note(
            connection, "change_field", "database", database_id, {"name": name, **given.model_dump(exclude_none=True)}
        )
        return _field(database(connection, database_id).field(changed.name))


@router.get("/databases/{database_id}/fields/{name}/uses", name="field_uses")
def uses(database_id: int, name: str, call: Reading) -> list[FieldUseShape]:
    """What refers to a field by its name."""
    with call.connection() as connection:
        database(connection, database_id).field(name)
        return [
            FieldUseShape(kind=use.kind, id=use.id, name=use.name)
            for use in uses_of_field(connection, database_id, name)
        ]


@router.delete("/databases/{database_id}/fields/{name}", status_code=204, name="delete_field")
def delete_one(database_id: int, name: str, call: Changing) -> Response:
    """Remove a custom field with its values, unless something refers to it."""
    with call.connection() as connection:
        delete_field(connection, database_id, name)
        call.note(connection, "delete_field", "database", database_id, {"name": name})
    return Response(status_code=204)


@router.post("/databases/{database_id}/fields/{name}/conversion/preview", name="preview_conversion")
def preview(database_id: int, name: str, given: NewType, call: Changing) -> ConversionPreviewShape:
    """What would convert if a field got another type."""
    with call.connection() as connection:
        told = Conversion(connection, database_id, name, given.type, given.options).preview()
    examples = [MisfitShape(value=example.value, reason=example.reason) for example in told.examples]
    return ConversionPreviewShape(fits=told.fits, misfits=told.misfits, exact=told.exact, examples=examples)


@router.post("/databases/{database_id}/fields/{name}/conversion", status_code=202, name="convert_field")
def convert(database_id: int, name: str, given: NewTypeOrder, call: Changing) -> TaskShape:
    """Give a field another type, in the background."""
    with call.connection() as connection, connection.transaction():
        Conversion(connection, database_id, name, given.type, given.options)
        if open_task(connection, CONVERT, {"database": database_id, "field": name}):
            raise Conflict("task_running", "This field is being converted already.", "name")
        call.note(connection, "convert_field", "database", database_id, {"name": name, "type": given.type})
        return _begin(call, connection, CONVERT, name, {"database": database_id, "field": name, **given.model_dump()})


def _begin(call: Call, connection: Connection, kind: str, title: str, arguments: dict[str, Any]) -> TaskShape:
    return task_shape(get_task(connection, create_task(connection, call.clock, kind, title, arguments)))
