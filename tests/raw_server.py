"""A server that sends whatever bytes it is given as its answer, HTTP or not, and then closes the connection."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class RawServer:
    """Answers each connection with `answers`, one after another; the last one stands for all that follow."""

    def __init__(self) -> None:
        self.answers: list[bytes] = [b""]
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

    def serve(self) -> None:
        while True:
            try:
                plug, _ = self._socket.accept()
            except OSError:
                return
            with plug, suppress(OSError):
                plug.settimeout(2.0)
                asked = b""
                while b"\r\n\r\n" not in asked and (data := plug.recv(65536)):
                    asked += data
                plug.sendall(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextmanager
def running() -> Iterator[RawServer]:
    server = RawServer()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
