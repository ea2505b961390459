"""Merges and splits against imports: an import finds people first and writes them later; in between nobody may become somebody else."""

from __future__ import annotations

from typing import Any

import psycopg

_SPACE = 7_310_020


def standing(database_id: int) -> str:
    """SQL: until the end of the transaction nobody of the database is merged or split. Locked before any row is."""
    return f"SELECT pg_advisory_xact_lock_shared({_SPACE}, {int(database_id)});"


def regroup(connection: psycopg.Connection[Any], database_id: int) -> None:
    """Wait for the imports that are on their way, and let later ones wait until the end of the transaction. Locked before any row is."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_SPACE, database_id))
