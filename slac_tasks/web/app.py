"""The web application: the same pages as a service of their own, or mounted in Airflow with Airflow's login."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slac_tasks.config import Config
from slac_tasks.errors import BrokenContract, NotMade, SlacError, Temporary
from slac_tasks.web import accounts as own_accounts
from slac_tasks.web import pages, review
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.listing import open_to
from slac_tasks.web.media import Media

_STATUS: dict[type[SlacError], int] = {NotMade: 404, BrokenContract: 409, Temporary: 503}


class _Headers:
    """Adds headers to every answer. Not Starlette's base class, which costs a task and two queues per request."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app, self._set = app, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._set)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, sent)


def policy(media_origin: str | None, embedded_by: str) -> str:
    """Return the Content-Security-Policy: everything comes from here, clips perhaps from the store, frames from one."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            f"media-src 'self' {media_origin or ''}".strip(),
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors 'self' {embedded_by}".strip(),
        )
    )


def make_app(
    config: Config,
    ledgers: Ledgers,
    media: Media,
    *,
    authenticate: Callable[..., Any],
    oversee: Callable[..., Any] | None = None,
    accounts: own_accounts.Accounts | None = None,
    embedded_by: str = "",
) -> FastAPI:
    """Return the application.

    Args:
        config: settings; only `review` is used.
        ledgers: connections to the ledger.
        media: how objects reach browsers.
        authenticate: FastAPI dependency that returns the name of who is logged in, or raises HTTPException.
        oversee: the same for funnel and quality, which say names; None where everybody may see them.
        accounts: accounts of the service's own; None where another application owns the login.
        embedded_by: origin that may show the pages in a frame, besides their own.

    """
    app = FastAPI(title="slac", openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(
        pages.routes(
            authenticate,
            oversee or authenticate,
            ledgers,
            media,
            logout=accounts is not None,
            visible=accounts.visible if accounts else lambda request: open_to(lead=True),
        )
    )
    app.include_router(review.routes(authenticate, ledgers, media, config.review))
    if accounts is not None:
        app.include_router(own_accounts.routes(accounts))
    app.add_middleware(
        _Headers,
        headers={
            "Content-Security-Policy": policy(media.origin(), embedded_by),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        },
    )

    @app.exception_handler(SlacError)
    async def _failed(request: Request, failure: SlacError) -> JSONResponse:
        status = next((code for kind, code in _STATUS.items() if isinstance(failure, kind)), 500)
        headers = {"Retry-After": "2"} if status == 503 else None
        # The message may name addresses inside the network: a person in a browser gets the kind alone.
        text = str(failure) if status in (404, 409) else {503: "try again in a moment"}.get(status, "not configured")
        return JSONResponse({"detail": text}, status_code=status, headers=headers)

    @app.get("/health")
    def health() -> dict[str, bool]:
        """Whether the service answers; says nothing else, and needs no login."""
        return {"ok": True}

    return app
