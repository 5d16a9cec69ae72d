"""Which categories are registered, and which of them are at work."""

from collections.abc import Iterable

from slac_tasks.errors import WrongArguments
from slac_tasks.given.words import wanted
from slac_tasks.storage.ledger import Ledger


def at_work(ledger: Ledger) -> list[str]:
    """Return the registered categories that are not retired, in order."""
    return [str(row["category"]) for row in ledger.rows("categories") if row["retired_at"] is None]


def check_registered(ledger: Ledger, categories: Iterable[str]) -> None:
    """Refuse categories that are not registered.

    Raises:
        WrongArguments: one is not; the message names those that are close to it, or all.

    """
    registered = [str(row["category"]) for row in ledger.rows("categories")]
    for category in categories:
        if category not in registered:
            instead = wanted(category, registered) if registered else "want `slac register` before"
            raise WrongArguments(f"category {category!r}: not registered, {instead}")
