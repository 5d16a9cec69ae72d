"""Progress of long loops, for people: a bar on a terminal; in a log file, now and then a line with an estimate."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")

_EVERY_SEC = 30.0


def track(iterable: Iterable[T], total: int | None, what: str) -> Iterator[T]:
    """Yield the items of `iterable` and show how far it is and how long it may still take."""
    if sys.stderr.isatty():
        yield from tqdm(iterable, total=total, desc=what, leave=False)
        return
    # Airflow's logs hold lines, and not redrawn bars.
    started = said = time.monotonic()
    for done, item in enumerate(iterable, start=1):
        yield item
        now = time.monotonic()
        if now - said >= _EVERY_SEC:
            said = now
            left = f" of {total}, about {(now - started) / done * (total - done):.0f} s left" if total else ""
            print(f"{what}: {done}{left}", file=sys.stderr, flush=True)
