"""Whose word may be written down: a name must not come back after its person was forgotten."""

from slac_tasks.errors import Temporary
from slac_tasks.storage.ledger import Ledger


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
