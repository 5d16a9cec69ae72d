"""Serve the review, funnel and quality pages, with accounts of their own.

Reads SLAC_STORE and SLAC_DATABASE_URL, SLAC_WEB_USERS (name:password,name:password), SLAC_WEB_SECRET (32 characters
or more of chance, the same in every process of the service) and, if the pages are shown inside another site such as
Airflow's, SLAC_WEB_EMBEDDED_BY (its origin, e.g. https://airflow.example). Put TLS in front.
"""

import argparse
import hashlib
import os

from slac_tasks import config, database, store
from slac_tasks.web.accounts import Accounts
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the service listens."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    parser.add_argument("--port", type=int, default=8090, help="port to listen on (default: 8090)")


def main(arguments: argparse.Namespace) -> None:
    """Serve until stopped.

    Raises:
        NotConfigured: an account, a secret, the store or the ledger is missing.
        Temporary: the ledger does not answer.

    """
    import uvicorn

    from slac_tasks.web.app import make_app

    settings = config.load()
    accounts = Accounts.read(os.environ)
    # Opened once before serving, so that a wrong address is one clear line and not a page that fails.
    database.connect().close()
    app = make_app(
        settings,
        Ledgers(database.connect),
        Media(store=store.connect(settings.store_url), secret=hashlib.sha256(b"media" + accounts.secret).digest()),
        authenticate=accounts.authenticate,
        accounts=accounts,
        embedded_by=os.environ.get("SLAC_WEB_EMBEDDED_BY", ""),
    )
    print(f"slac web: http://{arguments.host}:{arguments.port}/ for {len(accounts.passwords)} people", flush=True)
    uvicorn.run(
        app, host=arguments.host, port=arguments.port, log_level="warning", access_log=False, server_header=False
    )
