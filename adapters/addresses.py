"""Which addresses a webhook may reach: none of the operator's own networks, unless a setting lets it.

A name is looked up once, every address that it has is looked at, and the connection is made to one of those very
addresses: a name that answers otherwise a moment later gains nothing.
"""

import socket
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from adapters.lookups import OF_THE_PROCESS

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE: Final = IPv6Network("::/96")


class NotAllowed(Exception):
    """The name leads into a network that a webhook may not reach."""


class Guard:
    """`allowed`: networks of one's own that may be reached all the same."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed: list[Network] = [ip_network(each) for each in allowed]

    def resolve(self, host: str, port: int, end: float) -> list[str]:
        """The addresses of a host, in order of preference, by `end` (time.monotonic()).

        Raises NotAllowed for any that is; OSError, of these NotLookedUp.
        """
        addresses = OF_THE_PROCESS.addresses(host, port, end)
        for text in addresses:
            if not self.may_reach(ip_address(text)):
                where = f"{host} is" if host == text else f"{host} is at {text},"
                raise NotAllowed(f"{where} in a network of the operator's own: COMMCREDITS_WEBHOOK_ALLOW can let it")
        return addresses

    def may_reach(self, address: Address) -> bool:
        """Whether an address is public, or in a network that is allowed."""
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            return False
        named = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        if any(each in network for network in self._allowed for each in (address, named) if each is not None):
            return True
        return all(_is_public(each) for each in _meant(address)) and not _is_own(address)


def _meant(address: Address) -> Iterator[Address]:
    """The address, and the IPv4 address that an IPv6 one stands for."""
    yield address
    if not isinstance(address, IPv6Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if any(address in network for network in (*_NAT64, _COMPATIBLE)):
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _is_public(address: Address) -> bool:
    mapped = isinstance(address, IPv6Address) and address.ipv4_mapped is not None
    inside = address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified
    special = address.is_multicast or address.is_reserved
    if isinstance(address, IPv6Address):
        special = special or address.is_site_local
    return mapped or (
        address.is_global and not inside and not special
    )  # of a mapped one only what it stands for counts


def _is_own(address: Address) -> bool:
    """Whether it is this machine's: what one sends to oneself leaves from the address that it goes to."""
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))  # sends nothing
            return ip_address(probe.getsockname()[0]) == address
    except OSError:
        return False  # it cannot be reached at all
