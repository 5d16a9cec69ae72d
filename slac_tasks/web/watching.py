"""What machines ask of the service: whether it can work now, and the platform's gauges.

`/ready` needs no login and says yes or no. `/metrics` holds the names of categories: it wants the bearer token that
SLAC_WEB_METRICS_TOKEN sets, and without that variable nobody reads it.
"""

import hmac
import os
import time
from dataclasses import dataclass, field
from threading import Lock

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from slac_tasks.errors import SlacError
from slac_tasks.reports.gauges import exposition
from slac_tasks.web.ledgers import Ledgers

FRESH_SEC = 15.0
"""For so long the same numbers are told: several servers may ask, and each of their questions reads the ledger."""
LOOK_SEC = 1.0
"""How often the ledger is asked whether it answers: nobody logs in to ask, so anybody may ask as often as they like."""
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class _Kept:
    """The last answer."""

    text: str = ""
    until: float = 0.0
    lock: Lock = field(default_factory=Lock)


@dataclass
class _Look:
    """The last look at the ledger."""

    ok: bool = False
    until: float = 0.0
    lock: Lock = field(default_factory=Lock)

    def at(self, ledgers: Ledgers) -> bool:
        """Return whether the ledger answers; while one caller looks, the others are told what was seen before."""
        if time.monotonic() >= self.until and self.lock.acquire(blocking=False):
            try:
                with ledgers.borrow() as ledger:
                    ledger.rows("unknown_datasets")
                self.ok = True
            except SlacError:
                self.ok = False
            finally:
                self.until = time.monotonic() + LOOK_SEC
                self.lock.release()
        return self.ok


def routes(ledgers: Ledgers, token: str) -> APIRouter:
    """Return `/ready`, and `/metrics` for who has the token; an empty token opens it to nobody."""
    router = APIRouter()
    kept, look = _Kept(), _Look()

    @router.get("/ready")
    def ready() -> JSONResponse:
        """Whether the ledger answers."""
        ok = look.at(ledgers)
        return JSONResponse({"ok": ok}, status_code=200 if ok else 503)

    @router.get("/metrics")
    def metrics(request: Request) -> PlainTextResponse:
        """The gauges of the platform, as Prometheus reads them."""
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        # Both as bytes: a header is read as Latin-1, and a variable as the locale has it.
        if not token or not hmac.compare_digest(given.encode("latin-1"), os.fsencode(token)):
            raise HTTPException(401)
        with kept.lock:
            if time.monotonic() >= kept.until:
                with ledgers.borrow() as ledger:
                    kept.text = exposition(ledger.rows("gauges"))
                kept.until = time.monotonic() + FRESH_SEC
            return PlainTextResponse(kept.text, media_type=_TYPE)

    return router
