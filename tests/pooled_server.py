"""A pool before a real Postgres that lends a session for each transaction: pgbouncer with pool_mode=transaction."""

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg2

_READY = b"Z"
_WELCOME = b"".join(
    kind + struct.pack("!i", len(body) + 4) + body
    for kind, body in (
        (b"R", struct.pack("!i", 0)),
        (b"S", b"client_encoding\0UTF8\0"),
        (b"S", b"TimeZone\0UTC\0"),
        (b"S", b"standard_conforming_strings\0on\0"),
        (b"S", b"server_version\x0018.0\0"),
        (b"K", struct.pack("!ii", 1, 1)),
        (_READY, b"I"),
    )
)
"""What it says to whoever connects: welcome, in the database's own settings, at a session that is nobody's."""


class _Sessions:
    """Sessions of the server; the one that was given back last is lent first."""

    def __init__(self, url: str, count: int) -> None:
        self._held = [psycopg2.connect(url) for _ in range(count)]
        self._idle = [socket.socket(fileno=os.dup(connection.fileno())) for connection in self._held]
        for session in self._idle:
            session.setblocking(True)

    def lend(self) -> socket.socket:
        return self._idle.pop()

    def give_back(self, session: socket.socket) -> None:
        self._idle.append(session)

    def close(self) -> None:
        for session in self._idle:
            session.close()
        for connection in self._held:
            connection.close()


def _message(plug: socket.socket) -> tuple[bytes, bytes]:
    """Return the kind and all bytes of the next message; no bytes at the end."""
    head = plug.recv(5, socket.MSG_WAITALL)
    if len(head) < 5:
        return b"", b""
    return head[:1], head + plug.recv(struct.unpack("!i", head[1:])[0] - 4, socket.MSG_WAITALL)


def _serve(plug: socket.socket, sessions: _Sessions) -> None:
    """Do what one client asks, each transaction in whatever session is idle."""
    with plug, suppress(OSError):
        asked = plug.recv(struct.unpack("!i", plug.recv(4, socket.MSG_WAITALL))[0] - 4, socket.MSG_WAITALL)
        if asked[:4] == struct.pack("!i", 80877103):  # for TLS, which there is not
            plug.sendall(b"N")
            plug.recv(struct.unpack("!i", plug.recv(4, socket.MSG_WAITALL))[0] - 4, socket.MSG_WAITALL)
        plug.sendall(_WELCOME)
        session = None
        while (asked := _message(plug))[0] == b"Q":
            session = session or sessions.lend()
            session.sendall(asked[1])
            kind = b""
            while kind != _READY:
                kind, answer = _message(session)
                if kind == _READY and answer[-1:] == b"I":
                    # Before the client knows: whoever asks next may have this session again.
                    sessions.give_back(session)
                    session = None
                plug.sendall(answer)


@contextmanager
def running(url: str, sessions: int = 2) -> Iterator[str]:
    """Run a pool of so many sessions; the address of the same database behind it."""
    held = _Sessions(url, sessions)
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                plug, _ = listening.accept()
                threading.Thread(target=_serve, args=(plug, held)).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"postgresql://slac@127.0.0.1:{listening.getsockname()[1]}/any?sslmode=disable"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
        held.close()
