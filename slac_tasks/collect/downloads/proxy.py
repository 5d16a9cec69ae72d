"""The HTTP proxy by which strangers' addresses are asked, where a network has no other way out (RFC 9110, 9.3.6).

The proxy looks names up, and decides what they may lead to: its own rules must keep it out of the private network. What
this machine knows to be private is refused before.
"""

import socket
from base64 import b64encode
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from slac_tasks.collect.downloads.reasons import NOT_CONFIGURED, Unfetched
from slac_tasks.errors import NotConfigured

VARIABLE = "SLAC_FETCH_PROXY"
_LONGEST_HEAD = 64 << 10
_WANTED = f"{VARIABLE}: want http://host:port or http://user:password@host:port"


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """Where the proxy is, and how it knows us."""

    host: str
    port: int
    headers: dict[str, str] = field(repr=False)
    """Let us in; for the proxy alone."""

    def connect(self, timeout_sec: float) -> socket.socket:
        """Return a connection with the proxy.

        Raises:
            Unfetched: it does not answer.

        """
        try:
            return socket.create_connection((self.host, self.port), timeout=timeout_sec)
        except OSError as error:
            raise self._silent(error) from error

    def tunnel(self, host: str, port: int, timeout_sec: float) -> socket.socket:
        """Return a connection through the proxy with a host, whatever is said on it.

        Raises:
            Unfetched: the proxy does not answer, or refuses the host or us.

        """
        name = named(host, port)
        lines = [f"CONNECT {name} HTTP/1.1", f"Host: {name}", *(": ".join(header) for header in self.headers.items())]
        with ExitStack() as closing:
            plug = closing.enter_context(self.connect(timeout_sec))
            try:
                plug.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii"))
                status = _status(plug)
            except OSError as error:
                raise self._silent(error) from error
            if not 200 <= status < 300:
                self.check_let_in(status)
                # A host that the proxy cannot reach now may be reached later.
                later = status >= 500
                raise Unfetched("network" if later else "refused", f"{host}: proxy says {status}", retryable=later)
            closing.pop_all()
            return plug

    def _silent(self, error: OSError) -> Unfetched:
        return Unfetched("network", f"proxy {self.host}:{self.port}: {error}", retryable=True)

    def check_let_in(self, status: int) -> None:
        """Refuse the answer of a proxy that lets nobody in whom it does not know.

        A host behind it can give the same answer, so it says nothing of other videos.

        Raises:
            Unfetched: it is that answer.

        """
        if status == 407:
            at = f"{self.host}:{self.port}"
            raise Unfetched(NOT_CONFIGURED, f"{VARIABLE}: {at} wants a user that it knows", retryable=True)


def named(host: str, port: int | None) -> str:
    """Return a host and its port as addresses write them; None: the usual port."""
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


def proxy_of(environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy that the environment names; None where it names none.

    Raises:
        NotConfigured: what it names is no address of a proxy. The message repeats none of it: it may hold a password.

    """
    text = environ.get(VARIABLE, "").strip()
    if not text:
        return None
    with suppress(ValueError, UnicodeError):
        parts = urlsplit(text)
        if parts.scheme == "http" and parts.hostname and parts.port and not (parts.path.strip("/") or parts.query):
            user, password = unquote(parts.username or ""), unquote(parts.password or "")
            known = b64encode(f"{user}:{password}".encode()).decode()
            headers = {"Proxy-Authorization": f"Basic {known}"} if user else {}
            return Proxy(host=parts.hostname.encode("idna").decode(), port=parts.port, headers=headers)
    raise NotConfigured(_WANTED)


def _status(plug: socket.socket) -> int:
    """Read the head of the proxy's answer, and not a byte more: what follows is the host's."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = plug.recv(1)
        if not byte or len(head) > _LONGEST_HEAD:
            raise OSError("its answer has no end")
        head += byte
    words = head.split(b"\r\n", 1)[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not (words[1].isdigit() and len(words[1]) == 3):
        raise OSError("its answer is none of HTTP")
    return int(words[1])
