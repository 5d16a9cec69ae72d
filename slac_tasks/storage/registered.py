"""Which categories are registered, and whose word may be written down."""

from collections.abc import Iterable

from slac_tasks.errors import Temporary, WrongArguments
from slac_tasks.given.words import wanted
from slac_tasks.storage.ledger import Ledger


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


def keep_known(ledger: Ledger, name: str) -> bool:
    """Keep somebody whose name is about to be written from being forgotten until the transaction ends.

    Returns: whether the name is that of a known person. A word may be of somebody else, such as a lead of Airflow.

    Raises:
        Temporary: the person is being forgotten now.

    """
    ledger.rows("keep_known", name=name, alone=False)
    (person,) = ledger.rows("is_known", name=name)
    if person["is_going"]:
        raise Temporary("names of people: somebody is being forgotten now; nothing was done, run it again")
    return bool(person["is_known"])
