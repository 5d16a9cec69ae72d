"""A file or folder that is to be read: each reader looks at it through the same few windows, and it is read once."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from slac_tasks.errors import WrongArguments
from slac_tasks.given import documents, lists
from slac_tasks.given.tables import DELIMITERS, Line

WHAT = "annotations"
"""The noun by which a message names such a file."""


@dataclass(frozen=True)
class Opened:
    """One path, as a reader sees it."""

    path: Path

    def __post_init__(self) -> None:
        try:
            self.path.stat()
        except FileNotFoundError as error:
            raise WrongArguments(f"{WHAT} {self.path}: is not there, want a file or a folder") from error
        except OSError as error:
            raise WrongArguments(f"{WHAT} {self.path}: cannot be read: {error.strerror}") from error

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of videos and no list."""
        return self.path.is_dir()

    @cached_property
    def lines(self) -> list[tuple[int, str]]:
        """Its lines that are not blank, each with its number."""
        try:
            return [] if self.is_folder else lists.lines(self.path, WHAT)
        except OSError as error:
            raise WrongArguments(f"{WHAT} {self.path}: cannot be read: {error.strerror}") from error

    @property
    def first(self) -> str:
        """Its first line; empty where it has none."""
        return self.lines[0][1] if self.lines else ""

    @property
    def is_json(self) -> bool:
        """Whether it looks like a JSON document."""
        return self.first[:1] in ("{", "[")

    @cached_property
    def document(self) -> Any:
        """The JSON document; None where it is none."""
        return documents.read(self.path, WHAT) if self.is_json else None

    @cached_property
    def objects(self) -> Sequence[Mapping[str, Any]]:
        """The objects that its JSON document holds by name.

        What most of them hold tells a format from another one; a single one may hold anything.
        """
        held = self.document.values() if isinstance(self.document, Mapping) else ()
        return [each for each in held if isinstance(each, Mapping)]

    @cached_property
    def names(self) -> Counter[str]:
        """In how many of the `objects` each name stands."""
        return Counter(name for each in self.objects for name in each)

    @cached_property
    def columns(self) -> frozenset[str]:
        """What its first line may name as columns, in small letters."""
        if self.is_json or not self.first:
            return frozenset()
        found = max((self.first.split(each) for each in DELIMITERS), key=len)
        return frozenset(each.strip().strip('"').casefold() for each in found)

    def table(self, *, needed: Collection[str], known: Collection[str]) -> Iterator[Line]:
        """Yield its lines as lines of a csv; see `lists.table`."""
        return lists.table(self.path, WHAT, needed=needed, known=known)
