"""Pools of promo codes. Codes are numbered; blocks of numbers are dealt to lanes, so that engines don't wait for each other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from sojourn.kernel import LANES, Clock
from sojourn.kernel.errors import Conflict, NotFound, SojournError

Connection = psycopg.Connection[Any]
_SHORT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_CODE_LENGTH = 100


@dataclass(frozen=True)
class PromoPool:
    """A pool with its figures; `left` counts codes nobody has."""

    id: int
    name: str
    short_name: str
    lifetime: timedelta | None
    codes: int
    assigned: int

    @property
    def left(self) -> int:
        return self.codes - self.assigned


_FIGURES = """
SELECT p.id, p.name, p.short_name, p.lifetime, p.next_no,
       p.dealt_no - coalesce((SELECT sum(c.end_no - c.next_no) FROM promo_cursor c WHERE c.pool_id = p.id), 0)
  FROM promo_pool p WHERE p.id > %s AND (%s::text IS NULL OR p.short_name = %s OR p.name = %s) ORDER BY p.id LIMIT %s
"""


def _pools(connection: Connection, after: int, name: str | None, limit: int) -> list[PromoPool]:
    return [
        PromoPool(i, n, s, life, codes, int(used))
        for i, n, s, life, codes, used in connection.execute(_FIGURES, (after, name, name, name, limit))
    ]


def list_pools(connection: Connection, *, after: int = 0, limit: int = 100) -> list[PromoPool]:
    """Pools in order of id, after `after`."""
    return _pools(connection, after, None, limit)


def find_pool(connection: Connection, reference: int | str) -> PromoPool:
    """A pool by id, name or short name.

    Raises:
        NotFound: there is none.
    """
    found = (
        _pools(connection, reference - 1, None, 1)
        if isinstance(reference, int)
        else _pools(connection, 0, reference, 1)
    )
    if not found or (isinstance(reference, int) and found[0].id != reference):
        raise NotFound("unknown_pool", f"There is no promo code pool “{reference}”.")
    return found[0]


def create_pool(
    connection: Connection, clock: Clock, name: str, short_name: str, *, lifetime: timedelta | None = None
) -> PromoPool:
    """A new, empty pool. `lifetime` counts from the moment a code is given.

    Raises:
        SojournError: `bad_name`; Conflict: the name is taken.
    """
    if not name.strip() or len(name) > 200:
        raise SojournError("bad_name", "A pool has a name of at most 200 characters.", "name")
    if not _SHORT.fullmatch(short_name):
        raise SojournError("bad_name", "A short name has letters, digits, - and _, at most 64.", "short_name")
    if lifetime is not None and lifetime <= timedelta(0):
        raise SojournError("bad_lifetime", "A lifetime is longer than nothing.", "lifetime")
    try:
        row = connection.execute(
            "INSERT INTO promo_pool (created_at, name, short_name, lifetime) VALUES (%s, %s, %s, %s) RETURNING id",
            (clock.now(), name.strip(), short_name, lifetime),
        ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise Conflict(
            "name_taken", f"There is a pool with the name “{name}” or the short name “{short_name}” already.", "name"
        ) from None
    assert row
    return find_pool(connection, int(row[0]))


def load_codes(connection: Connection, pool_id: int, codes: Iterable[str]) -> tuple[int, int]:
    """Add codes to a pool, all or none; tells how many are new and how many were there already or came twice.

    Raises:
        SojournError: `bad_code` with the number of the line.
    """
    with connection.transaction():
        row = connection.execute("SELECT next_no FROM promo_pool WHERE id = %s FOR UPDATE", (pool_id,)).fetchone()
        if row is None:
            raise NotFound("unknown_pool", f"There is no promo code pool {pool_id}.")
        connection.execute(
            "CREATE TEMP TABLE IF NOT EXISTS loading_code (line bigint GENERATED ALWAYS AS IDENTITY, code text NOT NULL) ON COMMIT DROP"
        )
        connection.execute("TRUNCATE loading_code")
        total = 0
        with connection.cursor().copy("COPY loading_code (code) FROM STDIN") as copy:
            for total, code in enumerate(codes, 1):
                text = code.strip()
                if not text or len(text) > _CODE_LENGTH or not text.isprintable():
                    raise SojournError(
                        "bad_code", f"A code has 1 to {_CODE_LENGTH} printable characters.", f"line {total}"
                    )
                copy.write_row((text,))
        added = connection.execute(
            """INSERT INTO promo_code (pool_id, no, code)
               SELECT %(pool)s, %(first)s + row_number() OVER (ORDER BY line) - 1, code
                 FROM (SELECT DISTINCT ON (code) line, code FROM loading_code ORDER BY code, line) l
                WHERE NOT EXISTS (SELECT FROM promo_code p WHERE p.pool_id = %(pool)s AND p.code = l.code)""",
            {"pool": pool_id, "first": row[0]},
        ).rowcount
        connection.execute(
            "UPDATE promo_pool SET next_no = next_no + %s, block = greatest(1, least(1000, (next_no + %s) / %s)) WHERE id = %s",
            (added, added, LANES * 8, pool_id),
        )
        connection.execute(
            "INSERT INTO promo_cursor (lane, pool_id, next_no, end_no) SELECT g, %s, 0, 0 FROM generate_series(0, %s) g ON CONFLICT DO NOTHING",
            (pool_id, LANES - 1),
        )
    return added, total - added
