"""Past windows of a category: which of them people want, how many videos may come of them, and whether it goes on.

A category that was added without any of this wants every window that was collected for another one. The windows come
newest first. A window is begun while the videos of those before it, made or to be expected, are below the budget; the
last one may go over it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import mean
from typing import Literal

from slac_tasks.errors import WrongArguments
from slac_tasks.model import Window
from slac_tasks.storage import records
from slac_tasks.storage.datasets import VIDEOS
from slac_tasks.storage.ledger import Ledger

State = Literal["running", "paused", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class Backfill:
    """What is asked of the past windows of one category."""

    category: str
    first_window: str | None = None
    last_window: str | None = None
    videos_most: int | None = None
    """Budget; None: none."""
    floor: float | None = None
    """Share of its positives that must be right; None: what the settings say."""
    state: State = "running"

    def after(self, known: "Backfill | None") -> "Backfill":
        """Return what is asked for once this is asked too: what it does not say stays, and what rested goes on.

        Args:
            known: what was asked for before; None: nothing, so the newest window that has ended is the last.

        Raises:
            WrongArguments: no window lies between the bounds of both together.

        """
        known = known or Backfill(category=self.category, last_window=newest_window())
        found = replace(known, **{name: value for name, value in asdict(self).items() if value is not None})
        first, last = found.first_window, found.last_window
        if first and last and first > last:
            raise WrongArguments(
                f"past windows of {self.category}: --from {first} --to {last}: the first window is after the last; "
                "what is not given stays as it was asked for before"
            )
        return found

    def holds(self, window: str) -> bool:
        """Return whether a window is one of those that are asked for."""
        return is_within(window, self.first_window, self.last_window)

    def beyond(self, collected: Collection[str]) -> str | None:
        """Return in words that windows are asked for which no category has: only a backfill of all collects them.

        Args:
            collected: all windows that were collected for some category.

        Returns: None where the first that is asked for is one of these, or none is named.

        """
        if not any(map(self.holds, collected)):
            lacking = "none of those that are asked for was"
        elif self.first_window and self.first_window < (oldest := min(collected)):
            lacking = f"none before {oldest} was"
        else:
            return None
        return (
            f"past windows of {self.category}: {lacking} collected for any category, so none of them comes by itself; "
            "a backfill of `collect_videos` in Airflow collects such windows, for all categories"
        )

    def rests(self, window: str) -> bool:
        """Return whether nothing shall be done for a window now: it is paused, or not to be done at all."""
        return self.state != "running" and self.holds(window)

    def wanted(self, windows: Collection[str], made: Mapping[str, int], expected: float) -> Iterator[str]:
        """Yield the windows to collect now, newest first.

        Args:
            windows: all windows that were collected for some category.
            made: videos of this category by window, where they were collected.
            expected: videos to expect of a window.

        """
        if self.state != "running":
            return
        asked = [window for window in sorted(windows, reverse=True) if self.holds(window)]
        videos = float(sum(made.get(window, 0) for window in asked))
        for window in asked:
            if window in made:
                continue
            if self.videos_most is not None and videos >= self.videos_most:
                return
            yield window
            videos += expected


def newest_window() -> str:
    """Return the newest window that has ended."""
    return str(Window.of(datetime.now(UTC) - timedelta(days=7)))


def bounds(first: str | None, last: str | None) -> tuple[str | None, str | None]:
    """Return the first and the last window that a person asks for; None: no bound.

    Raises:
        WrongArguments: one is no window, or no window that has ended lies between them.

    """
    first, last = (str(Window.parse(text)) if text else None for text in (first, last))
    if first and first > (end := last or newest_window()):
        raise WrongArguments(f"--from {first} --to {end}: the first window is after the last")
    return first, last


def is_within(window: str, first: str | None, last: str | None) -> bool:
    """Return whether a window is none of those before the first and after the last; None: no bound."""
    return (first or "") <= window and (last is None or window <= last)


def backfills(ledger: Ledger) -> dict[str, Backfill]:
    """Return what is asked of the past windows of categories, where something is."""
    return {one.category: one for one in ledger.all(Backfill, "category_plans")}


def collected_windows(ledger: Ledger) -> set[str]:
    """Return all windows that were collected for some category: of these alone past windows are taken."""
    return {one.keys["window"] for one in records.current(ledger, VIDEOS)}


def expected_videos(made: Collection[int]) -> float:
    """Return the videos to expect of a (category, window), from those of other ones; 1 where none was collected."""
    return max(1.0, mean(made)) if made else 1.0
