"""SQL builder of promo codes: takes numbers from the lane's block.

Who finds the block empty is told so (`got` is false); the caller then asks `dealing.deal` for more and tries those again. Only when
the dealer has none is the pool empty, and that is an outcome, not a lost person.
"""

from __future__ import annotations

from sojourn.kernel.statement import Bindings


def take_codes(
    name: str, source: str, hop: str, pool_id: int, scenario_id: int, node_id: int, lane: str, bindings: Bindings
) -> list[tuple[str, str]]:
    """Give each row of the set `source` (passage_id, profile_id, at) the next number: (name, body) of the parts.

    The set called `name` has all columns of `source` and `got`. One statement may take from a pool only once: the parts update its cursor.
    """
    pool = bindings.bind(pool_id, "int")
    return [
        (f"{name}_asked", f"SELECT f.*, row_number() OVER () - 1 AS turn FROM {source} f"),
        (
            f"{name}_cursor",
            f"""UPDATE promo_cursor c SET next_no = least(c.next_no + (SELECT count(*) FROM {name}_asked), c.end_no)
    WHERE c.lane = {lane} AND c.pool_id = {pool} RETURNING old.next_no AS first_no, new.next_no AS end_no""",
        ),
        (
            name,
            f"""SELECT a.*, c.first_no + a.turn AS no, coalesce(c.first_no + a.turn < c.end_no, false) AS got
    FROM {name}_asked a LEFT JOIN {name}_cursor c ON true""",
        ),
        (
            f"{name}_given",
            f"""INSERT INTO promo_assignment (passage_id, no, profile_id, at, expires_at, scenario_id, pool_id, node_id, hop, lane)
    SELECT f.passage_id, f.no, f.profile_id, f.at, f.at + (SELECT lifetime FROM promo_pool WHERE id = {pool}), {bindings.bind(scenario_id, "int")}, {pool},
      {bindings.bind(node_id, "int")}, {hop}, {lane} FROM {name} f WHERE f.got""",
        ),
    ]
