"""SQL texts that are put together from parts: values are bound, identifiers quoted, never pasted."""

from __future__ import annotations

from typing import Any

from psycopg import sql


def quoted(identifier: str) -> str:
    """An identifier, quoted by the driver."""
    return sql.Identifier(identifier).as_string(None)


class Bindings:
    """Collects the values of a statement; `bind` gives the placeholder that stands in the text."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def bind(self, value: Any, cast: str) -> str:
        """The placeholder of `value`, cast to the SQL type `cast` so that the server need not guess. Equal values share one."""
        for name, known in self.values.items():
            if type(known) is type(value) and known == value:
                return f"%({name})s::{cast}"
        name = f"p{len(self.values) + 1}"
        self.values[name] = value
        return f"%({name})s::{cast}"
