"""The parameters of a call, read loosely: clients send numbers and truths as texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sojourn.kernel.errors import SojournError

_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no", ""})
_BIGINT = 1 << 63


class Parameters:
    """What a call says; names that nobody asks for are ignored."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    @property
    def values(self) -> Mapping[str, Any]:
        """Everything that the call says."""
        return self._values

    def get(self, *names: str) -> Any:
        """The value under the first of these names that is given, as it came."""
        return next((self._values[name] for name in names if self._values.get(name) is not None), None)

    def integer(self, *names: str, default: int | None = None) -> int:
        """A whole number; required if there is no default.

        Raises:
            SojournError: `parameter_missing`, `bad_parameter`.
        """
        value = self.get(*names)
        if value is None or value == "":
            if default is None:
                raise SojournError("parameter_missing", f"The parameter {names[0]} is needed.", names[0])
            return default
        try:
            number = (
                int(value)
                if isinstance(value, (int, str)) or (isinstance(value, float) and value.is_integer())
                else None
            )
        except ValueError:
            number = None
        if number is None or not -_BIGINT <= number < _BIGINT:
            raise SojournError("bad_parameter", f"The parameter {names[0]} is a whole number.", names[0])
        return number

    def integer_or_none(self, *names: str) -> int | None:
        """A whole number, if it is given."""
        return self.integer(*names) if self.get(*names) not in (None, "") else None

    def boolean(self, name: str) -> bool:
        """A truth; false if it is not given.

        Raises:
            SojournError: `bad_parameter`.
        """
        value = self.get(name)
        word = str(value).strip().lower() if isinstance(value, (bool, int, str)) else "?"
        if value is None or word in _FALSE:
            return False
        if word in _TRUE:
            return True
        raise SojournError("bad_parameter", f"The parameter {name} is true or false.", name)

    def text(self, name: str, default: str = "") -> str:
        """A text.

        Raises:
            SojournError: `bad_parameter`.
        """
        value = self.get(name)
        if value is None or value == "":
            return default
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise SojournError("bad_parameter", f"The parameter {name} is a text.", name)
        return str(value)

    def mapping(self, name: str) -> dict[str, Any]:
        """An object; empty if it is not given.

        Raises:
            SojournError: `bad_parameter`.
        """
        value = self.get(name)
        if value is None or value == "":
            return {}
        if not isinstance(value, dict):
            raise SojournError("bad_parameter", f"The parameter {name} is an object.", name)
        return value

    def sequence(self, name: str) -> list[Any]:
        """A list; a single object counts as a list of one, since XML cannot tell them apart.

        Raises:
            SojournError: `parameter_missing`, `bad_parameter`.
        """
        value = self.get(name)
        if value is None:
            raise SojournError("parameter_missing", f"The parameter {name} is needed.", name)
        if isinstance(value, dict):
            return [value]
        if not isinstance(value, list):
            raise SojournError("bad_parameter", f"The parameter {name} is a list.", name)
        return value

    def refuse(self, *names: str) -> None:
        """Say honestly that something is not offered, rather than ignore it.

        Raises:
            SojournError: `not_offered`.
        """
        for name in names:
            if self._values.get(name) not in (None, "", [], {}, False):
                raise SojournError("not_offered", f"The parameter {name} is not offered by this release.", name)
