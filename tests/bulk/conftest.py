"""The database of the tests of profiles."""

from __future__ import annotations

from tests.profiles.conftest import news, shop

__all__ = ["news", "shop"]
