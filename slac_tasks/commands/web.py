"""Serve the review, funnel and quality pages, with accounts of their own (`slac annotator add`).

Reads SLAC_STORE and SLAC_DATABASE_URL, SLAC_WEB_SECRET (32 characters or more of chance, the same in every process of
the service) and, if the pages are shown inside another site such as Airflow's, SLAC_WEB_EMBEDDED_BY (its origin, e.g.
https://airflow.example).

Put TLS in front. The proxy must pass on the header Host. Its address goes into FORWARDED_ALLOW_IPS (addresses and
networks, separated by commas), so that tries to log in are counted for each browser and not for the proxy. Sessions
travel over https alone, except to a browser on this very machine; SLAC_WEB_SECURE=0 allows plain http, 1 never does.
"""

import argparse
import hashlib
import os

from fastapi import FastAPI

from slac_tasks import config
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.web.accounts import Account, Accounts, secret_of, secure_of
from slac_tasks.web.app import make_app
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the service listens."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    parser.add_argument("--port", type=int, default=8090, help="port to listen on (default: 8090)")
    parser.add_argument("--workers", type=int, default=2, help="processes that answer (default: 2)")


def application() -> FastAPI:
    """Make the application of one process of the service from its environment.

    Raises:
        NotConfigured: the secret or the store is missing, or SLAC_WEB_SECURE is neither 0 nor 1.

    """
    settings = config.load()
    secret = secret_of(os.environ)
    ledgers = Ledgers(open_ledger)

    def find(name: str) -> Account | None:
        with ledgers.borrow() as ledger:
            row = ledger.one("web_account", annotator=name)
        return Account(name=row["annotator"], password=row["password"], role=row["role"]) if row else None

    accounts = Accounts(find=find, secret=secret, secure=secure_of(os.environ))
    media = Media(
        store=open_store(settings.store_url),
        secret=hashlib.sha256(b"media" + secret).digest(),
        seconds=settings.review.media_sec,
    )
    return make_app(
        settings,
        ledgers,
        media,
        authenticate=accounts.authenticate,
        oversee=accounts.oversee,
        accounts=accounts,
        embedded_by=os.environ.get("SLAC_WEB_EMBEDDED_BY", ""),
    )


def main(arguments: argparse.Namespace) -> None:
    """Serve until stopped.

    Raises:
        NotConfigured: the secret, the store or the ledger is missing.
        Temporary: the ledger does not answer.

    """
    import uvicorn

    # Tried once before serving, so that what is wrong is one clear line and not a page that fails.
    open_ledger().close()
    application()
    print(f"slac web: http://{arguments.host}:{arguments.port}/", flush=True)
    uvicorn.run(
        "slac_tasks.commands.web:application",
        factory=True,
        workers=arguments.workers,
        host=arguments.host,
        port=arguments.port,
        log_level="warning",
        access_log=False,
        server_header=False,
    )
