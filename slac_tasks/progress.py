"""Progress of long loops, for people: a bar on a terminal, nothing in a log file."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def track(iterable: Iterable[T], total: int | None, what: str) -> Iterator[T]:
    """Yield the items of `iterable` and show how far it is."""
    # disable=None: shown on a terminal only, so that Airflow's logs hold lines and not redrawn bars.
    yield from tqdm(iterable, total=total, desc=what, disable=None, leave=False)
