"""The evaluators of localization against plain rivals, and their time: `python -m bench.evaluate [--quick]`.

Random cases with ties of scores and of tIoU, empty categories, double detections, segments without a length, several
labels at a time and ambiguous stretches are judged by `slac_tasks.localization` and by loops that are written plainly
from the published rules (`bench.harness.localization`): ActivityNet's mAP, the mAP of THUMOS14's toolkit, and average
recall against the number of proposals. `max_difference` is the largest difference of any average precision, recall or
number of proposals.

For the time, detections are drawn around the segments of a made-up benchmark of the size of ActivityNet's validation
part. The rival is the loop of ActivityNet's script, category after category, over pandas. `speedup` is its time over
ours on the same detections, in one run on one core; `rival_difference` is how far its table is from ours.
`resampled_sec` is what a thousand resamples of the videos take, which give the interval of the average mAP.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd

from bench.harness import Bench, Figures, Seed
from bench.harness import localization as plain
from bench.harness.costs import now
from bench.harness.tables import listing
from slac_tasks.evaluation.intervals import Sample, measured
from slac_tasks.localization.average_precision import RULES, matched
from slac_tasks.localization.recall import THRESHOLDS, recall
from slac_tasks.localization.segments import Benchmark, Detections, Segments, detections, segments

SEGMENT_SEC = 40.0
"""Mean length of a drawn segment."""
PROPOSALS = 5.0
"""Average number of proposals of a video in the small cases, so that some have more and some fewer."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    cases: Annotated[int, "random cases"] = 1_000
    predictions: Annotated[int, "detections for the time"] = 100_000
    videos: Annotated[int, "videos for the time"] = 4_728
    categories: Annotated[int, "categories for the time"] = 200
    seed: Seed = 0


def measure(size: Size, folder: Path) -> Figures:
    """Compare the cases, then the times."""
    chance = np.random.default_rng(size.seed)
    figures = {"max_difference": max(difference(case(chance)) for _ in range(size.cases))} | timed(size, chance)
    print(listing(figures, ",.6g"))
    return {"scale": min(1.0, size.cases / Size.cases, size.predictions / Size.predictions), **figures}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One small benchmark with detections, as rows."""

    truth: Sequence[plain.Segment]
    ambiguous: Sequence[plain.Segment]
    found: Sequence[plain.Detection]
    videos: int
    categories: int

    @property
    def benchmark(self) -> Benchmark:
        """The benchmark as columns."""
        return Benchmark(
            videos=tuple(f"video{number}" for number in range(self.videos)),
            categories=tuple(f"category{number}" for number in range(self.categories)),
            duration_sec=np.full(self.videos, np.nan), truth=segments(self.truth), ambiguous=segments(self.ambiguous),
        )  # fmt: skip


def case(chance: np.random.Generator) -> Case:
    """Draw a case; times lie on a grid of half seconds and scores on one of quarters, so that many are equal."""
    videos, categories = int(chance.integers(1, 7)), int(chance.integers(1, 5))

    def some(count: int) -> list[plain.Segment]:
        start, length = chance.integers(0, 12, count) / 2, chance.integers(0, 8, count) / 2
        columns = (chance.integers(0, videos, count), chance.integers(0, categories, count), start, start + length)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    truth = some(int(chance.integers(1, 16)))
    found = some(int(chance.integers(0, 30)))
    found += [truth[place] for place in chance.integers(0, len(truth), 5)]
    ambiguous = [(video, 0, start, end) for video, _, start, end in some(int(chance.integers(0, 4)))]
    scores = (chance.integers(0, 5, len(found)) / 4).tolist()
    return Case(
        truth=truth, ambiguous=ambiguous, videos=videos, categories=categories,
        found=[(*each, score) for each, score in zip(found, scores, strict=True)],
    )  # fmt: skip


def difference(one: Case) -> float:
    """Return the largest difference of ours and the plain rules on a case."""
    benchmark, found = one.benchmark, detections(one.found)
    differences = [0.0]
    for rules in RULES.values():
        judged = matched(benchmark, found, rules)
        for category in judged.present.tolist():
            for level, threshold in enumerate(rules.thresholds):
                wanted = (
                    plain.thumos14(one.truth, one.ambiguous, one.found, category, threshold)
                    if rules.excuses
                    else plain.activitynet(one.truth, one.found, category, threshold)
                )
                differences.append(abs(wanted - judged.table[category, level]))
    numbers, recalls = plain.average_recall(one.truth, one.found, THRESHOLDS, PROPOSALS)
    ours = recall(benchmark, found, number=PROPOSALS)
    differences += [abs(ours.numbers - numbers).max(), abs(ours.curve(np.ones((1, one.videos)))[0] - recalls).max()]
    return float(max(differences))


def drawn(size: Size, chance: np.random.Generator) -> tuple[Benchmark, Detections]:
    """Draw a large benchmark and detections around its segments, a third of them of another category."""
    count = size.videos * 3 // 2
    video = np.concatenate([np.arange(size.videos), chance.integers(0, size.videos, count - size.videos)])
    # As in ActivityNet, most videos show one category.
    category = video % size.categories
    start = chance.uniform(0, 120, count)
    truth = Segments(
        video=video, category=category, start_sec=start, end_sec=start + chance.exponential(SEGMENT_SEC, count)
    )
    place = chance.integers(0, count, size.predictions)
    jitter = chance.normal(0, 0.3, (2, size.predictions)) * truth.length_sec[place]
    ends = np.sort(np.stack([truth.start_sec[place], truth.end_sec[place]]) + jitter, axis=0).clip(0)
    other = chance.random(size.predictions) < 1 / 3
    found = Detections(
        video=video[place], start_sec=ends[0], end_sec=ends[1], score=chance.random(size.predictions),
        category=np.where(other, chance.integers(0, size.categories, size.predictions), category[place]),
    )  # fmt: skip
    nothing = segments([])
    benchmark = Benchmark(
        videos=tuple(f"video{number}" for number in range(size.videos)),
        categories=tuple(f"category{number}" for number in range(size.categories)),
        duration_sec=np.full(size.videos, np.nan), truth=truth, ambiguous=nothing,
    )  # fmt: skip
    return benchmark, found


def timed(size: Size, chance: np.random.Generator) -> dict[str, float]:
    """Return the times of ours and of the rival on the same detections."""
    benchmark, found = drawn(size, chance)
    rules = RULES["activitynet"]
    frames = [pd.DataFrame({name.removesuffix("_sec"): column for name, column in vars(each).items()})
              for each in (benchmark.truth, found)]  # fmt: skip
    begun = now()
    judged = matched(benchmark, found, rules)
    ours = judged.table
    between = now()
    theirs = plain.script(frames[0], frames[1], np.asarray(rules.thresholds))
    ended = now()
    measured(judged.average, Sample.of(benchmark.videos))
    own, rival, resampled = between - begun, ended - between, now() - ended
    return {
        "speedup": rival.processor_sec / own.processor_sec,
        "rival_difference": float(abs(ours[judged.present] - theirs).max()),
        "own_sec": own.processor_sec,
        "rival_sec": rival.processor_sec,
        "resampled_sec": resampled.processor_sec,
    }


BENCH = Bench(
    name="evaluate", doc=__doc__, measure=measure, full=Size(),
    quick=Size(cases=200, predictions=10_000, videos=473, categories=20),
    tiny=Size(cases=20, predictions=500, videos=47, categories=5),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
