"""Reads the settings for a command; a bad one is told by the name under which it was given."""

from __future__ import annotations

import tomllib

from pydantic import ValidationError

from sojourn.kernel.errors import Problem, SojournError
from sojourn.kernel.settings import Settings


def load_settings() -> Settings:
    """The settings of this installation.

    Raises:
        SojournError: `bad_settings`, with one problem for each bad value.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = [
            Problem("bad_setting", detail["msg"], "SOJOURN_" + "__".join(str(part) for part in detail["loc"]).upper())
            for detail in error.errors(include_url=False, include_input=False)
        ]
        raise SojournError("bad_settings", "The settings have errors.", problems=problems) from None
    except tomllib.TOMLDecodeError as error:
        raise SojournError("bad_settings", f"The file of settings cannot be read: {error}", "sojourn.toml") from None
