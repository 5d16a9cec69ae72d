"""JSON documents that people give, read whole. What a reader cannot take for a value stays visible.

A name that an object has twice would lose the first value in silence, and NaN is no number: both become values that no
reader of cells accepts, so that their row is set aside and the others are read.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slac_tasks.errors import BrokenContract
from slac_tasks.given import texts

_MOST_DIGITS = 18


@dataclass(frozen=True)
class NoNumber:
    """NaN or an infinity in the place of a value: what pandas writes for one that is missing."""

    word: str

    def __repr__(self) -> str:
        return f"{self.word}, no number"


@dataclass(frozen=True, kw_only=True)
class Twice:
    """What an object holds under a name that it has more than once."""

    values: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"there {len(self.values)} times, as {' and '.join(map(repr, self.values))}"


def read(path: Path, what: str) -> Any:
    """Return the document.

    Raises:
        BrokenContract: it is no JSON.
        OSError: it cannot be read.

    """
    try:
        text = texts.read(path, escaped=True)
        return json.loads(text, object_pairs_hook=object_of, parse_constant=NoNumber, parse_int=whole_of)
    except (ValueError, RecursionError) as error:
        raise BrokenContract(f"{what} {path}: {fault_of(error)}, want JSON") from error


def fault_of(error: Exception) -> str:
    """Return for people why a text is no JSON that can be read."""
    return "is nested too deeply to be read" if isinstance(error, RecursionError) else str(error)[:200]


def whole_of(digits: str) -> int | str:
    """Return a whole number, or its digits where they are more than any number of ours has."""
    # Python refuses to read thousands of digits; one number must not hold up the file.
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def object_of(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; a name that it has more than once holds `Twice`."""
    found: dict[str, Any] = dict(pairs)
    if len(found) < len(pairs):
        for name in found:
            values = tuple(value for each, value in pairs if each == name)
            if len(values) > 1:
                found[name] = Twice(values=values)
    return found
