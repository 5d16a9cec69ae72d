"""Planted label errors, and how many of the first that are found are errors: `python -m bench.label_errors [--quick]`.

A generated world is collected and its committee bootstrapped (`bench.harness.worlds`). Its pool becomes an existing
dataset: clips are labelled by the world's truth, and a share of the labels, drawn by lot, is flipped. `dense` labels
every clip, half a second apart; `sparse` clips that start two seconds apart, as HACS does. The product's own engine
(`verification.label_errors`) doubts the labels of each category, and the labels of all categories are ordered by it.

cleanlab (`find_label_issues`, ranked by self-confidence) is given the same labels and, as predicted probabilities, the
same out-of-fold scores: those of the engine's model, trained on the flipped labels without the clip's video. Where it
finds fewer than are looked at, the next ones by its label quality follow. `*_cleanlab_near` is cleanlab with what the
labels of neighbours say added to these scores: what is left of the difference is the ranking's.

`precision_100` is the share of flipped labels among the first 100 of ours on dense labels, `sparse_precision_100` on
sparse ones; `found` is how many of the planted errors ours holds more likely wrong than right. Means over worlds and
draws; where fewer than 100 labels are flipped, the first so many are looked at (`looked_at`), and where none is, the
figures are null. `gain` is ours less cleanlab's on the same scores with its 95 % interval (Student's t over worlds and
draws). With `--real FOLDER` the same is measured on a rehearsal (`slac rehearse`) with the trimmed videos of
FOLDER/<class>; `real_*` are its figures, null without a folder. The last line is one JSON object.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from scipy.special import expit

from bench.harness import Bench, Figures
from bench.harness.campaigns import Category
from bench.harness.intervals import UNKNOWN, interval, with_ends
from bench.harness.tables import Cell, table
from bench.harness.worlds import World, collect, collected, rehearse, scored
from bench.loop import scale
from slac_tasks.mining.measures import Floats, Ints
from slac_tasks.verification.ballots import Bools
from slac_tasks.verification.label_errors import Doubted, Given, doubted

LOOKED_AT = 100
"""Labels that a person is shown first."""
SPARSE_MS = 2000
"""Clips of a sparse dataset start at multiples of this."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    world: Annotated[str, "size of each world: large, demo, quick or tiny"] = "large"
    worlds: Annotated[int, "worlds, each with another seed"] = 3
    draws: Annotated[int, "draws of the flipped labels in each world"] = 5
    flipped: Annotated[float, "share of the labels that are flipped"] = 0.05
    real: Annotated[Path | None, "folder of trimmed videos, one sub-folder per class, to rehearse on"] = None
    real_videos: Annotated[int, "joined videos of one class of it"] = 36


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was found of one draw: shares of flipped labels among the first."""

    ours: float
    cleanlab: float
    cleanlab_near: float
    """By cleanlab, given what neighbours say as well."""
    found: float
    """Flipped labels that ours holds more likely wrong than right."""
    planted: int
    looked_at: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Ranked:
    """The labels of one category with what is known against them. Arrays of shape (labels,)."""

    flipped: Bools
    label: Ints
    doubt: Doubted


def layouts(category: Category) -> dict[str, Bools]:
    """Return which clips a dense and a sparse dataset label."""
    step = np.rint(np.asarray(category.start_sec) * 1000).astype(np.int64)
    return {"": np.ones(len(step), dtype=bool), "sparse_": step % SPARSE_MS == 0}


def doubts_of(category: Category, labelled: Bools, flipped: float, chance: np.random.Generator) -> Ranked:
    """Flip labels of a category and doubt them all."""
    rows = np.flatnonzero(labelled)
    flips = np.zeros(len(labelled), dtype=bool)
    flips[chance.choice(rows, size=round(flipped * len(rows)), replace=False)] = True
    label = np.where(labelled, np.where(category.truth ^ flips, 1, -1), 0)
    given = Given(label=label, row=np.arange(len(label)))
    nobody, everything = np.zeros(len(label)), np.ones(len(label), dtype=bool)
    said = doubted(category.clips, given, nobody, teaches=everything)
    doubt = Doubted(model=said.model[rows], near=said.near[rows], wrong=said.wrong[rows])
    return Ranked(flipped=flips[rows], label=label[rows], doubt=doubt)


def judged(ranked: Sequence[Ranked]) -> Outcome:
    """Return how many of the first labels of all categories are flipped, by each order."""
    flipped = np.concatenate([each.flipped for each in ranked])
    first = min(LOOKED_AT, int(flipped.sum()))
    doubts = np.concatenate([each.doubt.wrong for each in ranked])
    positive = np.concatenate([each.label for each in ranked]) > 0
    model = np.concatenate([each.doubt.model for each in ranked])
    near = np.concatenate([each.doubt.near for each in ranked])

    def share(order: Ints) -> float:
        return float(flipped[order[:first]].sum() / max(first, 1))

    return Outcome(
        ours=share(np.argsort(-doubts, kind="stable")), cleanlab=share(by_cleanlab(positive, expit(model))),
        cleanlab_near=share(by_cleanlab(positive, expit(model + near))),
        found=float((flipped & (doubts > 0.5)).sum()), planted=int(flipped.sum()), looked_at=first,
    )  # fmt: skip


def by_cleanlab(labels: Bools, probability: Floats) -> Ints:
    """Return the clips in the order in which cleanlab would have a person look at them."""
    said = np.stack([1 - probability, probability], axis=1)
    issues = find_label_issues(labels.astype(int), said, return_indices_ranked_by="self_confidence", n_jobs=1)
    rest = np.argsort(get_label_quality_scores(labels.astype(int), said, method="self_confidence"), kind="stable")
    return np.concatenate([issues, rest[~np.isin(rest, issues)]])


def outcomes_of(worlds: Sequence[World], size: Size) -> dict[str, list[Outcome]]:
    """Return every draw in every world, by layout."""
    found: dict[str, list[Outcome]] = {}
    for world in worlds:
        scores = scored(world, world.heads)
        categories = [Category.of(world, name, scores) for name in world.categories]
        for draw in range(size.draws):
            for layout in layouts(categories[0]):
                chance = np.random.default_rng((world.seed, draw))
                ranked = [doubts_of(each, layouts(each)[layout], size.flipped, chance) for each in categories]
                found.setdefault(layout, []).append(judged(ranked))
    return found


def figures(played: Mapping[str, Sequence[Outcome]]) -> dict[str, float | None]:
    """Return the means of each layout, and the gain with its interval."""
    found: dict[str, float | None] = {}
    for layout, every in played.items():
        outcomes = [each for each in every if each.looked_at]
        gain = interval([each.ours - each.cleanlab for each in outcomes]) if outcomes else UNKNOWN
        for name, figure in _MEANS.items():
            values = [float(getattr(each, name)) for each in outcomes]
            found[f"{layout}{figure}"] = float(np.mean(values)) if values else None
        found |= with_ends(f"{layout}gain", gain)
    return found


_MEANS = {
    "ours": "precision_100", "cleanlab": "precision_100_cleanlab", "cleanlab_near": "precision_100_cleanlab_near",
    "found": "found", "planted": "planted", "looked_at": "looked_at",
}  # fmt: skip
"""What is averaged, and the name of its figure."""


def measure(size: Size, folder: Path) -> Figures:
    """Collect the worlds and plant errors in them."""
    generated = list(collected(folder, size.worlds, lambda place, seed: collect(place, size.world, seed)))
    found = figures(outcomes_of(generated, size))
    real: dict[str, float | None] = dict.fromkeys(found)
    takes = size.real
    if takes is None:
        print("no rehearsal on real pixels: --real names no folder of trimmed videos")
    else:
        rehearsed = collected(
            folder / "real", 1, lambda place, seed: rehearse(place, takes, seed=seed, videos=size.real_videos)
        )
        real = figures(outcomes_of(list(rehearsed), size))
    rows: list[tuple[Cell, ...]] = [(name, value, real[name]) for name, value in found.items()]
    print(table({"": "", "generated": ".3f", "real": ".3f"}, rows))
    full = Size()
    share = size.worlds * size.draws / (full.worlds * full.draws)
    return {
        **found, **{f"real_{name}": value for name, value in real.items()},
        "scale": share * scale(size.world) / scale(full.world),
    }  # fmt: skip


BENCH = Bench(
    name="label_errors", doc=__doc__, measure=measure, full=Size(), quick=Size(world="quick", worlds=1),
    tiny=Size(world="tiny", worlds=1, draws=2),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
