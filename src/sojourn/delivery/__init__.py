"""Delivery: the ledger of everything that leaves the house, and the workers that hand it over."""

from sojourn.delivery import sandbox
from sojourn.delivery.doubts import InDoubt, in_doubt

__all__ = ["InDoubt", "in_doubt", "sandbox"]
