"""Where a webhook may go: to a public server by TLS, never to what stands behind our own walls (SSRF).

A name is resolved once, each of its addresses is judged, and the connection goes to an address that was judged: a name
that answers differently the next time (DNS rebinding) is never asked again. On a local system (COMMONGRID_LOCAL=true)
everything may be a target, for there the receivers stand on the same machine.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

Address: TypeAlias = IPv4Address | IPv6Address
Resolver: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a name and a port to its addresses; raises OSError if there are none."""

MOST_ADDRESSES = 4
"""Further ones of a name are not tried, or there would be no time left to answer."""

GLOBAL_UNICAST = ip_network("2000::/3")
NAT64 = ip_network("64:ff9b::/96")
OF_PROTOCOLS = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24")))
"""Not for servers, though Python 3.11 calls most of them global: protocol assignments, and the relays of 6to4."""


class TargetRefused(Exception):
    """A webhook may not go there; the message says why, and holds neither address nor path."""


def require_form(url: str, *, local: bool) -> None:
    """Raises TargetRefused if the address of a webhook is not one, whatever its name resolves to."""
    try:
        place = urlsplit(url)
        host, port = place.hostname, place.port
    except ValueError:
        raise TargetRefused("it is not an address") from None
    if place.scheme not in ("https", "http") or not host:
        raise TargetRefused("it must begin with https:// and a server's name")
    if place.username is not None or place.fragment:
        raise TargetRefused("it may hold neither user nor fragment: who sends is proved by the signature")
    if local:
        return
    if place.scheme != "https":
        raise TargetRefused("without COMMONGRID_LOCAL=true it must begin with https://")
    if port is not None and port != 443 and port < 1024:
        raise TargetRefused("its port is another protocol's: 443, or one from 1024 on, is right")


async def resolve(host: str, port: int) -> Sequence[str]:
    """By the machine's own resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def permitted(host: str, port: int, resolver: Resolver, *, local: bool) -> Sequence[Address]:
    """The addresses to connect to. Raises TargetRefused if any of them is refused: a name that leads both outside and
    inside is no mistake that we should choose from."""
    try:
        found = [ip_address(text) for text in await resolver(host, port)]
    except OSError:
        raise TargetRefused("its name cannot be resolved") from None
    if not found:
        raise TargetRefused("its name has no address")
    if not local:
        for address in found:
            if why := against(address):
                raise TargetRefused(f"its name leads to {why}, and only public addresses may be reached")
    return found[:MOST_ADDRESSES]


def against(address: Address) -> str | None:
    """What speaks against this address; None if it is public."""
    if isinstance(address, IPv6Address):
        within = address.ipv4_mapped or _translated(address)
        if within:
            return against(within)
        if address not in GLOBAL_UNICAST or address.sixtofour or address.teredo:
            return _kind(address)
    if not address.is_global or address.is_multicast or any(address in each for each in OF_PROTOCOLS):
        return _kind(address)
    return None


def _translated(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a NAT64 gateway would make of it (RFC 6052)."""
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None


def _kind(address: Address) -> str:
    if address.is_loopback:
        return "this machine itself"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast:
        return "a multicast address"
    return "a private or reserved address"
