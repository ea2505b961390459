"""Categories of a resource: named parts of what it sends, which a recipient can leave one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from sojourn.kernel.errors import Conflict, NotFound, SojournError
from sojourn.profiles.resources import resource

MOST_CATEGORIES = 100
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
_COLUMNS = "id, resource_id, number, name, title, description, hidden"


@dataclass(frozen=True, slots=True)
class Category:
    """A part of what a resource sends. `name` stands in subscriptions and APIs; recipients read `title`, unless it is `hidden` from them."""

    id: int
    resource_id: int
    number: int
    name: str
    title: str
    description: str
    hidden: bool


def categories_of(connection: psycopg.Connection[Any], resource_id: int) -> list[Category]:
    """The categories of a resource in the order in which recipients see them; 100 at most."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM resource_category WHERE resource_id = %s ORDER BY position, id", (resource_id,)
    )
    return [Category(*row) for row in rows]


def category_named(connection: psycopg.Connection[Any], resource_id: int, name: str) -> Category:
    """One category by its name.

    Raises:
        NotFound: `unknown_category`.
    """
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM resource_category WHERE resource_id = %s AND name = %s", (resource_id, name)
    ).fetchone()
    if row is None:
        raise NotFound("unknown_category", f"The resource has no category “{name}”.", "category")
    return Category(*row)


@dataclass(frozen=True, slots=True)
class CategoryDraft:
    """A category as it is to be; `id` of one that exists."""

    name: str
    title: str
    description: str = ""
    hidden: bool = False
    id: int | None = None


def set_categories(
    connection: psycopg.Connection[Any], resource_id: int, wanted: Sequence[CategoryDraft]
) -> list[Category]:
    """Make the categories of a resource those wanted, in that order: those not named are removed, others renamed in place.

    A removed category stays in the subscriptions that name it and means nothing there any more; a renamed one is renamed there too, so
    nobody who left it gets it again.

    Raises:
        SojournError: `bad_name`, `bad_title`, `too_many_categories`. NotFound: `unknown_resource`, `unknown_category`. Conflict: `category_exists`.
    """
    resource(connection, resource_id)
    _check(wanted)
    with connection.transaction():
        connection.execute("SELECT FROM resource WHERE id = %s FOR UPDATE", (resource_id,))
        known = {one.id: one for one in categories_of(connection, resource_id)}
        kept = {one.id for one in wanted if one.id is not None}
        if not kept <= known.keys():
            raise NotFound("unknown_category", "One of the categories does not exist any more.", "categories")
        connection.execute(
            "DELETE FROM resource_category WHERE resource_id = %s AND NOT id = ANY(%s)", (resource_id, list(kept))
        )
        # Out of the way first: names may be exchanged.
        connection.execute("UPDATE resource_category SET name = '!' || id WHERE resource_id = %s", (resource_id,))
        number = max((one.number for one in known.values()), default=0)
        renamed = {}
        for position, one in enumerate(wanted):
            if one.id is None:
                number += 1
                connection.execute(
                    "INSERT INTO resource_category (resource_id, number, position, hidden, name, title, description) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                    (resource_id, number, position, one.hidden, one.name, one.title, one.description),
                )
                continue
            connection.execute(
                "UPDATE resource_category SET position = %s, hidden = %s, name = %s, title = %s, description = %s WHERE id = %s",
                (position, one.hidden, one.name, one.title, one.description, one.id),
            )
            if known[one.id].name != one.name:
                renamed[known[one.id].name] = one.name
        if renamed:
            _rename(connection, resource_id, renamed)
        return categories_of(connection, resource_id)


def _check(wanted: Sequence[CategoryDraft]) -> None:
    if len(wanted) > MOST_CATEGORIES:
        raise SojournError("too_many_categories", f"A resource has {MOST_CATEGORIES} categories at most.", "categories")
    names: set[str] = set()
    for place, one in enumerate(wanted):
        if not _NAME.fullmatch(one.name):
            raise SojournError(
                "bad_name", "A name has up to 63 Latin letters, digits, dots and dashes.", f"categories.{place}.name"
            )
        if (
            not 1 <= len(one.title.strip()) <= 200
            or "\x00" in one.title + one.description
            or len(one.description) > 1_000
        ):
            raise SojournError("bad_title", "A title of 1 to 200 characters is needed.", f"categories.{place}.title")
        if one.name in names:
            raise Conflict("category_exists", f"Two categories have the name “{one.name}”.", f"categories.{place}.name")
        names.add(one.name)


def _rename(connection: psycopg.Connection[Any], resource_id: int, renamed: dict[str, str]) -> None:
    connection.execute(
        """UPDATE subscription s SET cats = ARRAY(SELECT coalesce(r.new, c) FROM unnest(s.cats) WITH ORDINALITY x(c, n)
             LEFT JOIN unnest(%s::text[], %s::text[]) r(old, new) ON r.old = c ORDER BY n)
           WHERE s.resource_id = %s AND s.cats && %s::text[]""",
        (list(renamed), list(renamed.values()), resource_id, list(renamed)),
    )
