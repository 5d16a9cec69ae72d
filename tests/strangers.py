"""Requests as strangers make them: any bytes in any place, straight into an application."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

SECURITY = ("content-security-policy", "x-content-type-options", "referrer-policy")


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_page(self) -> bool:
        return self.headers["content-type"].startswith("text/html")


def ask(
    app: ASGIApp,
    method: str,
    target: bytes,
    *,
    headers: Iterable[tuple[bytes, bytes]] = (),
    body: Iterable[bytes] = (),
    host: bytes = b"slac.test",
) -> Answer:
    """Make one request as the server hands it on. A failure of the application is its answer, not an exception here."""
    path, _, query = target.partition(b"?")
    parts = list(body) or [b""]
    sent: list[Message] = []

    async def receive() -> Message:
        if parts:
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}
        await asyncio.Event().wait()  # the client stays
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(path.decode("ascii")), "raw_path": path, "query_string": query, "root_path": "",
        "headers": [(b"host", host), *headers], "client": ("10.0.0.1", 1), "server": ("10.0.0.2", 80),
    }  # fmt: skip

    async def one() -> None:
        try:
            await app(scope, receive, send)
        except Exception:
            assert sent, "the failure got no answer"

    asyncio.run(one())
    start, *rest = sent
    return Answer(
        status=start["status"],
        headers={name.decode(): value.decode("latin-1") for name, value in start["headers"]},
        body=b"".join(message.get("body", b"") for message in rest),
    )
