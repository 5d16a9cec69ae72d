"""A real HTTP server whose failures are planned: each path does one thing, and every request is written down."""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from private_authority import Signed
from serving import serving

LONG_AGO = "Mon, 05 Jan 2026 00:00:00 GMT"


@dataclass
class Planned:
    """What the server does, by path, and what it was asked."""

    paths: dict[str, Callable[["Handler"], None]] = field(default_factory=dict)
    asked: list[tuple[float, str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def count(self, path: str) -> int:
        return sum(1 for _, asked, _ in self.asked if asked == path)


class Handler(BaseHTTPRequestHandler):
    planned: Planned

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.planned.asked.append((time.monotonic(), path, dict(self.headers)))
        try:
            self.planned.paths.get(path, status(404))(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_POST = do_GET

    def head(self, code: int, **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def status(code: int, **headers: str) -> Callable[[Handler], None]:
    return lambda handler: handler.head(code, Content_Length="0", **headers)


def serve(data: bytes, *, tag: str | None = '"one"', kind: str = "video/mp4") -> Callable[[Handler], None]:
    """Serve bytes with ranges, as RFC 9110 wants it."""

    def answer(handler: Handler) -> None:
        headers = {"ETag": tag} if tag else {}
        asked = handler.headers.get("Range", "")
        if asked and handler.headers.get("If-Range", tag) == tag:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or len(data) - 1), len(data) - 1)
            if start >= len(data):
                handler.head(416, Content_Range=f"bytes */{len(data)}", Content_Length="0")
                return
            part = data[start : end + 1]
            handler.head(206, Content_Type=kind, Content_Range=f"bytes {start}-{end}/{len(data)}",
                         Content_Length=str(len(part)), **headers)  # fmt: skip
            handler.wfile.write(part)
            return
        handler.head(200, Content_Type=kind, Content_Length=str(len(data)), **headers)
        handler.wfile.write(data)

    return answer


def cut(data: bytes, at: Iterator[int], *, tag: str = '"one"') -> Callable[[Handler], None]:
    """Serve bytes with ranges, but end each answer after the next number of bytes; whole when there are no more."""

    def answer(handler: Handler) -> None:
        start = 0
        if handler.headers.get("If-Range") == tag:
            start = int(handler.headers["Range"].removeprefix("bytes=").partition("-")[0])
        if start >= len(data) and start:
            handler.head(416, Content_Range=f"bytes */{len(data)}", Content_Length="0")
            return
        span = {"Content_Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
        handler.head(206 if start else 200, ETag=tag, Content_Length=str(len(data) - start), **span)
        handler.wfile.write(data[start : start + next(at, len(data))])
        handler.close_connection = True

    return answer


def trickle(handler: Handler) -> None:
    """A byte now and then: never silent for long, never done."""
    handler.head(200, Content_Length="1000000", ETag='"slow"')
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.1)


def endless(handler: Handler) -> None:
    handler.head(200)
    while True:
        handler.wfile.write(b"x" * 65536)


@contextmanager
def running(signed: Signed | None = None) -> Iterator[Planned]:
    """Run a server; with a certificate it speaks TLS."""
    planned = Planned()
    handler = type("PlannedHandler", (Handler,), {"planned": planned})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if signed:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(signed.certificate, signed.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    planned.url = f"{'https' if signed else 'http'}://127.0.0.1:{server.server_port}"
    with serving(server):
        yield planned
