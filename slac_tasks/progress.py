"""What a command prints for people while it works: lines, and the progress of long loops."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from slac_tasks.given.words import printable

T = TypeVar("T")

_EVERY_SEC = 30.0


def print_line(line: str) -> None:
    """Print one line on stderr, at once. The last line of a command is its result.

    What strangers named may hold line breaks and the commands of a terminal: they are escaped.
    """
    print(printable(line), file=sys.stderr, flush=True)


def track(iterable: Iterable[T], total: int | None, what: str) -> Iterator[T]:
    """Yield the items of `iterable` and show how far it is and how long it may still take.

    On a terminal that is a bar; in a log file a line now and then.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm  # takes a tenth of what a short command takes to start

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
