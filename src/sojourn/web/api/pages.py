"""Lists come in pages: `next` of one is `after` (or `before`) of the one that follows, and null on the last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

T = TypeVar("T")
S = TypeVar("S")
LARGEST = 200


class Page(BaseModel, Generic[T]):
    """A page of a list."""

    items: list[T]
    next: int | str | None = None


Limit = Annotated[int, Query(ge=1, description=f"Most items of the page; more than {LARGEST} count as {LARGEST}.")]
After = Annotated[int | None, Query(ge=0, le=2**63 - 1, description="`next` of the page before.")]
Search = Annotated[str, Query(max_length=300)]


def size(limit: int) -> int:
    """How many items a page gets."""
    return min(limit, LARGEST)


def page_of(found: Sequence[S], limit: int, shape: Callable[[S], T], key: Callable[[S], int | str]) -> Page[T]:
    """A page out of what was found with `size(limit) + 1`: the one too many tells that there is more."""
    shown = found[: size(limit)]
    return Page(items=[shape(item) for item in shown], next=key(shown[-1]) if len(found) > len(shown) else None)
