"""Are answers of no worth their time in pretraining? `python -m bench.negatives [--quick]`.

Three networks are pretrained in a drawn world with the same clips that show their category, for the same steps: with
these alone (`none`), with as many clips without it that were drawn by lot (`random`), and with as many that show the
action that looks alike (`hard`), such as lift beside drop. Each is then transferred to other actions with the same few
labels. `top1_*` is the top-1 of each, `gain_*` that over a start from nothing on the same clips and seeds; `_low` and
`_high` are ends of 95 % intervals over seeds and videos. The last line is one JSON object.
"""

import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch

from bench.harness import Bench, Figures
from bench.harness.intervals import with_ends
from bench.harness.pretraining import CPU, ENTRY, Course, Drawn, Labels, drawn, pretrained
from bench.harness.tables import Cell, table
from slac_tasks.evaluation.curve import of_transfer
from slac_tasks.evaluation.measures import Ints
from slac_tasks.evaluation.subjects import ACCURACY, GAIN, PRETRAINED, SCRATCH
from slac_tasks.evaluation.transfer import Budget, Outcome, Transfer

NONE, RANDOM, HARD = "none", "random", "hard"


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is learned."""

    categories: Annotated[int, "actions that are pretrained on"] = 8
    videos: Annotated[int, "drawn videos of a category"] = 40
    clips: Annotated[int, "clips of a video that are asked"] = 8
    steps: Annotated[int, "pretraining steps"] = 500
    labels: Annotated[int, "labels of a target class"] = 10
    test: Annotated[int, "videos of a target class that judge"] = 40
    targets: Annotated[int, "target classes"] = 8
    tuned: Annotated[int, "fine-tuning steps"] = 50
    batch: Annotated[int, "clips in a step"] = 32
    seeds: Annotated[int, "repetitions, each with labels and a start of its own"] = 5
    processes: Annotated[int, "processes, each of which computes in one thread"] = 2


def measure(size: Size, folder: Path) -> Figures:
    """Pretrain with each kind of negatives, and transfer."""
    course = drawn(
        Drawn(
            seed=0,
            videos=size.videos,
            clips=size.clips,
            train=size.labels,
            test=size.test,
            targets=size.targets,
            categories=size.categories,
        ),
        size.processes,
    )
    chosen = kinds(course.labels)
    with ProcessPoolExecutor(size.processes) as pool:
        waiting = {kind: pool.submit(outcome, course, chosen.get(kind), size) for kind in (SCRATCH, *chosen)}
        found = {kind: one.result() for kind, one in waiting.items()}
    figures: dict[str, float | None] = {"scale": size.steps / Size().steps * size.seeds / Size().seeds}
    lines: list[list[Cell]] = []
    for kind, places in chosen.items():
        rows = {
            row.measure: row
            for row in of_transfer([found[kind], found[SCRATCH]], course.target.test, "")
            if row.subject == PRETRAINED
        }
        top, gain = rows[ACCURACY], rows[GAIN]
        lines.append([kind, len(places), top.value, top.low, top.high, gain.value, gain.low, gain.high])
        figures |= {f"top1_{kind}": top.value} | with_ends(f"gain_{kind}", (gain.value, gain.low, gain.high))
    heads = {"negatives": "", "clips": "", "top-1": ".3f", "low": ".3f", "high": ".3f", "gain": "+.3f"}
    print(table({**heads, "gain low": "+.3f", "gain high": "+.3f"}, lines))
    return figures


def kinds(labels: Labels) -> Mapping[str, Ints]:
    """Return the places of the clips of each pretraining: the same positives, and as many negatives of each kind."""
    chance = np.random.default_rng(0)
    negative = chance.permutation(np.flatnonzero((labels.answers < 0).any(axis=1)))
    hard = negative[labels.hard[negative] > 0]
    count = min(len(hard), len(negative), len(labels.positive))
    some = {NONE: negative[:0], RANDOM: negative[:count], HARD: hard[:count]}
    return {kind: np.sort(np.concatenate([labels.positive, places])) for kind, places in some.items()}


def outcome(course: Course, places: Ints | None, size: Size) -> Outcome:
    """Return what a network says of the test clips that was pretrained on these clips; None: on none."""
    torch.set_num_threads(1)
    start = ENTRY.build
    if places is not None:
        start = pretrained(course.labels.part(places), steps=size.steps, batch=size.batch, seed=0, what="pretrain")
    budget = Budget(labels=(size.labels,), steps=size.tuned, batch=size.batch, seeds=range(size.seeds), tune=False)
    transfer = Transfer(entry=ENTRY, start=start, target=course.target, budget=budget, where=CPU)
    (found,) = transfer.outcomes([SCRATCH if places is None else PRETRAINED])
    return found


BENCH = Bench(
    name="negatives", doc=__doc__, measure=measure,
    full=Size(),
    quick=Size(videos=12, clips=6, steps=40, labels=5, test=10, targets=4, tuned=20, batch=16, seeds=2),
    tiny=Size(categories=4, videos=2, clips=3, steps=2, labels=1, test=2, targets=2, tuned=2, batch=4, seeds=2,
              processes=1),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
