"""Small objects of the store that hold one thing each, as JSON: a withdrawal, an excluded video, a known segment."""

import json
from collections.abc import Callable
from typing import TypeVar

from slac_tasks.errors import BrokenContract

T = TypeVar("T")


def decoded(name: str, data: bytes, kind: Callable[..., T], what: str) -> T:
    """Return what a note holds.

    Args:
        name: of the object.
        data: its bytes.
        kind: takes the values of the note by name.
        what: what the note should be, in a word or two.

    Raises:
        BrokenContract: it holds no such thing.

    """
    try:
        return kind(**json.loads(data))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        found = f"{data[:40]!r}{'...' if len(data) > 40 else ''}"
        raise BrokenContract(f"object {name}: found {found}, want {what} ({str(error)[:120]})") from error
