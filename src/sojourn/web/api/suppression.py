"""`/suppression-lists`: contacts that nobody writes to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from sojourn.profiles.suppression import (
    MOST_AT_ONCE,
    Entry,
    SuppressionList,
    add_entries,
    change_list,
    create_list,
    delete_list,
    export_lines,
    get_list,
    list_entries,
    list_lists,
    remove_entries,
)
from sojourn.web.api.call import Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, Search, page_of, size

router = APIRouter(tags=["suppression"])


class SuppressionListShape(BaseModel):
    """A list; the global one holds for everybody, the others for the databases they are linked with."""

    id: int
    name: str
    description: str
    is_global: bool
    entries: int
    database_ids: list[int]
    created_at: datetime


class NewSuppressionList(BaseModel):
    """A list to make."""

    name: Annotated[str, Field(max_length=200)]
    description: Annotated[str, Field(max_length=2_000)] = ""


class ChangedSuppressionList(NewSuppressionList):
    """A list as it is to be."""

    database_ids: Annotated[list[int], Field(max_length=1_000)] = []


class SuppressedShape(BaseModel):
    """An entry; `value` is null where only the digest is known."""

    kind: str
    value: str | None
    digest: str
    reason: str
    added_at: datetime


class EntryPage(BaseModel):
    """Entries, newest first."""

    items: list[SuppressedShape]
    next: str | None


class EntriesOrder(BaseModel):
    """Values to add or to take out; without a kind each is what it looks like. MD5 digests are taken too."""

    values: Annotated[list[str], Field(max_length=MOST_AT_ONCE)]
    kind: Literal["email", "phone", "domain", "pattern"] | None = None


class RefusedValue(BaseModel):
    """A value that is none of the kind, and its position from 1."""

    position: int
    value: str


class AddedShape(BaseModel):
    """What became of values that were added."""

    total: int
    imported: int
    duplicated: int
    refused: list[RefusedValue]


class RemovedShape(BaseModel):
    """How many entries were removed."""

    removed: int


def _shape(found: SuppressionList) -> SuppressionListShape:
    return SuppressionListShape.model_validate(
        {
            **{name: getattr(found, name) for name in SuppressionListShape.model_fields},
            "database_ids": list(found.database_ids),
        }
    )


def _entry(found: Entry) -> SuppressedShape:
    return SuppressedShape.model_validate(found, from_attributes=True)


@router.get("/suppression-lists")
def list_suppression_lists(call: Reading, after: After = None, limit: Limit = 50) -> Page[SuppressionListShape]:
    """Lists by number."""
    with call.connection() as connection:
        found = list_lists(connection, after=after or 0, limit=size(limit) + 1)
    return page_of(found, limit, _shape, lambda one: one.id)


@router.post("/suppression-lists", status_code=201)
def create_suppression_list(given: NewSuppressionList, call: Changing) -> SuppressionListShape:
    """Make a list."""
    with call.connection() as connection, connection.transaction():
        made = create_list(connection, call.clock, given.name, given.description)
        call.note(connection, "create", "suppression_list", made.id)
    return _shape(made)


@router.get("/suppression-lists/{list_id}")
def get_suppression_list(list_id: int, call: Reading) -> SuppressionListShape:
    """One list."""
    with call.connection() as connection:
        return _shape(get_list(connection, list_id))


@router.put("/suppression-lists/{list_id}")
def change_suppression_list(list_id: int, given: ChangedSuppressionList, call: Changing) -> SuppressionListShape:
    """Rename a list and link it with databases."""
    with call.connection() as connection, connection.transaction():
        changed = change_list(
            connection, list_id, name=given.name, description=given.description, database_ids=given.database_ids
        )
        call.note(connection, "change", "suppression_list", list_id)
    return _shape(changed)


@router.delete("/suppression-lists/{list_id}", status_code=204)
def delete_suppression_list(list_id: int, call: Changing) -> None:
    """Remove a list with its entries."""
    with call.connection() as connection, connection.transaction():
        delete_list(connection, list_id)
        call.note(connection, "delete", "suppression_list", list_id)


@router.get("/suppression-lists/{list_id}/entries")
def list_suppressed(
    list_id: int, call: Reading, search: Search = "", after: Annotated[str | None, Query(max_length=100)] = None, limit: Limit = 50
) -> EntryPage:  # fmt: skip
    """Entries; `search` is a whole value or digest."""
    with call.connection() as connection:
        found, following = list_entries(connection, list_id, search=search, after=after, limit=size(limit))
    return EntryPage(items=[_entry(one) for one in found], next=following)


@router.post("/suppression-lists/{list_id}/entries")
def add_suppressed(list_id: int, given: EntriesOrder, call: Changing) -> AddedShape:
    """Add values."""
    with call.connection() as connection, connection.transaction():
        added = add_entries(connection, call.clock, list_id, given.values, kind=given.kind)
        call.note(connection, "add", "suppression_list", list_id, {"imported": added.imported})
    refused = [RefusedValue(position=position, value=value) for position, value in added.refused[:1_000]]
    return AddedShape(total=added.total, imported=added.imported, duplicated=added.duplicated, refused=refused)


@router.post("/suppression-lists/{list_id}/entries/remove")
def remove_suppressed(list_id: int, given: EntriesOrder, call: Changing) -> RemovedShape:
    """Take values out. Whoever bounced before stays bounced until subscribed again."""
    with call.connection() as connection, connection.transaction():
        removed = remove_entries(connection, list_id, given.values)
        call.note(connection, "remove", "suppression_list", list_id, {"removed": removed})
    return RemovedShape(removed=removed)


@router.get(
    "/suppression-lists/{list_id}/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}, "description": "Kind, MD5 and reason of each entry."}},
)
def export_suppression_list(list_id: int, call: Changing) -> StreamingResponse:
    """The list as a file of MD5 digests."""
    with call.connection() as connection:
        get_list(connection, list_id)
        call.note(connection, "export", "suppression_list", list_id)

    def pieces() -> object:
        with call.connection() as connection:
            yield from export_lines(connection, list_id)

    headers = {"content-disposition": f'attachment; filename="suppression-{list_id}.csv"', "cache-control": "no-store"}
    return StreamingResponse(pieces(), media_type="text/csv; charset=utf-8", headers=headers)  # type: ignore[arg-type]
