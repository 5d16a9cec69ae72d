"""Sparse labels to pretrain on and other actions to transfer to: drawn, or of real videos that are split by series."""

import csv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from slac_tasks.evaluation.measures import Ints
from slac_tasks.evaluation.targets import TargetVideo
from slac_tasks.evaluation.transfer import Target, Trimmed, load_videos
from slac_tasks.model import unit_hash
from slac_tasks.networks.registry import Classifier, architecture
from slac_tasks.networks.weights import decode_backbone, encode_backbone
from slac_tasks.progress import track
from slac_tasks.training.learner import Learner, Plan
from slac_tasks.training.order import Order
from slac_tasks.training.ranks import Ranks
from slac_tasks.training.trainer import seeded
from slac_tasks.video.frames import Pixels, frame_numbers
from slac_tasks.video.lost import Lost
from slac_tasks.world import film
from slac_tasks.world.catalogue import CLIP_SEC, TARGETS
from slac_tasks.world.figure import PROFILES, Action, Image
from slac_tasks.world.scene import FPS, Script, trimmed_script, write_script
from slac_tasks.world.truth import MIN_OVERLAP_SEC

ENTRY = architecture("small_3d")
"""The network that is pretrained: small enough for a processor, on frames of 56 pixels."""
VIDEO_SEC = 24.0
ACTIONS: tuple[Action, ...] = tuple(
    Action(joints=(joint,), profile=profile)
    for joint in ("left_arm", "left_leg", "torso", "right_arm", "head", "left_elbow")
    for profile in PROFILES
)
"""What is pretrained on in the drawn world; none of it is a class of the transfer."""
CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True, eq=False)
class Labels:
    """Sparse labels: clips, each asked about one category, and where the answer is no, why it was asked."""

    pixels: Pixels
    answers: Ints
    """+1, -1 and 0 (not asked), shape (clips, categories)."""
    hard: Ints
    """1 where a clip without its category shows one that looks alike, shape (clips,)."""

    @property
    def positive(self) -> Ints:
        """Places of the clips that were answered yes."""
        return np.flatnonzero((self.answers > 0).any(axis=1))

    def part(self, places: Ints) -> "Labels":
        """Return the labels of these clips."""
        return Labels(pixels=self.pixels[places], answers=self.answers[places], hard=self.hard[places])


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """What is pretrained on, and what the network is transferred to."""

    name: str
    labels: Labels
    target: Target


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """How large a drawn course is."""

    seed: int
    videos: int
    """Of each category; every fifth was retrieved wrongly."""
    clips: int
    """Labels of a video."""
    train: int
    """Videos of a target class to learn from."""
    test: int
    """Videos of a target class to be judged on."""
    targets: int = len(TARGETS)
    categories: int = len(ACTIONS)
    """Actions that are pretrained on: the first of `ACTIONS`."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """What is pretrained on."""
        return ACTIONS[: self.categories]


def drawn(size: Drawn, processes: int) -> Course:
    """Draw a course: categories of untrimmed videos, and other actions in trimmed ones; one answer in 20 errs."""
    with ProcessPoolExecutor(processes) as pool:
        films = [(place, index) for place in range(size.categories) for index in range(size.videos)]
        asked = list(pool.map(partial(_asked, size), films, chunksize=4))
        parts = [
            [(place, half, index) for place in range(size.targets) for index in range(count)]
            for half, count in enumerate((size.train, size.test))
        ]
        clips = [list(pool.map(partial(_trimmed, size.seed), part, chunksize=16)) for part in parts]
    names = tuple(action.key for action in TARGETS[: size.targets])
    train, test = (_part(part, pixels, names) for part, pixels in zip(parts, clips, strict=True))
    labels = Labels(
        pixels=np.concatenate([pixels for pixels, _, _ in asked]),
        answers=np.concatenate([answers for _, answers, _ in asked]),
        hard=np.concatenate([hard for _, _, hard in asked]),
    )
    return Course(name="generated", labels=labels, target=Target(train=train, test=test, unmatched=(), missing=()))


def _part(places: Sequence[tuple[int, int, int]], clips: Sequence[Pixels], names: tuple[str, ...]) -> Trimmed:
    return Trimmed(
        pixels=np.stack(clips), classes=np.array([place for place, _, _ in places]), videos=np.arange(len(places)),
        recordings=[str(number) for number in range(len(places))], names=names,
    )  # fmt: skip


def _asked(size: Drawn, which: tuple[int, int]) -> tuple[Pixels, Ints, Ints]:
    """Return (pixels, answers, which negatives are hard) of some clips of one video."""
    place, index = which
    action = size.actions[place]
    key = (size.seed, 70, place, index)
    paired = [other for other in size.actions if other.is_paired(action)]
    others = [*paired * 3, *(other for other in size.actions if other != action and other not in paired)]
    script = write_script(key, VIDEO_SEC, None if index % 5 == 4 else action, others)
    chance = np.random.default_rng((*key, 9))
    starts = np.sort(chance.choice(np.arange(0, VIDEO_SEC - CLIP_SEC + 0.1, 0.5), size.clips, replace=False))
    yes = np.array([_shows(script, action, start) for start in starts])
    alike = np.array([any(_shows(script, other, start) for other in paired) for start in starts])
    answers = np.zeros((size.clips, size.categories), dtype=np.int64)
    answers[:, place] = np.where(yes ^ (chance.random(size.clips) < 0.05), 1, -1)
    return _pixels(script, starts.tolist()), answers, (~yes & alike).astype(np.int64)


def _shows(script: Script, action: Action, start: float) -> bool:
    spans = ((one.start_sec, one.end_sec) for one in script.segments if one.action == action)
    return sum(max(0.0, min(end, start + CLIP_SEC) - max(begin, start)) for begin, end in spans) >= MIN_OVERLAP_SEC


def _trimmed(seed: int, which: tuple[int, int, int]) -> Pixels:
    place, half, index = which
    clip: Pixels = _pixels(trimmed_script((seed, 71, place, half, index), CLIP_SEC, TARGETS[place]), [0.0])[0]
    return clip


def _pixels(script: Script, starts: Sequence[float]) -> Pixels:
    """Return what a decoder would see of a script's clips, without encoding it."""
    count = round(script.duration_sec * FPS)
    numbers = frame_numbers(starts, frames=ENTRY.frames, fps=FPS, count=count)
    found = np.empty((*numbers.shape, ENTRY.size, ENTRY.size, 3), np.uint8)
    for number, image in enumerate(film.frames(script)):
        for clip, frame in np.argwhere(numbers == number).tolist():
            found[clip, frame] = small(image)
    return found


def small(image: Image) -> Pixels:
    """Return a drawn frame as the network sees it: the middle square, RGB."""
    height, width = image.shape[:2]
    left = (width - height) // 2
    square = cv2.resize(image[:, left : left + height], (ENTRY.size, ENTRY.size), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(square, cv2.COLOR_BGR2RGB), dtype=np.uint8)


BACKGROUNDS = frozenset({"other", "stretch_smr"})
"""Families that are no action."""


@dataclass(frozen=True, kw_only=True)
class Real:
    """How a folder of trimmed videos becomes a course."""

    folder: Path
    """With a manifest.csv of columns file, family and series."""
    targets: int
    """Families that are transferred to: those with the most videos on the scarcer side of the split."""
    test_share: float = 0.4
    """Part of the videos whose series judge; no network learns from these series, not even in pretraining."""


def real(size: Real) -> Course:
    """Read a course of real videos. A clip of a family is a yes for it and a no for another one, drawn by lot."""
    with (size.folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["family"] not in BACKGROUNDS]
    judging = judging_series(Counter(row["series"] for row in rows), size.test_share)
    sides = Counter((row["family"], row["series"] in judging) for row in rows)
    families = sorted({row["family"] for row in rows}, key=lambda one: -min(sides[one, False], sides[one, True]))
    targets = sorted(families[: size.targets])
    others = sorted(families[size.targets :])

    def videos(wanted: Sequence[str], judge: bool) -> list[TargetVideo]:
        return [
            TargetVideo(path=size.folder / row["file"], label=row["family"], recording=row["file"])
            for row in rows
            if row["family"] in wanted and (row["series"] in judging) == judge
        ]

    read = partial(load_videos, view=ENTRY.view, lost=_unreadable, count=1)
    pretraining = read(videos(others, False), names=tuple(others))
    train, test = (read(videos(targets, judge), names=tuple(targets)) for judge in (False, True))
    chance = np.random.default_rng(0)
    answers = np.zeros((len(pretraining.classes), len(others)), dtype=np.int64)
    every = np.arange(len(answers))
    answers[every, pretraining.classes] = 1
    answers[every, (pretraining.classes + chance.integers(1, len(others), len(answers))) % len(others)] = -1
    labels = Labels(pixels=pretraining.pixels, answers=answers, hard=np.zeros(len(answers), np.int64))
    return Course(name="real", labels=labels, target=Target(train=train, test=test, unmatched=(), missing=()))


def judging_series(sizes: Mapping[str, int], share: float) -> frozenset[str]:
    """Return the series that judge: in the order of a hash, until they hold their share of the videos, and no more."""
    total, held = sum(sizes.values()), 0
    found = set()
    for series in sorted(sizes, key=lambda one: unit_hash("judges", one)):
        if held + sizes[series] <= share * total:
            found.add(series)
            held += sizes[series]
    return frozenset(found)


def _unreadable(name: str, why: Lost) -> None:
    print(f"set aside: {name}: {why.detail}")


def pretrained(
    labels: Labels, *, steps: int, batch: int, seed: int, what: str, where: torch.device = CPU
) -> Callable[[], nn.Module]:
    """Return what gives a copy of the backbone that was pretrained on these labels, step by step as a release's is."""
    targets = torch.from_numpy(labels.answers.astype(np.int8))
    plan = Plan(steps=steps, batch=batch, rates=ENTRY.rates, seed=seed)
    # Clips here have no videos that a cache would rather fetch together: each is one of its own.
    order = Order(videos=np.arange(len(targets), dtype=np.int32), seed=seed)
    with seeded(seed):
        classifier = Classifier(ENTRY, labels.answers.shape[1])
        learner = Learner(classifier, plan, Ranks(), where)
        for step in track(range(steps), steps, what):
            rows = order.between(step * batch, (step + 1) * batch)
            learner.step(torch.from_numpy(labels.pixels[rows]), targets[rows])
    return partial(decode_backbone, ENTRY, encode_backbone(ENTRY, learner.finish().backbone))
