"""A lead's word while it is written down: of whoever was forgotten since the request began, nothing is."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import HTTPException

from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.people import keep_known
from slac_tasks.web.ledgers import Ledgers


@contextmanager
def word_of(ledgers: Ledgers, person: str, *, admits: bool) -> Iterator[Ledger]:
    """Lend a connection in a transaction, until whose end the person is not forgotten.

    Args:
        ledgers: connections to the ledger.
        person: who is logged in.
        admits: see `make_app`.

    Raises:
        HTTPException: 401: the person was forgotten while the request was under way.

    """
    with ledgers.borrow() as ledger, ledger.transaction():
        if not keep_known(ledger, person) and not admits:
            raise HTTPException(401, "not logged in")
        yield ledger
