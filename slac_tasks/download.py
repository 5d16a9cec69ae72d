"""Getting the bytes of a candidate onto this machine, from a path or over HTTP(S), within limits."""

import ipaddress
import os
import shutil
import socket
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import certifi
import urllib3
import urllib3.exceptions

from slac_tasks.config import Collect
from slac_tasks.errors import SlacError

_CHUNK = 1 << 20
_MOST_REDIRECTS = 5


class Refused(SlacError):
    """The bytes cannot be had; `reason` is counted, `retryable` says whether a later try can help."""

    def __init__(self, reason: str, detail: str = "", *, retryable: bool = False) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.retryable = retryable


_STATUS = {
    401: ("private", False),
    403: ("private", False),
    404: ("gone", False),
    410: ("gone", False),
    429: ("rate-limited", True),
    451: ("region", False),
}


def get(location: str, target: Path, limits: Collect) -> Path:
    """Bring the bytes at `location` to `target` and return where they are.

    Raises:
        Refused: gone, private, rate-limited, over the size limit, at an address that is not allowed, cut short, ...

    """
    if location.startswith(("http://", "https://")):
        return _download(location, target, limits)
    source = Path(location)
    if not source.is_file():
        raise Refused("gone", "no such file")
    if source.stat().st_size > limits.max_size_bytes:
        raise Refused("too large", f"{source.stat().st_size} bytes, want at most {limits.max_size_bytes}")
    # A hard link costs nothing and cannot change under our feet as a path could; other file systems get a copy.
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return target


def public_address(host: str, port: int, limits: Collect) -> str:
    """Return an address of `host`, which must be outside the private network unless the settings allow it.

    The connection is made to this very address, so a name that answers differently the second time gains nothing.
    """
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise Refused("network", f"{host} has no address", retryable=True) from error
    if not limits.allow_private_addresses:
        for address in sorted(found):
            if not ipaddress.ip_address(address).is_global:
                raise Refused("refused address", f"{host} is {address}, want one outside the private network")
    return sorted(found)[0]


def _download(location: str, target: Path, limits: Collect) -> Path:
    """Follow redirects by hand, checking every hop, and stream the body to the target."""
    for _ in range(_MOST_REDIRECTS + 1):
        answer = _open(location, limits)
        try:
            if answer.status in (301, 302, 303, 307, 308):
                location = urljoin(location, answer.headers.get("Location", ""))
                if urlsplit(location).scheme not in ("http", "https"):
                    raise Refused("refused address", f"redirect to {location[:80]!r}")
                continue
            if answer.status != 200:
                reason, retryable = _STATUS.get(answer.status, ("server error", answer.status >= 500))
                raise Refused(reason, f"HTTP {answer.status}", retryable=retryable)
            _stream(answer, target, limits)
            return target
        except urllib3.exceptions.HTTPError as error:
            raise Refused("network", type(error).__name__, retryable=True) from error
        finally:
            answer.release_conn()
            answer.close()
    raise Refused("network", f"more than {_MOST_REDIRECTS} redirects")


def _open(location: str, limits: Collect) -> urllib3.BaseHTTPResponse:
    parts = urlsplit(location)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = public_address(host, port, limits)
    timeout = urllib3.Timeout(connect=10, read=30)
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        pool = urllib3.HTTPSConnectionPool(
            address, port, timeout=timeout, ca_certs=certifi.where(), server_hostname=host, assert_hostname=host
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, port, timeout=timeout)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        return pool.request(
            "GET", path, headers={"Host": parts.netloc.rpartition("@")[2]}, redirect=False, retries=False,
            preload_content=False,
        )  # fmt: skip
    except urllib3.exceptions.HTTPError as error:
        raise Refused("network", type(error).__name__, retryable=True) from error


def _stream(answer: urllib3.BaseHTTPResponse, target: Path, limits: Collect) -> None:
    declared = answer.headers.get("Content-Length")
    if declared and declared.isdigit() and int(declared) > limits.max_size_bytes:
        raise Refused("too large", f"{declared} bytes, want at most {limits.max_size_bytes}")
    size = 0
    with target.open("wb") as file:
        for chunk in answer.stream(_CHUNK, decode_content=False):
            size += len(chunk)
            if size > limits.max_size_bytes:
                raise Refused("too large", f"more than {limits.max_size_bytes} bytes")
            file.write(chunk)
    if declared and declared.isdigit() and size != int(declared):
        raise Refused("network", f"got {size} bytes of {declared}", retryable=True)
