"""Bytes from addresses that strangers wrote down: limited in size and time, and never from the private network."""

import ipaddress
import os
import socket
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import certifi
import urllib3

from slac_tasks.config import Collect
from slac_tasks.media import Rejected

_REDIRECTS = 5
_CHUNK = 1 << 20
_GONE = {404: "gone", 410: "gone", 401: "private", 403: "private", 451: "unavailable in this country"}


def public_address(host: str, port: int, *, allow_private: bool) -> str:
    """Return the address to connect to, so that a name that changes its mind cannot lead elsewhere.

    Raises:
        Rejected: the name is not known, or any of its addresses is not a public one.

    """
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise Rejected("network", f"{host}: name is not known", retryable=True) from error
    if not allow_private:
        for address in found:
            number = ipaddress.ip_address(address.partition("%")[0])
            if not number.is_global or number.is_multicast:
                raise Rejected("private address", f"{host} is {address}")
    return found[0]


def download(url: str, target: Path, limits: Collect) -> None:
    """Write the bytes at an http(s) address to `target`; every redirect is checked again.

    Raises:
        Rejected: with the reason, and whether a later try may go better.

    """
    for _ in range(_REDIRECTS + 1):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Rejected("bad address", f"{url[:200]}: want http(s)://host/...")
        try:
            following = _once(url, parts.hostname, target, limits)
        except (urllib3.exceptions.HTTPError, TimeoutError) as error:
            raise Rejected("network", type(error).__name__, retryable=True) from error
        if following is None:
            return
        url = urljoin(url, following)
    raise Rejected("bad address", f"more than {_REDIRECTS} redirects")


def _once(url: str, host: str, target: Path, limits: Collect) -> str | None:
    """Ask once; return where it is redirected to, or None when the bytes are in `target`."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    try:
        port = parts.port or (443 if secure else 80)
    except ValueError as error:
        raise Rejected("bad address", f"{url[:200]}: {error}") from error
    address = public_address(host, port, allow_private=limits.allow_private_addresses)
    timeout = urllib3.Timeout(connect=10, read=30)
    pool = (
        urllib3.HTTPSConnectionPool(
            address, port, timeout=timeout, retries=False, ca_certs=certifi.where(),
            server_hostname=host, assert_hostname=host,
        )
        if secure
        else urllib3.HTTPConnectionPool(address, port, timeout=timeout, retries=False)
    )  # fmt: skip
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": "slac", "Accept-Encoding": "identity"}
    with pool, pool.request("GET", path, headers=headers, preload_content=False, redirect=False) as response:
        if response.status in (301, 302, 303, 307, 308) and response.headers.get("Location"):
            return str(response.headers["Location"])
        if response.status == 429:
            raise Rejected("rate-limited", retryable=True)
        if response.status != 200:
            reason = _GONE.get(response.status, "network")
            raise Rejected(reason, f"status {response.status}", retryable=response.status >= 500)
        size = 0
        with target.open("wb") as file:
            for chunk in response.stream(_CHUNK, decode_content=False):
                size += len(chunk)
                if size > limits.max_size_bytes:
                    raise Rejected("too large", f"more than {limits.max_size_bytes} bytes")
                file.write(chunk)
            os.fsync(file.fileno())
        want = response.headers.get("Content-Length")
        if want and want.isdigit() and size != int(want):
            raise Rejected("network", f"{size} bytes of {want}", retryable=True)
    return None
