"""Promo codes: pools of numbered codes, each given once."""

from sojourn.loyalty.pools import PromoPool, create_pool, find_pool, list_pools, load_codes
from sojourn.loyalty.variables import register_variables

__all__ = ["PromoPool", "create_pool", "find_pool", "list_pools", "load_codes", "register_variables"]
