"""Serve the pages (review, funnel, quality, duplicates), with accounts of their own (`slac annotator add`).

  slac web --port 8000

Reads SLAC_STORE and SLAC_DATABASE_URL, SLAC_WEB_SECRET (32 characters or more of chance, the same in every process of
the service) and, if the pages are shown inside another site such as Airflow's, SLAC_WEB_EMBEDDED_BY (its origin, e.g.
https://airflow.example).

Put TLS in front. The proxy must pass on the header Host. Its address goes into FORWARDED_ALLOW_IPS (addresses and
networks, separated by commas), so that tries to log in are counted for each browser and not for the proxy. Sessions
travel over https alone, except to a browser on this very machine; SLAC_WEB_SECURE=0 allows plain http, 1 never does and
has browsers ask this host over https alone (HSTS).

`/health` says that the service runs, `/ready` that the ledger answers too. `/metrics` has gauges for Prometheus, which
shows SLAC_WEB_METRICS_TOKEN as its bearer token.

Slow and numerous clients are cut (slac_tasks/web/connections.py). A proxy in front holds the connections of strangers
instead, so it needs limits of its own. A port that is in use ends the command with 75. Its workers end with it.
"""

import argparse
import errno
import hashlib
import os
import signal
import socket
import threading
from contextlib import suppress
from functools import partial
from multiprocessing import connection, parent_process

from fastapi import FastAPI

from slac_tasks import config
from slac_tasks.errors import NotConfigured, Temporary
from slac_tasks.given.flags import whole
from slac_tasks.progress import print_line
from slac_tasks.signals import Stopped
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.web.accounts import Account, Accounts, secret_of, secure_of
from slac_tasks.web.app import make_app
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media
from slac_tasks.web.sessions import LedgerSessions

LAST_REQUESTS_SEC = 5
"""How long a service that is stopped waits for the requests that it is answering."""
WAITING_MOST = 2048
"""Connections that wait to be taken."""
HUNG_SEC = 30
"""A worker that does not answer the first process for this long is replaced."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the service listens."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
    parser.add_argument("--port", type=whole(0, 65_535), default=8090, help="port to listen on (default: 8090)")
    parser.add_argument("--workers", type=whole(1, 1_000), default=2, help="processes that answer (default: 2)")


def application() -> FastAPI:
    """Make the application of one process of the service from its environment.

    Raises:
        NotConfigured: the secret or the store is missing, or SLAC_WEB_SECURE is neither 0 nor 1.

    """
    if (first := parent_process()) is not None:
        threading.Thread(
            target=_end_with, args=(first.sentinel,), name="end with the first process", daemon=True
        ).start()
    settings = config.load()
    secret = secret_of(os.environ)
    ledgers = Ledgers(partial(open_ledger, newer=True))

    def find(name: str) -> Account | None:
        with ledgers.borrow() as ledger:
            row = ledger.one("web_account", annotator=name)
        return Account(name=row["annotator"], password=row["password"], role=row["role"]) if row else None

    accounts = Accounts(
        find=find, secret=secret, sessions=LedgerSessions(ledgers), secure=secure_of(os.environ)
    )  # fmt: skip
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
        metrics_token=os.environ.get("SLAC_WEB_METRICS_TOKEN", ""),
    )


def _end_with(process: int) -> None:
    """End this process, a worker, when the first one has ended in whatever way: nobody would end it later."""
    connection.wait([process])
    os.kill(os.getpid(), signal.SIGKILL)


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there.

    Raises:
        Temporary: another process does.
        NotConfigured: this machine has no such address, or this user may not use the port.

    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(WAITING_MOST)
    except (OSError, OverflowError) as error:
        listener.close()
        place = f"{host} port {port}"
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise Temporary(f"{place}: another process listens there, want a free port (--port)") from error
        reason = error.strerror if isinstance(error, OSError) else "no such port"
        raise NotConfigured(
            f"{place}: {reason}, want an address of this machine (--host) and a port (--port)"
        ) from error
    listener.set_inheritable(True)
    return listener


def main(arguments: argparse.Namespace) -> None:
    """Serve until stopped.

    Raises:
        NotConfigured: the secret, the store or the ledger is missing, or the address is none of this machine.
        Temporary: the ledger does not answer, or another process listens at the address.

    """
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from slac_tasks.web.connections import IDLE_SEC, Connection

    # Tried once before serving, so that what is wrong is one clear line and not a page that fails.
    open_ledger().close()
    application()
    with _listen(arguments.host, arguments.port) as listener:
        print(f"slac web: http://{arguments.host}:{arguments.port}/", flush=True)
        served = uvicorn.Config(
            "slac_tasks.commands.web:application",
            factory=True,
            workers=arguments.workers,
            http=Connection,
            ws="none",
            lifespan="off",
            log_level="error",  # a warning for each malformed request would let a stranger fill the log
            access_log=False,
            server_header=False,
            timeout_keep_alive=IDLE_SEC,
            timeout_graceful_shutdown=LAST_REQUESTS_SEC,
            timeout_worker_healthcheck=HUNG_SEC,
        )
        if arguments.workers > 1:
            Multiprocess(served, sockets=[listener]).run()
        else:
            # When its last requests are answered, uvicorn lets the signal through once more.
            with suppress(KeyboardInterrupt, Stopped):
                uvicorn.Server(served).run(sockets=[listener])
    print_line("slac web: stopped")
