"""One request to an address that a stranger wrote down: never into the private network, and never without an end."""

import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import SplitResult, quote, urlsplit

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection

from slac_tasks.collect.downloads.addresses import refuse_private, resolve
from slac_tasks.collect.downloads.answers import Answer, failure
from slac_tasks.collect.downloads.hosts import Hosts
from slac_tasks.collect.downloads.proxy import Proxy, named, proxy_of
from slac_tasks.collect.downloads.reasons import BUSY, Unfetched, of_status
from slac_tasks.collect.settings import Collect, Fetch
from slac_tasks.storage.store import AUTHORITY

_REDIRECTS = 5
_SAFE = "/%:@!$&'()*+,;=~-._?"
_HOST = re.compile(rb"[A-Za-z0-9._:%-]+")
"""A name as it is looked up, or an address."""
_TRAVELLING = frozenset({"accept", "accept-language", "if-range", "range", "referer", "user-agent"})
"""Headers that follow a redirect to another origin; Authorization, Cookie and what else may let one in do not."""


def host_of(url: str) -> str:
    """Return host and port, by which budgets are kept; empty where the address has none."""
    with suppress(ValueError):
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port or parts.scheme}" if parts.hostname else ""
    return ""


def _for_strangers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that another origin than the one that was asked may see: no credentials."""
    return {name: value for name, value in headers.items() if name.lower() in _TRAVELLING}


class Web:
    """Asks addresses within the budget of their hosts."""

    def __init__(self, limits: Fetch, *, allow_private: bool, authority: str = "", proxy: Proxy | None = None) -> None:
        """Take limits for all hosts of a process.

        Args:
            limits: of requests, bytes and waiting.
            allow_private: whether addresses of the private network may be asked.
            authority: certificates in PEM that the platform's own store may be known by.
            proxy: by which all but that store is asked; None: this machine reaches them itself.

        """
        self.limits, self.allow_private, self.authority, self.proxy = limits, allow_private, authority, proxy
        self.hosts = Hosts(limits)

    @contextmanager
    def ask(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        body: bytes | None = None,
        trusted: bool = False,
    ) -> Iterator[Answer]:
        """Ask and hand out the answer, whatever its status; every redirect is checked as the first address is.

        `trusted` is for addresses of the platform's own store, which may lie in the private network.

        Raises:
            Unfetched: no answer came, or none may be asked for.

        """
        headers = headers or {}
        origin = None
        for _ in range(_REDIRECTS + 1):
            parts = _checked(url)
            if origin not in (None, (parts.scheme, host_of(url))):
                headers = _for_strangers(headers)
            origin = (parts.scheme, host_of(url))
            self.hosts.take(host_of(url))
            with self._once(parts, url, method, headers, body, trusted) as answer:
                self._heed(answer)
                following = answer.following
                if following is None:
                    yield answer
                    return
            url = following
            if answer.status < 304 and method == "POST":
                method, body = "GET", None
            trusted = False
        raise Unfetched("bad address", f"more than {_REDIRECTS} redirects")

    def _heed(self, answer: Answer) -> None:
        """Slow down where the server asks for it."""
        # A redirect ends silence, but a host that sends on to itself may refuse every video all the same.
        self.hosts.answered(host_of(answer.url), served=answer.status < 300)
        if answer.status in BUSY:
            self.hosts.refused(host_of(answer.url), answer.pause_sec)

    @contextmanager
    def _once(
        self, parts: SplitResult, url: str, method: str, headers: Mapping[str, str], body: bytes | None, trusted: bool
    ) -> Iterator[Answer]:
        late = threading.Event()
        proxy = None if trusted else self.proxy
        # Of http the proxy reads each request; of https it passes bytes on, once there is a tunnel.
        relay = proxy if parts.scheme == "http" else None
        plug = self._connect(parts, proxy, trusted)
        # A second handle on the same connection: shutting it down ends any read at once, even a trickle's.
        guard = plug.dup()

        def cut() -> None:
            late.set()
            with suppress(OSError):
                guard.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self.limits.max_download_sec, cut)
        timer.daemon = True
        timer.start()
        connection = _connection(parts, plug, self.limits.timeout_sec, self.authority if trusted else "")
        response = None
        try:
            try:
                target = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, _SAFE)}" if parts.query else "")
                sent = {"User-Agent": "slac", **headers, "Accept-Encoding": "identity"}
                if relay:
                    target = f"http://{named(_ascii(str(parts.hostname)), parts.port)}{target}"
                    sent |= relay.headers
                connection.request(method, target, body=body, headers=sent, preload_content=False, decode_content=False)
                response = connection.getresponse()
            except Exception as error:
                self.hosts.silent(host_of(url))
                raise failure(error, late) from error
            if relay:
                relay.check_let_in(response.status)
            yield Answer(response, url, late)
        finally:
            timer.cancel()
            if response is not None:
                response.close()
            connection.close()
            plug.close()
            guard.close()

    def _connect(self, parts: SplitResult, proxy: Proxy | None, trusted: bool) -> socket.socket:
        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        if proxy:
            if not self.allow_private:
                refuse_private(host, port)
            if parts.scheme == "https":
                return proxy.tunnel(_ascii(host), port, self.limits.timeout_sec)
            return proxy.connect(self.limits.timeout_sec)
        last: OSError | None = None
        for address in resolve(host, port, allow_private=self.allow_private or trusted):
            try:
                return socket.create_connection((address, port), timeout=self.limits.timeout_sec)
            except OSError as error:
                last = error
        self.hosts.silent(host_of(parts.geturl()))
        raise Unfetched("network", f"{host}: {last}", retryable=True) from last


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
        host = (parts.hostname or "").encode("idna" if not (parts.hostname or "").isascii() else "ascii")
    except (ValueError, UnicodeError) as error:
        raise Unfetched("bad address", f"{url[:200]!r}: {error}") from error
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise Unfetched("bad address", f"{url[:200]!r}: want http(s)://host/...")
    return parts


def _ascii(host: str) -> str:
    """Return a host as it is looked up."""
    return host if host.isascii() else host.encode("idna").decode()


def _connection(parts: SplitResult, plug: socket.socket, timeout_sec: float, authority: str) -> HTTPConnection:
    """Return a connection that knows the host by its name and reaches it through `plug` alone."""
    host = _ascii(str(parts.hostname))
    connection = (
        HTTPSConnection(
            host,
            parts.port,
            timeout=timeout_sec,
            ca_certs=certifi.where(),
            ca_cert_data=authority or None,
            cert_reqs="CERT_REQUIRED",
        )
        if parts.scheme == "https"
        else HTTPConnection(host, parts.port, timeout=timeout_sec)
    )
    connection._new_conn = lambda: plug  # type: ignore[method-assign]
    return connection


def open_web(collect: Collect, limits: Fetch, environ: Mapping[str, str]) -> Web:
    """Return the network as this machine reaches it.

    Raises:
        NotConfigured: the environment names a proxy that is none.

    """
    allowed, authority = collect.allow_private_addresses, environ.get(AUTHORITY, "")
    return Web(limits, allow_private=allowed, authority=authority, proxy=proxy_of(environ))


def probe(web: Web, url: str, *, headers: Mapping[str, str] | None = None) -> None:
    """Ask for the first byte.

    Raises:
        Unfetched: the bytes could not be fetched now.

    """
    with web.ask(url, headers={**(headers or {}), "Range": "bytes=0-0"}) as answer:
        # 416: it is there, and empty.
        if answer.status not in (200, 206, 416):
            raise of_status(answer.status)
