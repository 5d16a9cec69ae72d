"""Which addresses may be asked: public ones. All addresses of a name are looked at; the one that is used is pinned.

The table is IANA's two registries of special-purpose addresses (RFC 6890), as of 2025, and what else no server of the
internet has: multicast, and IPv6 outside of the one block that is given out (2000::/3). Python's own `is_global` knows
a part of it that differs from version to version.
"""

import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from slac_tasks.collect.downloads.reasons import Unfetched

SPECIAL_4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by customers of a provider
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, metadata of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4, deprecated
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
"""IPv4 blocks that are not reachable from everywhere."""

SPECIAL_6 = tuple(
    IPv6Network(block)
    for block in (
        "::/3",  # loopback, IPv4 inside (::/96, ::ffff:0:0:0/96), local NAT64 (64:ff9b:1::/48), discard (100::/64)
        "2001::/23",  # protocol assignments
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
        "4000::/2",  # not given out; 5f00::/16: segment routing
        "8000::/1",  # not given out; unique local (fc00::/7), link-local (fe80::/10), site-local (fec0::/10), multicast
    )
)
"""IPv6 blocks that are not reachable from everywhere."""

REACHABLE = (
    IPv4Network("192.0.0.9/32"),  # port control protocol, anycast
    IPv4Network("192.0.0.10/32"),  # TURN, anycast
    IPv6Network("2001:1::1/128"),  # port control protocol, anycast
    IPv6Network("2001:1::2/128"),  # TURN, anycast
    IPv6Network("2001:1::3/128"),  # DNS-SD service registration, anycast
    IPv6Network("2001:3::/32"),  # AMT
    IPv6Network("2001:4:112::/48"),  # AS112
    IPv6Network("2001:20::/28"),  # ORCHIDv2
    IPv6Network("2001:30::/28"),  # remote identification of drones
)
"""Blocks inside the special ones that the registries call globally reachable."""

_NAT64 = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


def is_public(address: str) -> bool:
    """Return whether packets to this address leave for the internet.

    An address that wraps IPv4 addresses (mapped, NAT64, 6to4, Teredo) is public where all of these are.
    """
    number = ip_address(address.partition("%")[0])
    return all(_is_reachable(one) for one in _wrapped(number) or (number,))


def _wrapped(number: Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses to which packets for this address are handed on."""
    if isinstance(number, IPv4Address):
        return ()
    if number in _NAT64:
        return (IPv4Address(int(number) & 0xFFFFFFFF),)
    inner = number.ipv4_mapped or number.sixtofour
    return (inner,) if inner else number.teredo or ()


def _is_reachable(number: Address) -> bool:
    if any(number in block for block in REACHABLE):
        return True
    return not any(number in block for block in (SPECIAL_4 if isinstance(number, IPv4Address) else SPECIAL_6))


def resolve(host: str, port: int, *, allow_private: bool) -> list[str]:
    """Return the addresses to connect to, so that a name that changes its mind cannot lead elsewhere.

    Raises:
        Unfetched: the name is not known, or any of its addresses is not a public one.

    """
    try:
        found = _addresses(host, port)
    except (OSError, ValueError) as error:
        raise Unfetched("network", f"{host}: name is not known", retryable=True) from error
    if not allow_private:
        _refuse_private(host, found)
    return found


def refuse_private(host: str, port: int) -> None:
    """Refuse a host that this machine knows to be private; a name that it does not know is another's to look up.

    Raises:
        Unfetched: any of its addresses is not a public one.

    """
    with suppress(OSError, ValueError):
        _refuse_private(host, _addresses(host, port))


def _addresses(host: str, port: int) -> list[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _refuse_private(host: str, addresses: list[str]) -> None:
    for address in addresses:
        if not is_public(address):
            raise Unfetched("refused address", f"{host} is {address}")
