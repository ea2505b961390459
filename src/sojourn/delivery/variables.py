"""Variables of templates that other rooms know the values of: a registry, because delivery stands below them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg

Loader = Callable[[psycopg.Connection[Any], Sequence[tuple[int, int, int]]], Sequence[Any]]
"""From (lane, passage, profile) of many messages to the variable's value for each, in the same order."""

_loaders: dict[str, Loader] = {}


def register(name: str, loader: Loader) -> None:
    """Make the variable `name` known; a second registration replaces the first."""
    _loaders[name] = loader


def load(
    connection: psycopg.Connection[Any], wanted: frozenset[str], keys: Sequence[tuple[int, int, int]]
) -> list[dict[str, Any]]:
    """For each key the values of those registered variables that are wanted."""
    found: list[dict[str, Any]] = [{} for _ in keys]
    for name in sorted(wanted & _loaders.keys()):
        for values, value in zip(found, _loaders[name](connection, keys), strict=True):
            values[name] = value
    return found
