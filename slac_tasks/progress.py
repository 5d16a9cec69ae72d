"""What a command prints for people while it works: lines, and the progress of long loops."""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from slac_tasks.given.words import printable

T = TypeVar("T")

_EVERY_SEC = 30.0
_HOUR_SEC = 3600.0
_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


def print_line(line: str) -> None:
    """Print one line on stderr, at once. The last line of a command is its result.

    What strangers named may hold line breaks and the commands of a terminal: they are escaped.
    """
    print(printable(line), file=sys.stderr, flush=True)


def print_json(rows: Iterable[Mapping[str, object]]) -> None:
    """Print each row on stdout as one object of JSON on a line of its own; moments and days are ISO 8601."""
    for row in rows:
        print(json.dumps(row, default=_plain))


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        # Postgres adds whole numbers up to a numeric.
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def span(seconds: float) -> str:
    """Return so many seconds in words, in hours where they are many."""
    return f"{seconds:.0f} s" if seconds < _HOUR_SEC else f"{seconds / _HOUR_SEC:.1f} h"


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 label`, `2,000 labels`, `0 categories`; `many`: what stands for all but one."""
    many = many or (f"{one[:-1]}ies" if one.endswith("y") else f"{one}s")
    return f"{number:,} {one if number == 1 else many}"


def amount(size_bytes: float) -> str:
    """Return so many bytes in words; a KB is a thousand of them."""
    size, unit = size_bytes, 0
    while size >= 999.5 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"


def track(iterable: Iterable[T], total: int | None, what: str) -> Iterator[T]:
    """Yield the items of `iterable` and show how far it is and how long it may still take.

    On a terminal that is a bar; in a log file a line now and then.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm  # takes a tenth of what a short command takes to start

        yield from tqdm(iterable, total=total, desc=what, leave=False)
        return
    # Airflow's logs hold lines, and not redrawn bars.
    pace = Pace(total)
    for done, item in enumerate(iterable, start=1):
        yield item
        if pace.due(done):
            print(f"{what}: {pace.left(done)}", file=sys.stderr, flush=True)


class Pace:
    """Says now and then how far a long loop is; for loops that print lines of their own, in a terminal too."""

    def __init__(self, total: int | None, *, first: int = 0) -> None:
        """Begin to measure.

        Args:
            total: how many rounds there are; None: not known.
            first: a line is due after so many rounds too, so that the end is known early; 0: none.

        """
        self._total, self._early = total, first
        self._started = self._said = time.monotonic()
        self._first: int | None = None

    def due(self, done: int) -> bool:
        """Return whether a line is due after `done` of all rounds; the first call says where the loop began."""
        if self._first is None:
            self._first = done - 1
        now = time.monotonic()
        early = bool(self._early) and done - self._first >= self._early
        if not early and now - self._said < _EVERY_SEC:
            return False
        self._early = 0
        self._said = now
        return True

    def a_second(self, done: int) -> float:
        """Return the rounds in a second so far."""
        return (done - (self._first or 0)) / max(1e-9, time.monotonic() - self._started)

    def left(self, done: int) -> str:
        """Return how far it is, and where the total is known, how long it may still take."""
        if not self._total:
            return str(done)
        seconds = (self._total - done) / self.a_second(done)
        left = f"{done} of {self._total}, about {span(seconds)} left"
        if seconds < _HOUR_SEC:
            return left
        return f"{left}, until {datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%d %H:%M} UTC"
