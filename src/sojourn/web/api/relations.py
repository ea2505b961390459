"""`/relation-types` and `/profiles/{id}/relations`: who is related to whom, and how much."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from sojourn.kernel import public_id
from sojourn.kernel.errors import NotFound, SojournError
from sojourn.profiles.relations import (
    Property,
    Relation,
    RelationType,
    change_type,
    create_type,
    delete_type,
    list_relations,
    list_types,
    modify,
    relate,
    relation_type,
    unrelate,
)
from sojourn.web.api.call import Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, page_of, size
from sojourn.web.api.profiles import known_profile
from sojourn.web.installation import Connection

router = APIRouter(tags=["profiles"])
_MARK = re.compile(r"(\d{1,9})\.([01])\.(\d{1,18})")


class WeightsShape(BaseModel):
    """What a relation carries now."""

    weights: dict[str, Any]


class PropertyShape(BaseModel):
    """What a relation of a type carries."""

    name: Annotated[str, Field(max_length=100)]
    title: Annotated[str, Field(max_length=500)]
    type: Literal["number", "boolean"]


class RelationTypeShape(BaseModel):
    """A kind of relation from profiles of one database to profiles of another, or of the same."""

    id: int
    name: str
    database_a: int
    database_b: int
    properties: list[PropertyShape]
    created_at: datetime


class NewRelationType(BaseModel):
    """A kind of relation to make."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=500)]
    database_a: int
    database_b: int
    properties: Annotated[list[PropertyShape], Field(max_length=1_000)] = []


class ChangedRelationType(BaseModel):
    """New name and properties of a kind of relation."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=500)]
    properties: Annotated[list[PropertyShape], Field(max_length=1_000)]


class RelationShape(BaseModel):
    """A relation of a profile: `from` it to `other`, or from `other` `to` it."""

    type_id: int
    type_name: str
    direction: Literal["from", "to"]
    other: str
    other_name: str
    database: int
    weights: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class RelationPage(BaseModel):
    """A page of relations; `next` is given as `after` for the following one."""

    items: list[RelationShape]
    next: str | None


class RelationOrder(BaseModel):
    """A relation of this profile with another; `add`: numbers are added to what is there."""

    model_config = ConfigDict(extra="forbid")

    type: int | str
    other: Annotated[str, Field(max_length=24)]
    direction: Literal["from", "to"] = "from"
    weights: Annotated[dict[str, Any], Field(max_length=100)] = {}
    add: bool = False


class EndedRelation(BaseModel):
    """A relation to end."""

    model_config = ConfigDict(extra="forbid")

    type: int | str
    other: Annotated[str, Field(max_length=24)]
    direction: Literal["from", "to"] = "from"


def _shape(found: RelationType) -> RelationTypeShape:
    return RelationTypeShape(
        id=found.id, name=found.name, database_a=found.database_a, database_b=found.database_b, created_at=found.created_at,
        properties=[PropertyShape(name=one.name, title=one.title, type=one.type) for one in found.properties],
    )  # fmt: skip


def _properties(given: list[PropertyShape]) -> list[Property]:
    return [Property(one.name, one.title, one.type) for one in given]


@router.get("/relation-types", name="list_relation_types")
def list_all(call: Reading, after: After = None, limit: Limit = 100) -> Page[RelationTypeShape]:
    """Kinds of relations."""
    with call.connection() as connection:
        found = list_types(connection, after=after or 0, limit=size(limit) + 1)
    return page_of(found, limit, _shape, lambda one: one.id)


@router.post("/relation-types", status_code=201, name="create_relation_type")
def create(given: NewRelationType, call: Changing) -> RelationTypeShape:
    """Make a kind of relation."""
    with call.connection() as connection, connection.transaction():
        made = create_type(
            connection, call.clock, given.name, given.database_a, given.database_b, _properties(given.properties)
        )
        call.note(connection, "create", "relation_type", made.id, {"name": made.name})
    return _shape(made)


@router.put("/relation-types/{type_id}", name="change_relation_type")
def change(type_id: int, given: ChangedRelationType, call: Changing) -> RelationTypeShape:
    """Rename a kind of relation, or give it other properties."""
    with call.connection() as connection, connection.transaction():
        changed = change_type(connection, type_id, given.name, _properties(given.properties))
        call.note(connection, "change", "relation_type", type_id, given.model_dump())
    return _shape(changed)


@router.delete("/relation-types/{type_id}", status_code=204, name="delete_relation_type")
def delete(type_id: int, call: Changing) -> Response:
    """Delete a kind of relation that no pair has."""
    with call.connection() as connection, connection.transaction():
        delete_type(connection, type_id)
        call.note(connection, "delete", "relation_type", type_id)
    return Response(status_code=204)


@router.get("/profiles/{profile_id}/relations", name="list_relations")
def list_of_profile(
    profile_id: str, call: Reading, type_id: int | None = None, after: Annotated[str | None, Query(max_length=40)] = None, limit: Limit = 50
) -> RelationPage:  # fmt: skip
    """The relations of a profile, at either end."""
    mark = _MARK.fullmatch(after) if after else None
    if after and not mark:
        raise SojournError("bad_page", "This is not the mark of a page.", "after")
    start = (int(mark[1]), int(mark[2]), int(mark[3])) if mark else (0, 0, 0)
    with call.connection() as connection:
        number = known_profile(connection, profile_id)
        found = list_relations(connection, number, type_id=type_id, after=start, limit=size(limit) + 1)
    shown = found[: size(limit)]
    last = shown[-1] if len(found) > len(shown) else None
    return RelationPage(
        items=[_relation(one) for one in shown],
        next=f"{last.type_id}.{int(last.direction == 'to')}.{last.other}" if last else None,
    )


def _relation(one: Relation) -> RelationShape:
    return RelationShape(
        type_id=one.type_id, type_name=one.type_name, direction=one.direction, other=public_id(one.other), other_name=one.name, database=one.database,
        weights=one.weights, created_at=one.created_at, updated_at=one.updated_at,
    )  # fmt: skip


@router.put("/profiles/{profile_id}/relations", name="set_relation")
def put(profile_id: str, given: RelationOrder, call: Changing) -> WeightsShape:
    """Join this profile with another, or change the relation they have; answers with the weights that hold."""
    with call.connection() as connection, connection.transaction():
        ends = _ends(connection, profile_id, given.other, given.direction)
        kind = relation_type(connection, given.type)
        held = (modify if given.add else relate)(connection, call.clock, kind, *ends, given.weights)
        call.note(connection, "relate", "profile", profile_id, given.model_dump())
    return WeightsShape(weights=held)


@router.post("/profiles/{profile_id}/relations/end", status_code=204, name="end_relation")
def end(profile_id: str, given: EndedRelation, call: Changing) -> Response:
    """End a relation."""
    with call.connection() as connection, connection.transaction():
        ends = _ends(connection, profile_id, given.other, given.direction)
        if not unrelate(connection, relation_type(connection, given.type), *ends):
            raise NotFound("unknown_relation", "The profiles are not joined by this relation.", "other")
        call.note(connection, "unrelate", "profile", profile_id, given.model_dump())
    return Response(status_code=204)


def _ends(connection: Connection, profile_id: str, other: str, direction: str) -> tuple[int, int]:
    one, two = known_profile(connection, profile_id), known_profile(connection, other)
    return (one, two) if direction == "from" else (two, one)
