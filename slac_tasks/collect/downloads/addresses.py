"""Which addresses may be asked: public ones. All addresses of a name are looked at; the one that is used is pinned."""

import ipaddress
import socket

from slac_tasks.collect.downloads.reasons import Unfetched

_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: str) -> bool:
    """Return whether packets to this address leave for the internet; one that wraps an IPv4 address is as that is."""
    number: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(number, ipaddress.IPv6Address):
        inner = number.ipv4_mapped or number.sixtofour or (number.teredo[1] if number.teredo else None)
        if number in _NAT64:
            inner = ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
        number = inner or number
    return number.is_global and not number.is_multicast


def resolve(host: str, port: int, *, allow_private: bool) -> list[str]:
    """Return the addresses to connect to, so that a name that changes its mind cannot lead elsewhere.

    Raises:
        Unfetched: the name is not known, or any of its addresses is not a public one.

    """
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise Unfetched("network", f"{host}: name is not known", retryable=True) from error
    for address in found:
        if not allow_private and not is_public(address):
            raise Unfetched("refused address", f"{host} is {address}")
    return found
