"""The web application: the same pages as a service of their own, or mounted in Airflow with Airflow's login."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from slac_tasks.config import Config
from slac_tasks.web import accounts as own_accounts
from slac_tasks.web import (
    clip_map,
    clips,
    dashboard,
    desk,
    duplicates,
    expectations,
    failures,
    pages,
    reports,
    review,
    reviewer,
    segments,
    watching,
)
from slac_tasks.web.door import Door
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.listing import open_to
from slac_tasks.web.media import Media

HTTPS_ALONE_SEC = 365 * 86_400
"""How long a browser asks this host over https alone, where SLAC_WEB_SECURE is 1."""


def framed_by(origin: str) -> str:
    """Return the directive of the policy that says who may show pages in a frame."""
    return f"frame-ancestors 'self' {origin}".strip()


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
            framed_by(embedded_by),
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
    metrics_token: str = "",
) -> FastAPI:
    """Return the application.

    Args:
        config: settings; only `review` and `segments` are used.
        ledgers: connections to the ledger.
        media: how objects reach browsers.
        authenticate: FastAPI dependency that returns the name of who is logged in, or raises HTTPException.
        oversee: the same for the pages of leads, which say names; None where everybody may see them.
        accounts: accounts of the service's own; None where another application owns the login: the pages then admit
            whoever is logged in, as a reviewer. A person with an account is known, and one who was forgotten while the
            request was under way must not be known again.
        embedded_by: origin that may show the pages in a frame, besides their own.
        metrics_token: what a reader of the gauges shows; empty: nobody reads them.

    """
    app = FastAPI(title="slac", openapi_url=None, docs_url=None, redoc_url=None)
    oversee = oversee or authenticate
    admits = accounts is None
    bar = pages.Bar(
        logout=accounts is not None, visible=accounts.visible if accounts else lambda request: open_to(lead=True)
    )
    app.include_router(pages.routes(authenticate, oversee, ledgers, media, bar))
    app.include_router(expectations.routes(oversee, media.store, bar))
    app.include_router(dashboard.routes(oversee, ledgers, media.store, bar))
    app.include_router(reports.routes(oversee, ledgers, media.store, bar, framed_by(embedded_by)))
    app.include_router(clips.routes(oversee, ledgers, media, bar))
    app.include_router(clip_map.routes(oversee, ledgers, media, bar))
    app.include_router(desk.routes(oversee, ledgers, admits=admits))
    app.include_router(duplicates.routes(oversee, ledgers, admits=admits))
    app.include_router(review.routes(authenticate, ledgers, media, config.review, admits=admits))
    app.include_router(reviewer.routes(authenticate, oversee, ledgers, media, config.review, bar, admits=admits))
    app.include_router(segments.routes(authenticate, ledgers, media, config.segments, admits=admits))
    app.include_router(watching.routes(ledgers, metrics_token))
    if accounts is not None:
        app.include_router(own_accounts.routes(accounts))
    failures.install(app)
    headers = {
        "Content-Security-Policy": policy(media.origin(), embedded_by),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
    if accounts is not None and accounts.secure:
        headers["Strict-Transport-Security"] = f"max-age={HTTPS_ALONE_SEC}"
    app.add_middleware(Door, headers=headers)

    @app.get("/health")
    async def health() -> dict[str, bool]:
        """Whether the service answers; says nothing else, and needs no login.

        Asynchronous: it answers also while every thread is busy.
        """
        return {"ok": True}

    return app
