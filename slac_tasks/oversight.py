"""Put what the newest labels say of people and categories where the pages read it."""

from collections.abc import Iterable, Mapping
from typing import Any

from slac_tasks.database import Ledger


def remember_people(
    ledger: Ledger, labels: str, people: Iterable[Mapping[str, Any]], agreement: Iterable[Mapping[str, Any]]
) -> None:
    """Replace the ledger's copy of the datasets `people` and `agreement` by this version's rows.

    The caller opens the transaction, so that readers see the old rows or the new ones.
    """
    ledger.run("clear_annotator_quality")
    ledger.run_many("add_annotator_quality", [{**row, "labels": labels} for row in people])
    ledger.run_many("add_category_agreement", [{**row, "labels": labels} for row in agreement])
