"""Numbers and paths on a command line."""

import math
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

from slac_tasks.given.folders import path_of

_MOST = 2**31 - 1
"""What a whole number of the ledger holds; nobody counts further by hand."""


def whole(least: int, most: int = _MOST) -> Callable[[str], int]:
    """Return what reads a whole number in this range, for `type` of an argument."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise ArgumentTypeError(f"is {text[:40]!r}, want a whole number from {least} to {most}")
        return value

    return read


def path(text: str) -> Path:
    """Return a path that was given.

    An empty word is refused: it is a variable of a shell that is not set, and to Python it names the folder in which
    the command runs.
    """
    if not text:
        raise ArgumentTypeError("is empty, want a path")
    return path_of(text)


def number(text: str) -> float:
    """Return a number that was given, for `type` of an argument. NaN is none: it is neither above a limit nor below."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ArgumentTypeError(f"is {text[:40]!r}, want a number")
    return value
