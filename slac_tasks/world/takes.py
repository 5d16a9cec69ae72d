"""A laboratory's trimmed videos ("takes"): the series of each, and the parts of which joined videos are made (ours).

Takes of one series share person, room and camera, so a network that learned from one of them knows the others. A part
is a series that has enough to fill a video, or several small series together. A video is joined from the takes of one
part, and a part is in one split.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from slac_tasks.admission.settings import Admission
from slac_tasks.collect.names import Categories
from slac_tasks.collect.sources import Candidate, FolderSource
from slac_tasks.errors import BrokenContract
from slac_tasks.model import Split, split_at, unit_hash
from slac_tasks.progress import track
from slac_tasks.video.lengths import declared
from slac_tasks.world.catalogue import WINDOWS
from slac_tasks.world.rehearsal import BACKGROUNDS

LEAST_TAKE_SEC = 0.5
"""A shorter take shows no action."""
LEAST_PLAY_SEC = 3.0
"""A shorter take is played again, so that a clip of two seconds on a grid of half seconds fits into it."""
MOST_PLAY_SEC = 12.0
"""Of a longer take its beginning is used, so that no take fills a video."""
LEAST_PART_SEC = 20.0
"""A part that plays for less fills no video."""
POINTS = 1000
"""A part lies in one of so many equal stretches of [0, 1), so shares of splits in thousandths never divide it."""
_DEALS = 200
"""Ways of dealing the parts that are tried."""
_BATCH = 50
"""Files of which one process reads the headers."""
_UCF = re.compile(r"v_[^_]+_(g\d+)_c\d+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Take:
    """One trimmed video, which shows one action from its first frame to its last."""

    name: str
    """Path below the folder."""
    path: Path
    action: str
    """Key of its class."""
    series: str
    seconds: float
    """As its header says."""

    @property
    def play_sec(self) -> float:
        """About how long it plays in a joined video."""
        times = max(1, -int(-LEAST_PLAY_SEC // self.seconds))
        return min(MOST_PLAY_SEC, times * self.seconds)


@dataclass(frozen=True, kw_only=True)
class Footage:
    """All takes of a folder that can be used."""

    takes: tuple[Take, ...]
    backgrounds: frozenset[str]
    """Keys of the classes that are none of the actions."""
    set_aside: Mapping[str, int]
    """Files that cannot be used, by reason."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Takes that one video may join."""

    takes: tuple[Take, ...]
    point: int = 0
    """The stretch of [0, 1) in which its videos lie, of `POINTS`: it decides their split."""

    @property
    def series(self) -> tuple[str, ...]:
        """The series that it is made of."""
        return tuple(sorted({take.series for take in self.takes}))

    def count(self, action: str) -> int:
        """Return how many takes show an action."""
        return sum(take.action == action for take in self.takes)

    @property
    def fills_a_video(self) -> bool:
        """Whether it has two classes, and enough of them."""
        classes = {take.action for take in self.takes}
        return len(classes) > 1 and sum(take.play_sec for take in self.takes) >= LEAST_PART_SEC


def series_of(name: str) -> str:
    """Return the series of a file, from its path below the folder.

    `v_Archery_g07_c02.avi` (UCF-101) belongs to `g07`, which holds the group of that number of each class, as the
    data set's own splits do. `studio__squat_1.mp4` belongs to `studio`. Any other file is a series of its own.
    """
    stem = PurePosixPath(name).stem
    if match := _UCF.fullmatch(stem):
        return match[1].lower()
    series, mark, _ = stem.partition("__")
    return series if mark and series else name


def read_footage(folder: Path) -> Footage:
    """List the takes of a folder, one sub-folder for each class, and read how long each is.

    Raises:
        BrokenContract: the folder has no sub-folder.
        NotConfigured: it cannot be read.

    """
    set_aside: Counter[str] = Counter()
    found = list(_listed(FolderSource(folder.absolute()), set_aside))
    takes: list[Take] = []
    batches = [found[start : start + _BATCH] for start in range(0, len(found), _BATCH)]
    for batch in track(batches, len(batches), f"rehearse: reads the lengths of {len(found)} files, batch"):
        for (action, offer), seconds in zip(batch, declared([Path(offer.location) for _, offer in batch]), strict=True):
            if seconds is None:
                set_aside["no video that can be read"] += 1
            elif seconds < LEAST_TAKE_SEC:
                set_aside[f"shorter than {LEAST_TAKE_SEC} s"] += 1
            else:
                takes.append(
                    Take(
                        name=offer.source_id, path=Path(offer.location), action=action,
                        series=series_of(offer.source_id), seconds=seconds,
                    )
                )  # fmt: skip
    return Footage(takes=tuple(takes), backgrounds=frozenset(BACKGROUNDS), set_aside=set_aside)


def _listed(source: FolderSource, set_aside: Counter[str]) -> Iterator[tuple[str, Candidate]]:
    """Yield (key of the class, file)."""
    names = Categories.of(source.categories())
    if refused := names.set_aside():
        set_aside["class without a key of its own"] += len(refused)
    for key in names.names:
        # A folder is asked for all of its files, whatever the window.
        for offer in source.candidates(key, WINDOWS[0]):
            if isinstance(offer, Candidate):
                yield key, offer
            else:
                set_aside[offer.reason] += 1


def parts_of(takes: Sequence[Take], seed: int) -> list[Part]:
    """Put takes into parts; every series is in one part. What fills no video by itself joins others."""
    series: dict[str, list[Take]] = {}
    for take in takes:
        series.setdefault(take.series, []).append(take)
    parts: list[Part] = []
    waiting: list[Take] = []
    for name in sorted(series, key=lambda name: unit_hash("series", str(seed), name)):
        alone = Part(takes=tuple(series[name]))
        if alone.fills_a_video:
            parts.append(alone)
            continue
        waiting += alone.takes
        if (together := Part(takes=tuple(waiting))).fills_a_video:
            parts.append(together)
            waiting = []
    if waiting:
        last = parts.pop().takes if parts else ()
        parts.append(Part(takes=(*last, *waiting)))
    return parts


def rehearsed(footage: Footage, parts: Sequence[Part]) -> list[str]:
    """Return the actions that can be rehearsed: they occur in two parts, so one can be learned and one tested.

    Raises:
        BrokenContract: there is none.

    """
    classes = sorted({take.action for take in footage.takes} - footage.backgrounds)
    found = [action for action in classes if sum(part.count(action) > 0 for part in parts) > 1]
    if not found:
        raise BrokenContract(
            f"rehearsal: {len(footage.takes)} videos of {len(classes)} classes, and no class has two series that can "
            "be kept apart; want some seconds of two or more classes in each of several series"
        )
    return found


def shares(parts: Sequence[Part], action: str) -> list[float]:
    """Return which share of an action's videos each part makes, from 0 to 1.

    It grows with the square root of its takes: in proportion, one large series would make most videos.
    """
    roots = [part.count(action) ** 0.5 for part in parts]
    return [root / sum(roots) for root in roots]


def dealt(parts: Sequence[Part], actions: Sequence[str], seed: int) -> list[Part]:
    """Return the parts, each at the point that puts it into its split.

    Of many random ways it is the one in which each action's videos are shared out most nearly as the splits are by
    default. An action that would be missing among the training or the testing videos weighs more than anything else.
    """
    rules = Admission()
    weights = np.array([shares(parts, action) for action in actions])
    wanted = {
        Split.TESTING: rules.testing_share,
        Split.VALIDATION: rules.validation_share,
        Split.TRAINING: 1 - rules.testing_share - rules.validation_share,
    }

    def unevenness(points: Iterable[int]) -> float:
        splits = [
            split_at(point / POINTS, validation_share=rules.validation_share, testing_share=rules.testing_share)
            for point in points
        ]
        got = {split: weights[:, [each == split for each in splits]].sum(axis=1) for split in Split}
        missing = sum(int((got[split] == 0).sum()) for split in (Split.TRAINING, Split.TESTING))
        return len(parts) * missing + sum(float(((got[split] - share) ** 2).sum()) for split, share in wanted.items())

    tried = np.random.default_rng((seed, 1)).integers(0, POINTS, (_DEALS, len(parts))).tolist()
    return [replace(part, point=point) for part, point in zip(parts, min(tried, key=unevenness), strict=True)]
