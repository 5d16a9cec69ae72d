"""Which videos exist in a world: categories, windows, wrong retrievals, near-duplicates and broken files.

Everything here is a pure function of (seed, size); nothing is drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from slac_tasks.model import Window, content_hash, unit_hash
from slac_tasks.world.figure import Action
from slac_tasks.world.scene import Script, trimmed_script, write_script

PAIRS: tuple[tuple[Action, Action], ...] = tuple(
    (Action(joints=(joint,), profile=first), Action(joints=(joint,), profile=second))
    for joint, first, second in (
        ("left_arm", "lift", "drop"),
        ("torso", "slow_swing", "fast_swing"),
        ("left_leg", "lift", "drop"),
        ("right_arm", "slow_swing", "fast_swing"),
    )
)
"""Motion pairs: the categories that are looked for."""
PLANTED = Action(joints=("head",), profile="slow_swing")
"""The bad category: no video that a search for it returns contains it."""
SPARE = Action(joints=("right_leg",), profile="fast_swing")
"""A category that the source holds and nobody collects: whoever tries a backfill may add it."""
TARGETS: tuple[Action, ...] = tuple(
    Action(joints=joints, profile=profile)
    for joints in (("left_arm", "right_arm"), ("right_leg",), ("body",), ("left_elbow", "right_elbow"))
    for profile in ("lift", "drop")
)
"""Classes of the transfer set: none of them is a category."""
WINDOWS = tuple(Window.parse(key) for key in ("2026-01-05", "2026-01-12", "2026-01-19"))
COPIES = ("reencoded", "resized", "logo", "same")
BROKEN = ("truncated", "empty", "text", "audio")
CLIP_SEC = 2.0
"""Length of a transfer clip."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a world is."""

    pairs: int
    """Motion pairs that become categories, two each."""
    windows: int
    videos: int
    """Videos of one category in one window, copies and broken files not counted."""
    wrong: int
    """How many of those do not contain the category's action."""
    duration_sec: float
    copies: int
    """Near-duplicates in one window."""
    broken: int
    """Broken files in one window."""
    targets: int
    """Transfer classes."""
    train: int
    """Transfer clips of a class to train on."""
    test: int
    """Transfer clips of a class to test on."""
    spare: bool = False
    """Whether the first window also holds videos of SPARE."""


SIZES: Mapping[str, Size] = {
    "demo": Size(
        pairs=4, windows=3, videos=6, wrong=1, duration_sec=16.0, copies=3, broken=2, targets=8, train=10, test=25,
        spare=True,
    ),
    # Four times the clips to choose from: for benchmarks of what an answer buys.
    "large": Size(
        pairs=4, windows=3, videos=24, wrong=4, duration_sec=24.0, copies=3, broken=2, targets=8, train=2, test=2
    ),
    "quick": Size(
        pairs=2, windows=1, videos=4, wrong=1, duration_sec=16.0, copies=1, broken=2, targets=4, train=6, test=12,
        spare=True,
    ),
    "tiny": Size(
        pairs=1, windows=1, videos=3, wrong=1, duration_sec=8.0, copies=1, broken=2, targets=2, train=1, test=1
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file that a search for a category returns."""

    category: str
    source_id: str
    published_at: datetime
    script: Script
    copy_of: str | None = None
    """The source_id of the video that this one repeats."""
    copied: str = ""
    """How it repeats it: one of COPIES."""
    broken: str = ""
    """What is wrong with the file: one of BROKEN."""

    @property
    def location(self) -> str:
        """Path of the file in the world's folder."""
        return f"videos/{self.category}/{self.source_id}.mp4"

    @property
    def contains(self) -> bool:
        """Whether the category's action occurs."""
        return any(segment.action.key == self.category for segment in self.script.segments)


@dataclass(frozen=True, kw_only=True)
class Trimmed:
    """One clip of the transfer set."""

    location: str
    action: Action
    script: Script


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Everything that a world holds."""

    seed: int
    size: str
    entries: tuple[Entry, ...]
    trimmed: tuple[Trimmed, ...]


def categories(size: Size) -> tuple[Action, ...]:
    """Return the actions that are looked for, the planted one last."""
    return (*(action for pair in PAIRS[: size.pairs] for action in pair), PLANTED)


def make_catalogue(seed: int, name: str) -> Catalogue:
    """Return what the world of this seed and size holds."""
    size = SIZES[name]
    entries: list[Entry] = []
    for number in range(size.windows):
        films = [
            _film(seed, size, number, place, action, index)
            for place, action in enumerate(categories(size))
            for index in range(size.videos)
        ]
        entries += films + _copies(seed, size, number, films) + _broken(seed, size, number)
    if size.spare:
        entries += [_film(seed, size, 0, len(categories(size)), SPARE, index) for index in range(size.videos)]
    return Catalogue(seed=seed, size=name, entries=tuple(entries), trimmed=tuple(_trimmed(seed, size)))


def _identity(seed: int, *parts: object) -> str:
    """Return a source's own name of a video: eleven characters, like those of video sites."""
    return content_hash(str(seed), *(str(part) for part in parts))[:11]


def published(window: Window, source_id: str) -> datetime:
    """Return a moment inside the window, fixed by the video's name."""
    return window.start + timedelta(seconds=int(unit_hash("published", source_id) * 7 * 86_400))


def _film(seed: int, size: Size, number: int, place: int, action: Action, index: int) -> Entry:
    is_wrong = action == PLANTED or index >= size.videos - size.wrong
    known = categories(size)
    paired = [other for other in known if other.is_paired(action)]
    # The paired action occurs as often as all others together: what the camera saw is no clue, how it moved is.
    others = [*paired * 3, *(other for other in known if other not in (action, PLANTED, *paired))]
    key = (seed, 10, number, place, index)
    source_id = _identity(*key)
    return Entry(
        category=action.key,
        source_id=source_id,
        published_at=published(WINDOWS[number], source_id),
        script=write_script(key, size.duration_sec, None if is_wrong else action, others),
    )


def _copies(seed: int, size: Size, number: int, films: list[Entry]) -> list[Entry]:
    """Repeat a few videos of the window; the `same` bytes turn up under another category."""
    rng = np.random.default_rng((seed, 20, number))
    # The planted category has the last films; copying one of a good category keeps both alive.
    chosen = rng.choice(len(films) - size.videos, size.copies, replace=False)
    found = []
    for index, at in enumerate(chosen):
        original = films[int(at)]
        how = COPIES[(number + index) % len(COPIES)]
        other = films[(int(at) + size.videos) % (len(films) - size.videos)].category
        source_id = _identity(seed, "copy", number, index)
        found.append(
            Entry(
                category=other if how == "same" else original.category,
                source_id=source_id,
                published_at=published(WINDOWS[number], source_id),
                script=original.script,
                copy_of=original.source_id,
                copied=how,
            )
        )
    return found


def _broken(seed: int, size: Size, number: int) -> list[Entry]:
    found = []
    known = categories(size)
    for index in range(size.broken):
        action = known[(number * size.broken + index) % (len(known) - 1)]
        key = (seed, 30, number, index)
        source_id = _identity(*key)
        found.append(
            Entry(
                category=action.key,
                source_id=source_id,
                published_at=published(WINDOWS[number], source_id),
                script=trimmed_script(key, 6.0, action),
                broken=BROKEN[(number * size.broken + index) % len(BROKEN)],
            )
        )
    return found


def _trimmed(seed: int, size: Size) -> list[Trimmed]:
    return [
        Trimmed(
            location=f"transfer/{part}/{action.key}/{index:03d}.mp4",
            action=action,
            script=trimmed_script((seed, 40, place, half, index), CLIP_SEC, action),
        )
        for place, action in enumerate(TARGETS[: size.targets])
        for half, (part, count) in enumerate((("train", size.train), ("test", size.test)))
        for index in range(count)
    ]
