"""Items of a plan: what fills the flags of one task's command."""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

MOST_ITEMS = 1024
"""Airflow refuses to map a task over more."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """The work of one task; what is empty fills no flag."""

    category: tuple[str, ...] = ()
    window: tuple[str, ...] = ()
    committee: str | None = None
    parent: str | None = None
    """The committee that `committee` extends."""
    uncovered: tuple[str, ...] = ()
    """Categories that `committee` scores and `parent` does not."""
    words: str | None = None
    """Hash of what these are called, where a member of the settings reads it."""
    round: str | None = None
    labels: str | None = None
    release: str | None = None
    name: str | None = None
    """What the one category is called, where a person is asked about it."""
    reasons: tuple[str, ...] = ()
    """Why the labels were refused, in words."""
    segments: str | None = None
    """Batch of votes about segments that has not become labels."""
    votes: int = 0
    """Votes that wait in the outbox."""
    source: str | None = None
    """Where votes may wait that only `sync` can count."""
    retry: str | None = None
    """Moment: what was dropped before it, and what a later try may get, is tried again."""
    remake: tuple[str, ...] = ()
    """Values of the keys of partitions to make again although they are finished, e.g. `judo/2026-01-05`."""

    def record(self) -> dict[str, Any]:
        """Return the item as JSON has it: one window is a text, several are a list."""
        values = dataclasses.asdict(self)
        if len(self.window) == 1:
            (values["window"],) = self.window
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items() if value}


K = TypeVar("K")


def batches(todo: Mapping[K, Collection[str]], size: int, most: int = MOST_ITEMS) -> list[tuple[K, tuple[str, ...]]]:
    """Return what each key has, a few at a time: at most `most` batches, or one per key where keys are more.

    Args:
        todo: categories by key, which is a window or a round; the order of the keys stays.
        size: categories of a batch; more where there would be too many batches.
        most: how many batches there may be.

    """
    found = {key: sorted(some) for key, some in todo.items() if some}
    largest = max(map(len, found.values()), default=0)
    while size < largest and sum(-(-len(some) // size) for some in found.values()) > most:
        size += 1
    return [
        (key, tuple(some[start : start + size])) for key, some in found.items() for start in range(0, len(some), size)
    ]


def of_windows(todo: Mapping[str, Collection[str]], size: int, most: int = MOST_ITEMS) -> list[Item]:
    """Return items for the categories of each window: nothing is left out, and no item holds more than was asked.

    Where windows are more than `most`, those that want the same categories share items. There are at most `most`, but
    where windows want more different sets of categories: one for each set then, and `handed_on` takes some each day.
    """
    found = batches(dict(sorted(todo.items())), size, most)
    if len(found) <= most:
        return [Item(category=some, window=(window,)) for window, some in found]
    wanting: dict[tuple[str, ...], list[str]] = {}
    for window, some in found:
        wanting.setdefault(some, []).append(window)
    return [Item(category=some, window=windows) for some, windows in batches(wanting, 1, most)]


def handed_on(items: Sequence[Item], day: date) -> Sequence[Item]:
    """Return the items that Airflow can take in one run: others each day, so that those that fail hold up no others.

    All of n items have been handed on after n / `MOST_ITEMS` days, whatever became of those before.
    """
    if len(items) <= MOST_ITEMS:
        return items
    first = day.toordinal() * MOST_ITEMS % len(items)
    return [*items[first:], *items[:first]][:MOST_ITEMS]


def by_window(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Return the categories of each window, of (category, window)."""
    found: dict[str, set[str]] = {}
    for category, window in pairs:
        found.setdefault(window, set()).add(category)
    return found
