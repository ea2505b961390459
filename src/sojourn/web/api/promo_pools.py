"""`/promo-pools`: promo codes."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from sojourn.loyalty import PromoPool, create_pool, find_pool, list_pools, load_codes
from sojourn.web.api.call import Changing, Reading
from sojourn.web.api.pages import After, Limit, Page, page_of, size

router = APIRouter(tags=["loyalty"])
MOST_CODES = 200_000


class PoolShape(BaseModel):
    """A pool; `left` codes nobody has yet, `lifetime_seconds` counts from the moment a code is given."""

    id: int
    name: str
    short_name: str
    lifetime_seconds: float | None
    codes: int
    assigned: int
    left: int


class NewPool(BaseModel):
    """A pool to make."""

    name: Annotated[str, Field(max_length=200)]
    short_name: Annotated[str, Field(max_length=64)]
    lifetime_seconds: Annotated[int, Field(ge=1, le=10 * 366 * 86_400)] | None = None


class NewCodes(BaseModel):
    """Codes to load, all or none."""

    codes: Annotated[list[str], Field(min_length=1, max_length=MOST_CODES)]


class LoadedCodes(BaseModel):
    """How many codes are new; the others were there already or came twice."""

    added: int
    known: int
    pool: PoolShape


def _shape(pool: PromoPool) -> PoolShape:
    return PoolShape(
        id=pool.id, name=pool.name, short_name=pool.short_name, lifetime_seconds=pool.lifetime.total_seconds() if pool.lifetime else None,
        codes=pool.codes, assigned=pool.assigned, left=pool.left,
    )  # fmt: skip


@router.get("/promo-pools")
def list_promo_pools(call: Reading, after: After = None, limit: Limit = 100) -> Page[PoolShape]:
    """Pools with their figures."""
    with call.connection() as connection:
        return page_of(
            list_pools(connection, after=after or 0, limit=size(limit) + 1), limit, _shape, lambda pool: pool.id
        )


@router.post("/promo-pools", status_code=201)
def create_promo_pool(given: NewPool, call: Changing) -> PoolShape:
    """Make an empty pool."""
    life = timedelta(seconds=given.lifetime_seconds) if given.lifetime_seconds else None
    with call.connection() as connection, connection.transaction():
        made = create_pool(connection, call.clock, given.name, given.short_name, lifetime=life)
        call.note(connection, "create", "promo_pool", made.id, {"name": made.name})
    return _shape(made)


@router.post("/promo-pools/{pool_id}/codes", status_code=201)
def load_promo_codes(pool_id: int, given: NewCodes, call: Changing) -> LoadedCodes:
    """Load codes into a pool."""
    with call.connection() as connection, connection.transaction():
        added, known = load_codes(connection, pool_id, given.codes)
        call.note(connection, "load_codes", "promo_pool", pool_id, {"added": added})
        return LoadedCodes(added=added, known=known, pool=_shape(find_pool(connection, pool_id)))
