"""What an export is given: the rows of a release, and what people call its categories."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from slac_tasks.storage.datasets.releasing import ReleaseRow


@dataclass(frozen=True, kw_only=True)
class Contents:
    """One release."""

    release: str
    rows: Callable[[], Iterator[ReleaseRow]]
    """Yields the rows in their fixed order, from the start at every call."""
    names: Mapping[str, str]
    """Display name of each category."""
