"""What a plan will take before anything runs: videos, bytes, clips, seconds of each known device, and people's hours.

What is not made yet is expected to be as what was made before: videos of a (category, window), bytes of a video, clips
of a video. How fast a device scores is what earlier runs measured on it (`slac_tasks.networks.rates`). Where nothing is
known a line says so.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import mean
from typing import Any

from slac_tasks.networks.committees import rows_by_category
from slac_tasks.networks.rates import Rate, Work, rates, size_words
from slac_tasks.planning.items import Item
from slac_tasks.planning.planner import Planner
from slac_tasks.progress import amount, span
from slac_tasks.storage.datasets import CLIPS, FETCHED, SCORES, VIDEOS
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.records import Current

Pair = tuple[str, str]
"""(category, window)."""

_SIZED = 8
"""Partitions of fetched videos whose sizes are read: the newest ones."""


def estimate(planner: Planner, dag: str, items: Sequence[Item]) -> list[str]:
    """Return in lines what these items of the plan of a DAG, one of `ESTIMATES`, will take."""
    pairs = [(category, window) for item in items for window in item.window for category in item.category]
    if not pairs:
        return ["nothing: everything is finished"]
    remade = {pair for pair in pairs for item in items if "/".join(pair) in item.remake}
    return list(ESTIMATES[dag](_Known(planner=planner, pairs=pairs, remade=remade, tasks=len(items))))


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What the ledger and the store know that bears on a plan."""

    planner: Planner
    pairs: Sequence[Pair]
    """What is planned."""
    remade: Collection[Pair]
    """What of it is made again although it is finished."""
    tasks: int
    """Commands of a stage in which it is done."""

    @cached_property
    def fetched(self) -> Sequence[Current]:
        """What was fetched."""
        return self.planner.current(FETCHED)

    @property
    def to_fetch(self) -> Sequence[Pair]:
        """What is planned and fetched wholly."""
        made = {(one.keys["category"], one.keys["window"]) for one in self.fetched} - set(self.remade)
        return [pair for pair in self.pairs if pair not in made]

    @cached_property
    def videos(self) -> Mapping[Pair, int]:
        """Admitted videos."""
        return self._rows(VIDEOS)

    @cached_property
    def clips(self) -> Mapping[Pair, int]:
        """Clips that were cut."""
        return self._rows(CLIPS)

    def _rows(self, dataset: Dataset[Any]) -> Mapping[Pair, int]:
        found = self.planner.current(dataset)
        return {(one.keys["category"], one.keys["window"]): one.row_count for one in found}

    @cached_property
    def videos_of_a_pair(self) -> float | None:
        """Videos to expect of a (category, window); None: none was collected."""
        return mean(self.videos.values()) if self.videos else None

    @cached_property
    def clips_of_a_video(self) -> float | None:
        """Clips to expect of a video; None: none was cut."""
        videos = sum(self.videos.get(pair, 0) for pair in self.clips)
        return sum(self.clips.values()) / videos if videos else None

    @cached_property
    def bytes_of_a_video(self) -> float | None:
        """Bytes to expect of a download; None: none is known."""
        made = [one for one in self.fetched if one.row_count]
        newest = sorted(made, key=lambda one: (one.keys["window"], one.keys["category"]))[-_SIZED:]
        tables = [self.planner.datasets.read(FETCHED, ["size_bytes"], **one.keys) for one in newest]
        sizes = [size for table in tables for size in table["size_bytes"].to_pylist()]
        return mean(sizes) if sizes else None

    def clips_of(self, pair: Pair) -> float | None:
        """Return the clips of a (category, window), or those to expect of it; None: nothing is known."""
        if pair in self.clips:
            return self.clips[pair]
        videos = self.videos.get(pair, self.videos_of_a_pair)
        each = self.clips_of_a_video
        return 0.0 if videos == 0 else None if videos is None or each is None else videos * each

    @cached_property
    def members(self) -> Mapping[str, Sequence[CommitteeRow]]:
        """The rows of the committee that scores, by category."""
        committee = self.planner.score_with or self.planner.committee
        return rows_by_category(self.planner.datasets, committee) if committee else {}

    @cached_property
    def scored(self) -> Collection[tuple[str, str, str]]:
        """(category, window, weights) that stand."""
        behind = [keys for _, keys in self.planner.outdated(CLIPS, SCORES)]
        # Clips that will be cut again have no weights: then no scores of theirs stand.
        again = {(keys["category"], keys["window"], keys.get("weights")) for keys in behind}
        keys = (one.keys for one in self.planner.current(SCORES))
        found = {(one["category"], one["window"], one["weights"]) for one in keys}
        return {one for one in found if again.isdisjoint((one, (*one[:2], None)))}

    def work_of(self, pair: Pair) -> Work:
        """Return what is still to be done with each clip of a (category, window).

        Members that the settings name and that do not score the category yet are trained by `bootstrap`; they count.
        """
        seats, settings = self.members.get(pair[0], ()), self.planner.settings
        lacking = [row for row in seats if (*pair, row.weights) not in self.scored]
        joins = () if self.planner.score_with else settings.committee.members
        joining = set(joins) - {row.member for row in seats}
        known = Work.of(lacking, settings.scoring)
        return Work(networks=tuple(sorted([*known.networks, *joining])), scoring=settings.scoring)


def _collecting(known: _Known) -> Iterator[str]:
    """Yield what collecting takes, and what scoring will take after it."""
    pairs, each, size = len(known.to_fetch), known.videos_of_a_pair, known.bytes_of_a_video
    videos = None if each is None else pairs * each
    if pairs:
        yield (
            f"{pairs:,} (category, window); {_count(videos, 'videos', 'nothing was collected yet')}; "
            + (
                "downloads of unknown size"
                if videos is None or size is None
                else f"about {amount(videos * size)} to download"
            )
        )
    if again := len(known.pairs) - pairs:
        yield f"{again:,} (category, window) fetched before: only what was dropped or is new is fetched"
    yield from _scoring(known)


def _scoring(known: _Known) -> Iterator[str]:
    """Yield what scoring takes, for each set of networks that look at clips together."""
    clips: dict[Work, float] = {}
    pairs: Counter[Work] = Counter()
    unknown = 0
    for pair in known.pairs:
        found = known.clips_of(pair)
        if found is None:
            unknown += 1
        elif found and (work := known.work_of(pair)).networks:
            clips[work] = clips.get(work, 0.0) + found
            pairs[work] += 1
    if unknown:
        yield f"{unknown:,} (category, window) with an unknown number of clips: none was cut yet"
    for work, count in clips.items():
        tasks = min(known.tasks, pairs[work])
        yield from _on_devices(work, count, tasks, rates(known.planner.datasets.store, work))
    asked = sum(1 for pair in known.pairs if known.clips_of(pair) != 0)
    minutes = known.planner.settings.mining.minutes_per_round
    yield f"people: {span(asked * minutes * 60)} at most, by `mining.minutes_per_round` ({minutes:g}) for each"


def _on_devices(work: Work, clips: float, tasks: int, found: Sequence[Rate]) -> Iterator[str]:
    """Yield what it takes to score so many clips, on each device that did such work."""
    sized = [one.bytes_per_clip for one in found if one.bytes_per_clip is not None]
    yield f"{_count(clips, 'clips', '')} to score with {work}; {size_words(clips * mean(sized) if sized else None)}"
    for rate in found:
        yield rate.words(clips, tasks)
    if not found:
        yield f"unknown time: no device has run {work} yet; the first run of `slac score` measures it"


def _count(number: float | None, what: str, why_unknown: str) -> str:
    return f"an unknown number of {what}, {why_unknown}" if number is None else f"about {number:,.0f} {what}"


ESTIMATES: dict[str, Callable[[_Known], Iterator[str]]] = {
    "collect_videos": _collecting,
    "add_category": _collecting,
    "score_clips": _scoring,
    "score_again": _scoring,
}
"""The plans of which something can be said."""
