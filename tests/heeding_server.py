"""A door before a real S3 server that ignores conditions on writes: it heeds `If-None-Match`, as S3 does."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from serving import serving

_TAKEN = b"<?xml version='1.0'?><Error><Code>PreconditionFailed</Code><Message>m</Message></Error>"
_OF_THIS_CONNECTION = ("connection", "content-length", "date", "server", "transfer-encoding")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_behind: str
    objects: Path
    """Where the server behind keeps what it holds: bucket/name."""
    writing: threading.Lock

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("If-None-Match") != "*":
            self.pass_on(body)
            return
        with self.writing:
            if (self.objects / unquote(urlsplit(self.path).path).lstrip("/")).exists():
                self.answer(412, {"Content-Type": "application/xml"}, _TAKEN)
            else:
                self.pass_on(body)

    def do_GET(self) -> None:
        self.pass_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    do_HEAD = do_POST = do_DELETE = do_GET

    def pass_on(self, body: bytes) -> None:
        # The name that the client asked for stays: its signature is for that one.
        with closing(http.client.HTTPConnection(self.server_behind)) as behind:
            behind.request(self.command, self.path, body or None, dict(self.headers))
            answer = behind.getresponse()
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in _OF_THIS_CONNECTION}
            self.answer(answer.status, headers, answer.read(), answer.getheader("Content-Length"))

    def answer(self, status: int, headers: dict[str, str], body: bytes, length: str | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def before(address: str, objects: Path) -> Iterator[str]:
    """Stand before the server at `address` (host:port); yield the door's own address."""
    behind = {"server_behind": address, "objects": objects, "writing": threading.Lock()}
    door = ThreadingHTTPServer(("127.0.0.1", 0), type("Door", (_Handler,), behind))
    door.daemon_threads = True
    with serving(door):
        yield f"127.0.0.1:{door.server_port}"
