"""Is a network that was pretrained on sparse labels a better start than none? `python -m bench.transfer [--quick]`.

The paper's headline experiment in a drawn world, and with `--real FOLDER` on real videos too: `FOLDER/manifest.csv`
with the columns file, family and series. No target class is a pretraining category. Of real videos, whole series judge,
and no network learns from these series.

Each start learns from the same labels, for the same steps, with the same seeds, at a learning rate of its own that was
chosen on training videos. `top1_gain_5` is by how much the pretrained network is right more often than one from scratch
with 5 labels a class, `_low` and `_high` its 95 % interval over seeds and videos; names of real videos begin with
`real_`. The printed table has all starts. The last line is one JSON object.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from torch import nn

from bench.harness import Bench, Figures
from bench.harness.intervals import with_ends
from bench.harness.places import shared
from bench.harness.pretraining import ACTIONS, CPU, ENTRY, Course, Drawn, Real, drawn, pretrained, real
from bench.harness.tables import Cell, table
from slac_tasks.evaluation.curve import of_transfer
from slac_tasks.evaluation.subjects import ACCURACY, FROZEN, GAIN, PAPER, PRETRAINED, SCRATCH
from slac_tasks.evaluation.transfer import Budget, Outcome, Transfer
from slac_tasks.storage.datasets.releasing import EvaluationRow

REHEARSAL = "real/exercises"
LABELS = (5, 10, 20)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is learned."""

    categories: Annotated[int, "actions of the drawn world that are pretrained on"] = len(ACTIONS)
    videos: Annotated[int, "drawn videos of a category"] = 30
    clips: Annotated[int, "labels of a drawn video"] = 6
    steps: Annotated[int, "pretraining steps in the drawn world"] = 2_500
    real_steps: Annotated[int, "pretraining steps on real videos, which are fewer"] = 500
    labels: Annotated[tuple[int, ...], "labels of a target class; may be repeated"] = LABELS
    train: Annotated[int, "drawn videos of a target class to learn from"] = 40
    test: Annotated[int, "drawn videos of a target class that judge"] = 80
    targets: Annotated[int, "target classes of the drawn world"] = 8
    tuned: Annotated[int, "fine-tuning steps"] = 50
    batch: Annotated[int, "clips in a step"] = 32
    seeds: Annotated[int, "repetitions, each with labels and a start of its own"] = 5
    tune: Annotated[int, "1: choose each start's learning rate on training videos"] = 1
    real: Annotated[Path | None, "folder of real videos; the rehearsal set beside the checkout, where there is one"] = (
        None
    )
    families: Annotated[int, "target classes of the real videos; 0 leaves them out"] = 4
    processes: Annotated[int, "processes, each of which computes in one thread"] = 2


def measure(size: Size, folder: Path) -> Figures:
    """Play both courses, side by side."""
    courses: list[tuple[Callable[[], Course], int]] = [
        (
            lambda: drawn(
                Drawn(
                    seed=0, videos=size.videos, clips=size.clips, train=size.train, test=size.test,
                    targets=size.targets, categories=size.categories,
                ),
                size.processes,
            ),
            size.steps,
        )
    ]  # fmt: skip
    videos = size.real or (shared(REHEARSAL) if size.families else None)
    if videos is not None and size.families:
        courses.append((lambda: real(Real(folder=videos, targets=size.families)), size.real_steps))
    figures: dict[str, float | None] = {"scale": size.steps / Size().steps * size.seeds / Size().seeds}
    with ProcessPoolExecutor(size.processes) as pool:
        begun: list[tuple[Course, list[Future[list[Outcome]]]]] = []
        for make, steps in courses:
            course = make()
            # A start from nothing waits for no pretraining.
            parts = [pool.submit(play, course, size, steps, one) for one in ((PRETRAINED, FROZEN), (SCRATCH,))]
            begun.append((course, parts))
        for course, parts in begun:
            outcomes = [outcome for part in parts for outcome in part.result()]
            figures |= _shown(course, of_transfer(outcomes, course.target.test, f"{size.tuned} steps of {size.batch}"))
    return figures


def play(course: Course, size: Size, steps: int, subjects: Sequence[str]) -> list[Outcome]:
    """Pretrain, where a subject wants it, transfer, and return what each subject says of the clips that judge."""
    torch.set_num_threads(1)
    start: Callable[[], nn.Module] = ENTRY.build
    if subjects != (SCRATCH,):
        start = pretrained(course.labels, steps=steps, batch=size.batch, seed=0, what=f"{course.name}: pretrain")
    budget = Budget(
        labels=tuple(size.labels), steps=size.tuned, batch=size.batch, seeds=range(size.seeds), tune=bool(size.tune)
    )
    transfer = Transfer(entry=ENTRY, start=start, target=course.target, budget=budget, where=CPU)
    return list(transfer.outcomes(subjects))


def _shown(course: Course, rows: Iterable[EvaluationRow]) -> dict[str, float | None]:
    """Print a course's table and return its figures."""
    rows = list(rows)
    test = course.target.test
    positive = len(course.labels.positive)
    print(
        f"{course.name}: pretrained on {len(course.labels.pixels):,} clips, {positive:,} of them with a yes, of "
        f"{course.labels.answers.shape[1]} categories; {len(test.classes)} clips of {len(test.names)} classes judge"
    )
    lines: list[list[Cell]] = [
        [row.measure.removeprefix("transfer_"), row.subject, row.labels, row.rate, row.value, row.low, row.high]
        for row in rows
        if row.measure in (ACCURACY, GAIN)
    ]
    heads = {"measure": "", "start": "", "labels": "", "rate": "g", "top-1": ".3f", "low": "+.3f", "high": "+.3f"}
    print(table(heads, lines))
    gains = {row.labels: row for row in rows if row.measure == GAIN and row.subject == "pretrained"}
    ours = ", ".join(f"{100 * row.value:+.1f} with {labels}" for labels, row in gains.items())
    paper = ", ".join(f"{name} {points:+.1f}" for name, points in PAPER.items())
    print(f"{course.name}: points of top-1 gained: {ours} labels a class; the paper, with all labels: {paper}\n")
    prefix = "" if course.name == "generated" else f"{course.name}_"
    found: dict[str, float | None] = {}
    for labels, row in gains.items():
        found |= with_ends(f"{prefix}top1_gain_{labels}", (row.value, row.low, row.high))
    return found


BENCH = Bench(
    name="transfer", doc=__doc__, measure=measure,
    full=Size(),
    quick=Size(categories=8, videos=12, clips=6, steps=60, labels=(5,), train=10, test=15, targets=4, tuned=20,
               batch=16, seeds=2, tune=0, families=0),
    tiny=Size(categories=4, videos=2, clips=2, steps=2, labels=(1,), train=2, test=2, targets=2, tuned=2, batch=4,
              seeds=2, tune=0, families=0, processes=1),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
