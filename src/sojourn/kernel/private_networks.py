"""Keeps calls of users' making (scenarios, imports, rules) out of private networks: names are resolved here, checked, and the checked address is what is connected to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Collection

from aiohttp.abc import AbstractResolver, ResolveResult

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenAddress(OSError):
    """The host lies in a private network and is not allowed by the setting `private_hosts`."""


def is_public(text: str) -> bool:
    """Whether an IP address belongs to the public internet. Addresses that carry an IPv4 address inside are judged by that too."""
    address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text.partition("%")[0])
    inner: list[ipaddress.IPv4Address | None] = []
    if isinstance(address, ipaddress.IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _TRANSLATED:
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.ipv4_mapped:
            address = address.ipv4_mapped
        elif address in _TRANSLATED:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return all(
        one.is_global and not one.is_multicast and not one.is_reserved and not one.is_unspecified
        for one in (address, *(found for found in inner if found))
    )


def allowed(host: str, port: int, private_hosts: Collection[str]) -> bool:
    """Whether the setting names this host, with or without the port."""
    name = host.strip("[]").lower()
    known = {entry.lower() for entry in private_hosts}
    return bool({name, f"{name}:{port}", f"[{name}]", f"[{name}]:{port}"} & known)


class GuardedResolver(AbstractResolver):
    """Resolves names of public hosts, and of private ones that the setting names."""

    def __init__(self, private_hosts: Collection[str]) -> None:
        self._private_hosts = private_hosts

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host.

        Raises:
            ForbiddenAddress: one of them is private.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        addresses = list(dict.fromkeys((info[0], str(info[4][0])) for info in found))
        if not allowed(host, port, self._private_hosts):
            for _, address in addresses:
                if not is_public(address):
                    raise ForbiddenAddress(f"{host} lies in a private network ({address})")
        return [_result(host, port, kind, address) for kind, address in addresses]

    async def close(self) -> None:
        """Nothing is kept."""


def checked_addresses(host: str, port: int, private_hosts: Collection[str]) -> list[str]:
    """The addresses of a host, for callers without an event loop; connect to one of these, not to the name again.

    Raises:
        ForbiddenAddress: one of them is private and the host is not named in `private_hosts`. OSError: the name is unknown.
    """
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if not allowed(host, port, private_hosts):
        for address in addresses:
            if not is_public(address):
                raise ForbiddenAddress(f"{host} lies in a private network ({address})")
    return addresses


def _result(host: str, port: int, family: int, address: str) -> ResolveResult:
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=numeric)


def refuse_private_literal(host: str, port: int, private_hosts: Collection[str]) -> None:
    """Refuse an address that stands in a URL as numbers, which no resolver sees.

    Raises:
        ForbiddenAddress: it is private.
    """
    try:
        public = is_public(host.strip("[]"))
    except ValueError:
        return  # a name
    if not public and not allowed(host, port, private_hosts):
        raise ForbiddenAddress(f"{host} lies in a private network")
