"""Connections of strangers: how long each may take, how much it may send, and how many there may be.

uvicorn bounds none of the three. A server that is used without this protocol, such as Airflow's, needs a proxy in front
that does.
"""

import asyncio
from http import HTTPStatus
from typing import NoReturn, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SEC = 10.0
"""From the first byte of a request, or the connection's begin, to the end of its headers."""
BODY_SEC = 20.0
"""From there to the end of its body."""
ANSWER_SEC = 60.0
"""How long a client may read nothing of an answer that waits for it."""
IDLE_SEC = 15
"""How long a connection stays open after an answer for the next request."""
HEAD_MOST = 32 * 1024
"""Bytes of an address and of all headers."""
AHEAD_MOST = 16
"""Requests that a client may send before the first of them is answered."""
CONNECTIONS_MOST = 512
"""Connections of one process: with files and ledgers they stay under 1,024, the usual limit of a process."""
LAST_SEC = 2.0
"""A body that came with an answer already given is read for this long, so that the client sees the answer ..."""
LAST_MOST = 512 * 1024
"""... or for so many bytes."""


class Connection(HttpToolsProtocol):
    """One connection. What it may not do ends it, with an answer where one can still be given."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request; where there are too many connections, one gives way."""
        super().connection_made(cast(asyncio.Transport, transport))
        self._since = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._has_answered = False
        self._is_in_body = False
        self._head_bytes = 0
        self._reason = 400, "This is no request of HTTP."
        self._last_bytes: int | None = None  # what came after the last answer; None: there may be more answers
        self._wait(HEAD_SEC)
        if len(self.connections) > CONNECTIONS_MOST:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read a part of a request."""
        if self._last_bytes is not None:
            self._last_bytes += len(data)
            if self._last_bytes > LAST_MOST:
                self.transport.close()
            return
        if self._timer is None and self._is_idle:
            self._wait(HEAD_SEC)
        super().data_received(data)
        if not self._is_in_body:
            self._head_bytes += len(data)
            if self._timer is not None and self._head_bytes > HEAD_MOST:
                self._refuse(431, "The headers are too long.")

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser stopped at, for the reason that a callback of it named, if one did."""
        self._refuse(*self._reason)

    def on_headers_complete(self) -> None:
        """Begin to wait for the body, and let the application answer."""
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_MOST:
            self._stop_parsing(431, "The headers are too long.")
        if len(self.pipeline) >= AHEAD_MOST:
            self._stop_parsing(429, "Too many requests wait for an answer.")
        self._is_in_body = True
        self._head_bytes = 0
        self._wait(BODY_SEC)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Take the request as it is now: all of it has come."""
        self._is_in_body = False
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request; where the body of this one is still on its way, there is none."""
        super().on_response_complete()
        self._has_answered = True
        self._since = self.loop.time()
        if self._is_in_body and not self.transport.is_closing():
            self._last_bytes = 0
            self._unset_keepalive_if_required()
            self.transport.write_eof()
            self._wait(LAST_SEC)

    def pause_writing(self) -> None:
        """Begin to wait for a client that reads nothing."""
        super().pause_writing()
        self._writing = self.loop.call_later(ANSWER_SEC, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client reads."""
        super().resume_writing()
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def _stop_parsing(self, status: int, text: str) -> NoReturn:
        """Have the parser stop in a callback: it ends with `send_400_response`."""
        self._reason = status, text
        raise ValueError(text)

    @property
    def _is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self._is_late)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _is_late(self) -> None:
        self._timer = None
        if self._last_bytes is None:
            self._refuse(408, "The request took too long.")
        else:
            self.transport.close()

    def _make_room(self) -> None:
        """End the connection that waits longest for its client, those first that never asked for anything."""
        waiting = [
            other
            for other in cast("set[Connection]", self.connections)
            if other is not self and (other._timer is not None or other._is_idle)
        ]
        if waiting:
            min(waiting, key=lambda other: (other._has_answered, other._since)).transport.abort()
        else:
            self._refuse(503, "Too many connections. Please try again in a moment.")

    def _refuse(self, status: int, text: str) -> None:
        """Answer what the application never saw, and end the connection."""
        self._stop_waiting()
        if not self._is_idle or self.transport.is_closing():
            self.transport.abort()  # words of ours would become part of another answer
            return
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            "content-type: text/plain; charset=utf-8",
            f"content-length: {len(text)}",
            "content-security-policy: default-src 'none'; frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
            "connection: close",
        )
        self.transport.write("\r\n".join((*head, "", text)).encode("ascii"))
        self.transport.close()
