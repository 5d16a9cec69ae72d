"""Is a set of clips from a segment worth a person's time? `python -m bench.segment_sets [--quick]`.

A network is pretrained on the sparse clips of a drawn world's training videos. A head for localization learns from
them, and so do three members of a committee, each a linear head that learned from a third of the videos (query by
bagging, Abe and Mamitsuka 1998). Then so many clips of other videos are chosen as `slac mine` would choose them: in
sets inside segments (strategy `segment`), one by one by `disagreement`, and by lot (`random`).

An answer is worth something where the committee's majority is wrong by the world's truth. `wrong_*` is the share of
such clips among the chosen ones, `per_minute_*` how many of them a person finds in a minute; `gain` is that of
`segment` less that of `random`, with a 95 % interval over worlds. What an answer costs is modelled, at the keystroke
level (`slac_tasks.world.people`). `uniform` is the share of sets that one key answers. The last line is one JSON
object.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
import torch

from bench.harness import Bench, Figures
from bench.harness.intervals import interval, with_ends
from bench.harness.pretraining import CPU, ENTRY, pretrained
from bench.harness.tables import table
from bench.harness.untrimmed import Course, Drawn, Eye, Video, drawn
from slac_tasks.localization.detecting import spot
from slac_tasks.localization.features import Dense
from slac_tasks.localization.head import Head
from slac_tasks.localization.learning import Plan, taught
from slac_tasks.mining.choice import choose
from slac_tasks.mining.measures import Bools, Floats
from slac_tasks.mining.pool import Pool, make_pool
from slac_tasks.mining.segments import Stretches
from slac_tasks.mining.settings import Mining
from slac_tasks.model import CLIP_SEC, Strategy
from slac_tasks.training.trainer import fit_head
from slac_tasks.verification.sets import SET_LEAST, SET_MOST
from slac_tasks.world.people import alone_seconds, set_seconds

MEMBERS = 3
WAYS = (Strategy.SEGMENT, Strategy.DISAGREEMENT, Strategy.RANDOM)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is learned and chosen."""

    categories: Annotated[int, "actions of a drawn world"] = 6
    train: Annotated[int, "drawn videos of a category to learn from"] = 12
    pool: Annotated[int, "drawn videos of a category whose clips are chosen from"] = 12
    seconds: Annotated[float, "length of a drawn video"] = 24.0
    clips: Annotated[int, "sparse labels of a video"] = 8
    pretraining: Annotated[int, "steps of the network"] = 300
    steps: Annotated[int, "steps of the head for localization"] = 200
    width: Annotated[int, "channels of this head"] = 64
    chosen: Annotated[int, "clips of a category that each way chooses"] = 60
    worlds: Annotated[int, "worlds, each with a network of its own"] = 5
    processes: Annotated[int, "processes, each of which computes in one thread"] = 2


@dataclass(frozen=True, kw_only=True)
class Found:
    """What the chosen clips of one way are worth, over all categories of a world."""

    clips: int = 0
    wrong: int = 0
    """Clips on which the committee's majority is wrong."""
    seconds: float = 0.0
    sets: int = 0
    uniform: int = 0

    def __add__(self, other: "Found") -> "Found":
        return Found(
            clips=self.clips + other.clips, wrong=self.wrong + other.wrong, seconds=self.seconds + other.seconds,
            sets=self.sets + other.sets, uniform=self.uniform + other.uniform,
        )  # fmt: skip

    @property
    def per_minute(self) -> float:
        """How many clips on which the committee is wrong a person finds in a minute."""
        return 60 * self.wrong / self.seconds if self.seconds else 0.0


def measure(size: Size, folder: Path) -> Figures:
    """Play every world."""
    with ProcessPoolExecutor(size.processes) as pool:
        worlds = list(pool.map(partial(_played, size, folder), range(size.worlds)))
    rows, figures = [], {"scale": size.worlds * size.pretraining / (Size().worlds * Size().pretraining)}
    for way in WAYS:
        total = sum((world[way] for world in worlds), Found())
        minutes = interval([world[way].per_minute for world in worlds])
        rows.append([way.value, total.clips, total.wrong / max(1, total.clips), *minutes])
        figures |= {f"wrong_{way}": total.wrong / max(1, total.clips), f"per_minute_{way}": minutes[0]}
    print(table({"clips": "", "chosen": "d", "wrong": ".3f", "per minute": ".2f", "low": ".2f", "high": ".2f"}, rows))
    sets = sum((world[Strategy.SEGMENT] for world in worlds), Found())
    gains = [world[Strategy.SEGMENT].per_minute - world[Strategy.RANDOM].per_minute for world in worlds]
    return {
        **figures,
        **with_ends("gain", interval(gains)),
        "sets": sets.sets,
        "uniform": sets.uniform / sets.sets if sets.sets else None,
    }


def _played(size: Size, folder: Path, seed: int) -> dict[Strategy, Found]:
    """Return what each way finds in one world."""
    torch.set_num_threads(1)
    world = Drawn(categories=size.categories, train=size.train, test=size.pool, seconds=size.seconds, seed=seed)
    course = drawn(world, folder / str(seed), 1)
    labels = course.labels(size.clips, seed)
    network = pretrained(labels, steps=size.pretraining, batch=32, seed=seed, what=f"world {seed}: pretrain")
    seen = course.seen(Eye(entry=ENTRY, backbone=network()), "cpu")
    plan = Plan(steps=size.steps, width=size.width, seed=seed)
    lessons = course.lessons(seen, clips=size.clips, cut=False, seed=seed)
    head = taught(lessons, course.categories, plan, CPU)
    members = [_member(course, seen, size, seed, number) for number in range(MEMBERS)]
    found = dict.fromkeys(WAYS, Found())
    for category in range(size.categories):
        clips = Clips.of(course, seen, members, category)
        stretches = clips.stretches(head)
        for way in WAYS:
            found[way] += clips.found(way, stretches, size.chosen)
    return found


def _member(course: Course, seen: Sequence[Dense], size: Size, seed: int, number: int) -> torch.nn.Linear:
    """Return a linear head that learned from the sparse clips of every third training video."""
    features, targets = [], []
    own = [(video, dense) for video, dense in zip(course.videos, seen, strict=True) if not video.is_test]
    for video, dense in own[number::MEMBERS]:
        for clip in video.clips(size.clips, seed):
            row = torch.zeros(len(course.categories), dtype=torch.int8)
            row[clip.category] = 1 if clip.positive else -1
            features.append(_at(dense, clip.start_sec))
            targets.append(row)
    return fit_head(torch.stack(features), torch.stack(targets))


def _at(dense: Dense, start_sec: float) -> torch.Tensor:
    """Return the features of the window whose middle lies nearest to that of a clip."""
    cell = round((start_sec + CLIP_SEC / 2 - dense.clock.offset_sec) / dense.clock.stride_sec)
    return torch.from_numpy(dense.values[min(max(cell, 0), dense.clock.count - 1)])


@dataclass(frozen=True, kw_only=True, eq=False)
class Clips:
    """The clips of one category that may be chosen."""

    category: int
    videos: Sequence[tuple[Video, Dense]]
    pool: Pool
    truth: Bools
    """Whether each shows the category, in the order of the pool's source."""
    wrong: Bools
    """Whether the committee's majority is wrong about it, in the same order."""

    @classmethod
    def of(cls, course: Course, seen: Sequence[Dense], members: Sequence[torch.nn.Linear], category: int) -> "Clips":
        """Return the clips of the videos that were collected for a category and that nobody learned from."""
        videos = [
            (video, dense)
            for video, dense in zip(course.videos, seen, strict=True)
            if video.is_test and video.category == category
        ]
        places = [(video, dense, start) for video, dense in videos for start in video.starts]
        features = torch.stack([_at(dense, start) for _, dense, start in places])
        with torch.inference_mode():
            said = [torch.sigmoid(member(features)[:, category]).double().numpy() for member in members]
        scores = np.stack(said, axis=1)
        truth = np.array([video.shows(start) for video, _, start in places])
        return cls(
            category=category, videos=videos, truth=truth, wrong=((scores > 0.5).mean(axis=1) > 0.5) != truth,
            pool=make_pool(
                pa.array([video.name for video, _, _ in places]), np.array([start for _, _, start in places]),
                np.zeros(len(places), np.int64), scores, seed=str(category),
            ),
        )  # fmt: skip

    def stretches(self, head: Head) -> Stretches:
        """Return what a localizer finds of the category in these videos."""
        found = [(video, spot(head, torch.from_numpy(dense.values), dense.clock)) for video, dense in self.videos]
        own = [(video, spotted, spotted.category == self.category) for video, spotted in found]

        def joined(column: str) -> Floats:
            return np.concatenate([getattr(spotted, column)[is_own] for _, spotted, is_own in own])

        return Stretches(
            video_id=[video.name for video, _, is_own in own for _ in range(int(is_own.sum()))],
            start_sec=joined("start_sec"), end_sec=joined("end_sec"), score=joined("score"),
            set_least=SET_LEAST, set_most=SET_MOST,
        )  # fmt: skip

    def found(self, way: Strategy, stretches: Stretches, count: int) -> Found:
        """Return what so many clips are worth that one strategy chooses."""
        # What a strategy cannot fill goes to others, whose clips say nothing of this one.
        every = choose(self.pool, {way: count}, knobs=Mining(), stretches=stretches)
        picked = [one for one in every if one.strategy is way]
        rows = np.array([one.index for one in picked], dtype=np.int64)
        found = Found(clips=len(rows), wrong=int(self.wrong[rows].sum()))
        if way is not Strategy.SEGMENT:
            return found + Found(seconds=len(rows) * alone_seconds())
        for number in sorted({one.of_segment for one in picked if one.of_segment is not None}):
            own = self.truth[[one.index for one in picked if one.of_segment == number]]
            others = int(min(own.sum(), (~own).sum()))
            found += Found(seconds=set_seconds(len(own), others), sets=1, uniform=int(others == 0))
        return found


BENCH = Bench(
    name="segment_sets", doc=__doc__, measure=measure,
    full=Size(),
    quick=Size(categories=2, train=6, pool=4, seconds=16.0, clips=6, pretraining=30, steps=30, width=32, chosen=24,
               worlds=2),
    tiny=Size(categories=2, train=3, pool=1, seconds=8.0, clips=3, pretraining=2, steps=2, width=8, chosen=8, worlds=2,
              processes=1),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
