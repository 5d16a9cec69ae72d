"""A forward proxy: it passes requests of http on, and opens tunnels for all else. It alone knows where names lead."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

from serving import serving


@dataclass
class Proxied:
    """What the proxy knows, and the first lines that it was sent."""

    names: dict[str, int] = field(default_factory=dict)
    """By a host's name: its port on this machine."""
    authorization: str = ""
    """What a request must bring; nothing: all are let in."""
    asked: list[str] = field(default_factory=list)
    port: int = 0


class _Handler(StreamRequestHandler):
    proxied: Proxied

    def handle(self) -> None:
        first = self.rfile.readline().decode("ascii").strip()
        lines = []
        while line := self.rfile.readline().decode("ascii").strip():
            lines.append(line)
        self.proxied.asked.append(first)
        wanted = self.proxied.authorization
        if wanted and f"Proxy-Authorization: {wanted}" not in lines:
            self._say("407 Proxy Authentication Required")
            return
        method, target, _ = first.split()
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        port = self.proxied.names.get(parts.hostname or "")
        if port is None:
            self._say("502 Bad Gateway")
            return
        with socket.create_connection(("127.0.0.1", port)) as host, suppress(OSError):
            if method == "CONNECT":
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\nVia: a test\r\n\r\n")
            else:
                kept = [line for line in lines if not line.lower().startswith(("proxy-", "connection:"))]
                head = [f"{method} {parts.path}?{parts.query} HTTP/1.1", *kept, "Connection: close", "", ""]
                host.sendall("\r\n".join(head).encode("ascii"))
            back = threading.Thread(target=_pour, args=(host, self.connection))
            back.start()
            _pour(self.connection, host)
            back.join()

    def _say(self, status: str) -> None:
        self.wfile.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode("ascii"))


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def running() -> Iterator[Proxied]:
    proxied = Proxied()
    server = ThreadingTCPServer(("127.0.0.1", 0), type("ProxyHandler", (_Handler,), {"proxied": proxied}))
    server.daemon_threads = True
    proxied.port = server.server_address[1]
    with serving(server):
        yield proxied
