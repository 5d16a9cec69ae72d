"""Of which categories the store holds anything."""

from collections.abc import Iterable, Sequence

from slac_tasks.errors import WrongArguments
from slac_tasks.given.words import wanted
from slac_tasks.storage.datasets import ALL
from slac_tasks.storage.store import Store


def check_categories(store: Store, categories: Sequence[str], reads: Iterable[str]) -> None:
    """Refuse categories of which the store holds nothing, where it holds something of others.

    One that is there is enough: the stage does it, and names the others as failed. A store that holds nothing of any
    category says nothing of a name.

    Args:
        store: what is looked at.
        categories: keys, as the command line names them.
        reads: names of datasets; the first that is made by category decides.

    Raises:
        WrongArguments: none of the categories is there.

    """
    first = next((ALL[name] for name in reads if ALL[name].keys[:1] == ("category",)), None)
    if first is None or not categories:
        return
    folders = [f"{first.name}/v{version}/" for version in first.readable]
    if any(_holds(store, f"{folder}category={category}/") for category in categories for folder in folders):
        return
    known = {name.split("/")[2].removeprefix("category=") for folder in folders for name in store.names(folder)}
    if known:
        instead = wanted(categories[0], sorted(known))
        raise WrongArguments(f"category {categories[0]!r}: the store holds no {first.name} of it, {instead}")


def _holds(store: Store, prefix: str) -> bool:
    return next(iter(store.names(prefix)), None) is not None
