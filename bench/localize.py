"""Do sparse clips teach where actions begin and end? `python -m bench.localize [--quick]`.

A network is pretrained on the sparse clips of a drawn world's training videos, and frozen. A head learns from its dense
features, and finds segments in test videos; every figure is the mAP, averaged over tIoU .3, .4, .5, .6 and .7.

`map_sparse`: the head has learned from the clips alone. `map_scratch`: the same head on the features of a network that
learned nothing. `map_dense`: it has learned from all segments. `gain` is map_sparse less map_scratch, `gain_low` and
`gain_high` its 95 % interval over seeds of clips and heads. `share_of_recipe` is map_dense over what ActionFormer's
published recipe, made anew in `bench.harness.actionformer`, reaches on the same features and segments. With
`_by_video` behind its name a map is that of the same heads, whose scores are multiplied with how probably the whole
video shows the category (`slac localize --by-video`).

With `--real FOLDER`, one sub-folder of trimmed videos for each class, the same on videos that are joined from them,
where no series is in two splits; these figures begin with `real_`. Real segments with pixels are at hand nowhere.
From nothing, a thousand real clips teach a network nothing. So the frozen one there is `frame_efficientnet_lite0` with
the weights of its package, which has seen ImageNet and no clip; the one that learned nothing has random weights.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import numpy as np
import torch

from bench.harness import Bench, Figures
from bench.harness.actionformer import Recipe
from bench.harness.actionformer import spot as spot_by_recipe
from bench.harness.actionformer import train as train_by_recipe
from bench.harness.intervals import interval, with_ends
from bench.harness.pretraining import ENTRY, pretrained
from bench.harness.tables import table
from bench.harness.untrimmed import Course, Drawn, Eye, drawn, joined
from slac_tasks.localization.detecting import SEARCH, Search, spot
from slac_tasks.localization.features import Dense
from slac_tasks.localization.labels import Lesson
from slac_tasks.localization.learning import Plan, taught
from slac_tasks.localization.networks import of_registry
from slac_tasks.networks.inference import device
from slac_tasks.training.trainer import seeded


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is learned."""

    categories: Annotated[int, "actions of the drawn world"] = 8
    train: Annotated[int, "drawn videos of a category to learn from"] = 24
    test: Annotated[int, "drawn videos of a category that judge"] = 12
    seconds: Annotated[float, "length of a drawn video"] = 30.0
    clips: Annotated[int, "sparse labels of a video"] = 8
    pretraining: Annotated[int, "steps of the network"] = 600
    steps: Annotated[int, "steps of a head that clips teach; segments teach for six times as many"] = 200
    width: Annotated[int, "channels of such a head; where segments teach, and of the recipe, twice as many"] = 64
    epochs: Annotated[int, "epochs of the recipe, after 5 of warm-up; published: 45"] = 45
    cuts: Annotated[int, "seeds of heads that segments teach"] = 2
    recipes: Annotated[int, "seeds of the recipe"] = 1
    seeds: Annotated[int, "seeds of clips and heads"] = 5
    real: Annotated[Path | None, "folder of trimmed videos, one sub-folder for each class"] = None
    videos: Annotated[int, "joined videos of a class"] = 12
    stride: Annotated[int, "frames of a joined video from one feature to the next"] = 16
    processes: Annotated[int, "processes, each of which computes in one thread"] = 2
    device: Annotated[str, "where networks run: auto, cpu or cuda"] = "cpu"


def measure(size: Size, folder: Path) -> Figures:
    """Play the drawn course, and the real one where there is one."""
    torch.set_num_threads(1)
    world = Drawn(categories=size.categories, train=size.train, test=size.test, seconds=size.seconds)
    figures: dict[str, float | None] = {"scale": size.pretraining / Size().pretraining * size.seeds / Size().seeds}
    course = drawn(world, folder / "drawn", size.processes)
    figures |= _played(course, *_taught(course, size), size)
    if size.real is not None:
        course = joined(size.real, folder / "joined", videos=size.videos, seed=0, processes=size.processes)
        figures |= {f"real_{name}": value for name, value in _played(course, *_packaged(size), size).items()}
    return figures


def _taught(course: Course, size: Size) -> tuple[Eye, Eye]:
    """Return the network that the sparse clips of a course have taught, and one that has learned nothing."""
    labels, where = course.labels(size.clips, seed=0), device(size.device)
    network = pretrained(labels, steps=size.pretraining, batch=32, seed=0, what=f"{course.name}: pretrain", where=where)
    with seeded(1):
        nothing = ENTRY.build()
    return Eye(entry=ENTRY, backbone=network()), Eye(entry=ENTRY, backbone=nothing)


def _packaged(size: Size) -> tuple[Eye, Eye]:
    """Return the network whose weights a package holds, and one of random weights."""

    def eye(start: str) -> Eye:
        entry, backbone = of_registry("frame_efficientnet_lite0", start)
        return Eye(entry=entry, backbone=backbone, stride_frames=size.stride)

    with seeded(1):
        return eye("package"), eye("random")


def _played(course: Course, learned: Eye, nothing: Eye, size: Size) -> dict[str, float | None]:
    """Return the figures of a course."""
    teach = [video.clips(size.clips, 0) for video in course.videos if not video.is_test]
    print(
        f"{course.name}: {sum(map(len, teach))} clips of {len(teach)} videos teach, "
        f"{sum(clip.positive for own in teach for clip in own)} of them show their action; "
        f"{len(course.videos) - len(teach)} videos judge"
    )
    seen, unseen = course.seen(learned, size.device), course.seen(nothing, size.device)
    tasks = [*_tasks("sparse", seen, size.seeds, cut=False), *_tasks("scratch", unseen, size.seeds, cut=False),
             *_tasks("dense", seen, size.cuts, cut=True)]  # fmt: skip
    tasks += [_Task(name="recipe", seen=seen, cut=True, seed=seed) for seed in range(size.recipes)]
    by_name: dict[str, list[float]] = {}
    for values in _all_judged(course, size, tasks):
        for name, value in values.items():
            by_name.setdefault(name, []).append(value)
    heads = {"learned from": "", "seeds": "", "mAP": ".3f", "low": ".3f", "high": ".3f"}
    print(table(heads, [[name, len(own), *interval(own)] for name, own in by_name.items()]))
    means = {name: float(np.mean(own)) for name, own in by_name.items()}
    gains = [one - other for one, other in zip(by_name["sparse"], by_name["scratch"], strict=True)]
    return {
        **{f"map_{name}": value for name, value in means.items()},
        **with_ends("gain", interval(gains)),
        "share_of_recipe": means["dense"] / means["recipe"] if means.get("recipe") else None,
    }


@dataclass(frozen=True, kw_only=True)
class _Task:
    """One head that learns and is judged."""

    name: str
    seen: list[Dense]
    cut: bool
    seed: int


def _tasks(name: str, seen: list[Dense], seeds: int, *, cut: bool) -> Iterator[_Task]:
    for seed in range(seeds):
        yield _Task(name=name, seen=seen, cut=cut, seed=seed)


def _all_judged(course: Course, size: Size, tasks: Sequence[_Task]) -> list[dict[str, float]]:
    """Judge every head; each is told as soon as those before it are, since all of them take an hour."""
    judge = partial(_judged, course, size)
    with ExitStack() as last:
        judged: Iterable[dict[str, float]] = map(judge, tasks)
        if size.processes > 1:
            # Spawned: a process that is forked cannot use a card that this one has used.
            pool = last.enter_context(ProcessPoolExecutor(size.processes, get_context("spawn")))
            judged = pool.map(judge, tasks)
        found: list[dict[str, float]] = []
        for task, values in zip(tasks, judged, strict=True):
            said = ", ".join(f"{name} {value:.3f}" for name, value in values.items())
            print(f"{course.name}: head {len(found) + 1} of {len(tasks)}, seed {task.seed}: {said}", flush=True)
            found.append(values)
    return found


def _judged(course: Course, size: Size, task: _Task) -> dict[str, float]:
    """Return the average mAP of one head, by the name of its figure."""
    torch.set_num_threads(1)
    where = device(size.device)
    lessons = course.lessons(task.seen, clips=size.clips, cut=task.cut, seed=task.seed)
    if task.name == "recipe":
        recipe = Recipe(width=2 * size.width, epochs=size.epochs, seed=task.seed)
        network = train_by_recipe(lessons, len(course.categories), recipe, where)
        return {task.name: course.average_map(task.seen, lambda dense: spot_by_recipe(network, Lesson(dense=dense)))}
    plan = Plan(steps=size.steps, width=size.width, seed=task.seed)
    head = taught(lessons, course.categories, plan.cut() if task.cut else plan, where)

    def average(search: Search) -> float:
        return course.average_map(
            task.seen, lambda dense: spot(head, torch.from_numpy(dense.values).to(where), dense.clock, search)
        )

    by_video = replace(SEARCH, by_video=True)
    return {task.name: average(SEARCH), f"{task.name}_by_video": average(by_video)}


BENCH = Bench(
    name="localize", doc=__doc__, measure=measure,
    full=Size(),
    quick=Size(categories=3, train=5, test=3, seconds=12.0, clips=5, pretraining=30, steps=20, width=32, epochs=3,
               cuts=1, seeds=2),
    tiny=Size(categories=2, train=2, test=1, seconds=6.0, clips=3, pretraining=2, steps=2, width=8, epochs=1, cuts=1,
              seeds=2, processes=1),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
