"""The review service over a real ledger, for people who are logged in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.types import ASGIApp

from slac_tasks.config import Config
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.web.accounts import COOKIE, Account, Accounts
from slac_tasks.web.app import make_app
from slac_tasks.web.ledgers import Ledgers
from slac_tasks.web.media import Media

LEAD = Account(name="ada", password="", role="lead")


@dataclass(frozen=True, kw_only=True)
class Service:
    app: ASGIApp
    accounts: Accounts

    def cookie(self, person: Account) -> tuple[bytes, bytes]:
        """Return the header of a person's requests."""
        return b"cookie", f"{COOKIE}={self.accounts.session(person)}".encode()


@contextmanager
def service(ledger_url: str, store: FolderStore, *people: Account) -> Iterator[Service]:
    """Serve these people."""
    ledgers = Ledgers(lambda: Ledger(ledger_url))
    accounts = Accounts(find={person.name: person for person in people}.get, secret=b"s" * 32)
    app = make_app(
        Config(store_url=store.url), ledgers, Media(store=store, secret=b"key"), authenticate=accounts.authenticate,
        oversee=accounts.oversee, accounts=accounts,
    )  # fmt: skip
    try:
        yield Service(app=app, accounts=accounts)
    finally:
        ledgers.close()
