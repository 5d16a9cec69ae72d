"""Untrimmed videos with sparse clips and true segments, to learn localization from and to judge it: drawn, or joined.

Drawn videos are never encoded: their frames, at the size that the network sees, lie in files that are mapped. Joined
ones are a rehearsal on trimmed videos of real people (`slac rehearse`), whose series are apart in the splits.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from bench.harness.pretraining import ACTIONS, ENTRY, Labels, small
from slac_tasks.admission.settings import Admission
from slac_tasks.evaluation.measures import Floats, Ints
from slac_tasks.localization.average_precision import RULES, matched
from slac_tasks.localization.features import STRIDE_FRAMES, Clock, Dense, Film, Unseen, dense_features
from slac_tasks.localization.labels import Clip, Lesson, Span
from slac_tasks.localization.networks import frozen
from slac_tasks.localization.segments import Benchmark, Detections, segments
from slac_tasks.localization.spotted import Spotted
from slac_tasks.model import CLIP_SEC, Split, media_video_id, split_of
from slac_tasks.networks.inference import Extractor
from slac_tasks.networks.registry import Architecture
from slac_tasks.networks.settings import Scoring
from slac_tasks.progress import track
from slac_tasks.video.frames import Pixels, frame_numbers, length_sec, read_clips
from slac_tasks.world import film
from slac_tasks.world.joined import make_rehearsal
from slac_tasks.world.rehearsal import Rehearsal
from slac_tasks.world.scene import FPS, write_script
from slac_tasks.world.truth import MIN_OVERLAP_SEC, read_truth

THRESHOLDS = np.linspace(0.3, 0.7, 5)
"""Of tIoU, as on THUMOS14."""
_GRID_SEC = 0.5
_Column = TypeVar("_Column", Ints, Floats)


@dataclass(frozen=True, kw_only=True)
class Video:
    """One untrimmed video."""

    name: str
    path: Path
    """Drawn: its frames, an array; joined: an mp4."""
    category: int
    """What it was retrieved for."""
    duration_sec: float
    spans: tuple[Span, ...]
    is_test: bool

    @property
    def is_drawn(self) -> bool:
        """Whether it is an array of frames."""
        return self.path.suffix == ".npy"

    def clips(self, count: int, seed: int) -> tuple[Clip, ...]:
        """Return so many clips that people were asked about, drawn by lot, with their answers."""
        chance = np.random.default_rng((seed, *self.name.encode()))
        starts = np.sort(chance.choice(self.starts, min(count, len(self.starts)), replace=False)).tolist()
        return tuple(
            Clip(
                category=self.category, start_sec=start, end_sec=start + CLIP_SEC,
                positive=self.shows(start),
            )
            for start in starts
        )  # fmt: skip

    @property
    def starts(self) -> list[float]:
        """Where the clips start that people may be asked about, in seconds."""
        found: list[float] = np.arange(0, self.duration_sec - CLIP_SEC + 1e-6, _GRID_SEC).tolist()
        return found

    def shows(self, start: float) -> bool:
        """Return whether the clip that starts there shows what the video was retrieved for."""
        own = ((begin, end) for category, begin, end in self.spans if category == self.category)
        shown = sum(max(0.0, min(end, start + CLIP_SEC) - max(begin, start)) for begin, end in own)
        return shown >= MIN_OVERLAP_SEC

    def pixels(self, starts: Sequence[float]) -> Pixels:
        """Return clips as the network sees them."""
        if not self.is_drawn:
            return read_clips(self.path, starts, frames=ENTRY.frames, size=ENTRY.size)
        frames = np.load(self.path, mmap_mode="r")
        return np.asarray(frames[frame_numbers(starts, frames=ENTRY.frames, fps=FPS, count=len(frames))])


@dataclass(frozen=True, kw_only=True, eq=False)
class Eye:
    """A frozen network, and how often it looks at a video; drawn videos lie as `ENTRY` sees them, at every stride."""

    entry: Architecture
    backbone: nn.Module
    stride_frames: int = STRIDE_FRAMES


@dataclass(frozen=True, kw_only=True)
class Course:
    """Videos to learn from and to be judged on."""

    name: str
    categories: tuple[str, ...]
    videos: tuple[Video, ...]

    def labels(self, clips: int, seed: int) -> Labels:
        """Return the sparse labels of the training videos, to pretrain on."""
        pixels, answers = [], []
        for video in self.videos:
            if not video.is_test:
                asked = video.clips(clips, seed)
                pixels.append(video.pixels([clip.start_sec for clip in asked]))
                rows = np.zeros((len(asked), len(self.categories)), np.int64)
                rows[:, video.category] = [1 if clip.positive else -1 for clip in asked]
                answers.append(rows)
        every = np.concatenate(answers)
        return Labels(pixels=np.concatenate(pixels), answers=every, hard=np.zeros(len(every), np.int64))

    def seen(self, eye: Eye, device: str) -> list[Dense]:
        """Return the dense features of every video."""
        extractor = frozen(eye.entry, eye.backbone, device, Scoring())
        if all(video.is_drawn for video in self.videos):
            return [_dense(video, extractor) for video in self.videos]
        films = [Film(name=video.name, proxy=str(video.path)) for video in self.videos]
        found = dense_features(films, extractor, _local, stride_frames=eye.stride_frames)
        return [_readable(each) for each in track(found, len(films), f"{self.name}: look at videos")]

    def lessons(self, seen: Sequence[Dense], *, clips: int, cut: bool, seed: int) -> list[Lesson]:
        """Return what the training videos teach: their segments where they are cut, else sparse clips."""
        return [
            Lesson(
                dense=dense, clips=() if cut else video.clips(clips, seed), spans=video.spans if cut else None
            )
            for video, dense in zip(self.videos, seen, strict=True)
            if not video.is_test
        ]  # fmt: skip

    def average_map(self, seen: Sequence[Dense], spot: Callable[[Dense], Spotted]) -> float:
        """Return the mean over `THRESHOLDS` of the mAP on the test videos, of what `spot` finds in each."""
        tests = [(video, dense) for video, dense in zip(self.videos, seen, strict=True) if video.is_test]
        found = [spot(dense) for _, dense in tests]
        numbers = np.repeat(np.arange(len(found)), [len(each) for each in found])
        spans = [(number, *span) for number, (video, _) in enumerate(tests) for span in video.spans]
        benchmark = Benchmark(
            videos=tuple(video.name for video, _ in tests), categories=self.categories,
            duration_sec=np.array([video.duration_sec for video, _ in tests]),
            truth=segments(spans), ambiguous=segments([]),
        )  # fmt: skip
        detections = Detections(
            video=numbers, category=_joined([each.category for each in found]),
            start_sec=_joined([each.start_sec for each in found]),
            end_sec=_joined([each.end_sec for each in found]), score=_joined([each.score for each in found]),
        )  # fmt: skip
        measured = matched(benchmark, detections, RULES["activitynet"], THRESHOLDS)
        return float(measured.average(np.ones((1, len(tests))))[0])


def _joined(columns: Sequence[_Column]) -> _Column:
    return np.concatenate(columns)


def _dense(video: Video, eye: Extractor) -> Dense:
    frames = np.load(video.path, mmap_mode="r")
    clock = Clock(fps=FPS, frames=len(frames))
    held = torch.from_numpy(np.array(frames)).to(eye.where)
    windows = torch.from_numpy(clock.windows(eye.entry.frames)).to(eye.where)
    parts = [eye.on_device(held[own]).cpu() for own in torch.split(windows, 64)]
    return Dense(name=video.name, clock=clock, values=torch.cat(parts).numpy())


def _readable(each: Dense | Unseen) -> Dense:
    if isinstance(each, Unseen):
        raise RuntimeError(f"video {each.name}: {each.lost.reason}: {each.lost.detail}")
    return each


@contextmanager
def _local(name: str) -> Iterator[Path]:
    yield Path(name)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """How large a drawn course is."""

    categories: int
    train: int
    """Videos of each category to learn from; every fifth was retrieved wrongly."""
    test: int
    seconds: float
    seed: int = 0


def drawn(size: Drawn, folder: Path, processes: int) -> Course:
    """Draw a course. Half of what else is done in a video is done by the same limb, or in the same rhythm."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        (category, number, number >= size.train)
        for category in range(size.categories)
        for number in range(size.train + size.test)
    ]
    with ProcessPoolExecutor(processes) as pool:
        videos = list(pool.map(partial(_draw, size, folder), jobs, chunksize=4))
    names = tuple(action.key for action in ACTIONS[: size.categories])
    return Course(name="generated", categories=names, videos=tuple(videos))


def _draw(size: Drawn, folder: Path, job: tuple[int, int, bool]) -> Video:
    category, number, is_test = job
    actions = ACTIONS[: size.categories]
    action = actions[category]
    paired = [other for other in actions if other.is_paired(action)]
    others = [*paired * 2, *(other for other in actions if other != action and other not in paired)]
    seed = (size.seed, 80, category, number)
    script = write_script(seed, size.seconds, None if number % 5 == 4 else action, others)
    path = folder / f"{category}-{number}.npy"
    np.save(path, np.stack([small(image) for image in film.frames(script)]))
    return Video(
        name=path.stem, path=path, category=category, duration_sec=size.seconds, is_test=is_test,
        spans=tuple((actions.index(each.action), each.start_sec, each.end_sec) for each in script.segments),
    )  # fmt: skip


def joined(takes: Path, folder: Path, *, videos: int, seed: int, processes: int) -> Course:
    """Join the trimmed videos of a folder, one sub-folder for each class; the splits are apart by series."""
    make_rehearsal(Rehearsal.of(takes, seed=seed, videos=videos, wrong=0.2), folder, processes=processes)
    truth = read_truth(folder)
    files = {path.stem: path for path in sorted(folder.glob("videos/*/*.mp4"))}
    names = tuple(sorted({path.parent.name for path in files.values()}))
    found = []
    for source_id, path in files.items():
        spans = [
            (names.index(action), start, end)
            for action, own in truth.segments[source_id].items()
            if action in names
            for start, end in own
        ]
        found.append(
            Video(
                name=source_id, path=path, category=names.index(path.parent.name), spans=tuple(spans),
                duration_sec=length_sec(path), is_test=_split(path) is not Split.TRAINING,
            )
        )  # fmt: skip
    return Course(name="real", categories=names, videos=tuple(found))


def _split(path: Path) -> Split:
    """Return the split that admission gives a video that looks like no other."""
    rules = Admission()
    media = hashlib.sha256(path.read_bytes()).hexdigest()
    return split_of(
        media_video_id(media), validation_share=rules.validation_share, testing_share=rules.testing_share
    )  # fmt: skip
