"""What every request passes before the application sees it, and every answer before it leaves."""

import asyncio
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slac_tasks.web import failures

BODY_MOST = 64 * 1024
"""Bytes of a request's body: fifty answers take a quarter of it."""

REFUSAL_SEC = 1.0
"""How long a stranger waits for a refusal. A loop that is refused at once would cost more than one that is served."""

_NUMBER = re.compile(r"[0-9]{1,19}")
_HOST = re.compile(r"([A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{0,5})?")


class _Refusal(Exception):
    """The request is refused before the application sees it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


class _Gone(Exception):
    """The client has gone before its request was here."""


class Door:
    """Bounds bodies, refuses hosts that are no hosts, sets headers on every answer, and answers where nobody else did.

    An answer that has a header of the name keeps its own. HEAD is answered as GET without the body, but not below /api,
    where a GET may hand out clips.

    Not Starlette's base class, which costs a task and two queues per request.
    """

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app, self._set = app, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False
        is_head = scope["method"] == "HEAD" and not failures.is_call(scope)

        async def sent(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                headers = MutableHeaders(scope=message)
                for name, value in self._set.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        try:
            asked = {**scope, "method": "GET"} if is_head else scope
            await self._app(asked, await _checked(scope, receive), sent)
        except _Refusal as refusal:
            await asyncio.sleep(REFUSAL_SEC)
            await failures.answer(scope, refusal.status, refusal.text)(scope, receive, sent)
        except _Gone:
            return
        except Exception:
            if not has_begun:
                await failures.answer(scope, 500, "This is a fault of the service.")(scope, receive, sent)
            raise  # the server writes it into its log


async def _checked(scope: Scope, receive: Receive) -> Receive:
    """Return where the application reads the body, all of which has come and is not too long.

    Raises:
        _Refusal: the host is none, or the body is too long.
        _Gone: the client has gone.

    """
    headers = Headers(scope=scope)
    if not all(map(_is_host, headers.getlist("host"))):
        raise _Refusal(400, "The header Host names no host.")
    length = headers.get("content-length", "0")
    if not _NUMBER.fullmatch(length):
        raise _Refusal(400, "The header Content-Length is no number.")
    too_long = _Refusal(413, f"The body is too long: {BODY_MOST:,} bytes are taken.")
    if int(length) > BODY_MOST:
        raise too_long
    if int(length) == 0 and "transfer-encoding" not in headers:
        return receive
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _Gone
        body += message.get("body", b"")
        if len(body) > BODY_MOST:
            raise too_long
        if not message.get("more_body", False):
            return _Again({"type": "http.request", "body": bytes(body), "more_body": False}, receive)


class _Again:
    """Hands on a message that was received already, and then what comes."""

    def __init__(self, message: Message, receive: Receive) -> None:
        self._message: Message | None = message
        self._receive = receive

    async def __call__(self) -> Message:
        """Return the next message."""
        if self._message is None:
            return await self._receive()
        message, self._message = self._message, None
        return message


def _is_host(value: str) -> bool:
    try:
        # Whatever builds an address from this header later parses it: it must not fail there.
        return _HOST.fullmatch(value) is not None and urlsplit(f"//{value}").port != 0
    except ValueError:
        return False
