"""How people are pooled, on real crowds: `python -m bench.crowds [--quick]`.

Two public tables of yes and no votes with known truth lie in shared/annotations/crowd: ducks in pictures, and whether
two names are one product. Both are put to a count of votes, to our two-coin model with different pooling (votes that
the average person weighs in each person's rates; 0: nobody is pooled) and to crowd-kit's Dawid-Skene. One simulated
crowd stands beside them, whose people answer few clips each.

Accuracy is the share of questions with known truth that a method decides right; a question on which it decides nothing
counts half. Intervals are 95 %, of the difference to crowd-kit, by resampling questions. The last line is one JSON
object; figures of a table that is not there are null.
"""

import csv
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from bench.harness import Bench, Figures, Seed
from bench.harness.places import shared
from bench.harness.tables import Cell, table
from slac_tasks.verification.aggregation.dawid_skene import DawidSkene, Model
from slac_tasks.verification.ballots import read_ballots

POOLINGS = (0.0, 3.0, 10.0, 30.0, 100.0)
REAL: Mapping[str, str] = {"ducks": "d_Duck_Identification", "products": "d_jn-product"}
"""Tables by name: their folder."""
Right = Mapping[str, NDArray[np.float64]]
"""By method: 1 where it is right, 0 where it is wrong, 0.5 where it decides nothing, shape (questions,)."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is put to the methods."""

    questions: Annotated[int, "questions of a real table, at most"] = 10_000
    simulated: Annotated[int, "questions of the simulated crowd"] = 2_000
    resamples: Annotated[int, "resamples of an interval"] = 2_000
    seed: Seed = 0


@dataclass(frozen=True, kw_only=True)
class Votes:
    """Yes and no votes, and the truth where it is known."""

    question: list[str]
    worker: list[str]
    yes: NDArray[np.bool_]
    truth: Mapping[str, bool]

    def first(self, count: int) -> "Votes":
        """Return the votes on the first questions with a known truth."""
        kept = dict(sorted(self.truth.items())[:count])
        rows = [row for row, name in enumerate(self.question) if name in kept or len(self.truth) <= count]
        return Votes(
            question=[self.question[row] for row in rows], worker=[self.worker[row] for row in rows],
            yes=self.yes[rows], truth=kept,
        )  # fmt: skip


def read(folder: Path) -> Votes:
    """Return the votes of a table: answer.csv and truth.csv."""
    with (folder / "answer.csv").open(newline="", encoding="utf-8") as file:
        answers = list(csv.DictReader(file))
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        truth = {row["question"]: row["truth"] == "1" for row in csv.DictReader(file)}
    return Votes(
        question=[row["question"] for row in answers], worker=[row["worker"] for row in answers],
        yes=np.array([row["answer"] == "1" for row in answers]), truth=truth,
    )  # fmt: skip


def simulated(questions: int, chance: np.random.Generator) -> Votes:
    """Return the votes of people who answer twelve questions each, three on a question; one in ten clicks at random."""
    people = max(questions * 3 // 12, 6)
    able = np.where(chance.random(people) < 0.1, 0.5, chance.beta(12, 2, people))
    truth = chance.random(questions) < 0.4
    question = np.repeat(np.arange(questions), 3)
    worker = (np.argsort(chance.random((questions, people)), axis=1)[:, :3]).ravel()
    right = chance.random(len(question)) < able[worker]
    return Votes(
        question=[f"q{one}" for one in question], worker=[f"p{one}" for one in worker],
        yes=np.where(right, truth[question], ~truth[question]), truth={f"q{n}": bool(t) for n, t in enumerate(truth)},
    )  # fmt: skip


def by_count(votes: Votes) -> Mapping[str, float]:
    """Return, by question, 1 for yes and 0 for no by most votes; 0.5 for as many of both."""
    frame = pd.DataFrame({"question": votes.question, "yes": votes.yes.astype(float)})
    means = frame.groupby("question")["yes"].mean()
    return {str(name): 0.5 + 0.5 * float(np.sign(mean - 0.5)) for name, mean in means.items()}


def by_model(votes: Votes, pooling: float) -> Mapping[str, float]:
    """Return, by question, what our model says: 1 for yes and 0 for no."""
    count = len(votes.question)
    rows = pa.table(
        {
            "vote_id": pa.array([f"{row:08d}" for row in range(count)]), "clip_id": pa.array(votes.question),
            "category": pa.repeat("one", count), "annotator": pa.array(votes.worker),
            "answer": pa.array(np.where(votes.yes, "yes", "no").tolist()),
            "cast_at": pa.array(np.arange(count)).cast(pa.timestamp("us", tz="UTC")),
            "supersedes": pa.nulls(count, pa.string()),
            "set_id": pa.nulls(count, pa.string()),
        }
    )  # fmt: skip
    decisions = DawidSkene(model=Model(pooling=pooling))(read_ballots(rows))
    return dict(zip(decisions.ballots.clip_ids.to_pylist(), decisions.positive.astype(float).tolist(), strict=True))


def by_crowdkit(votes: Votes) -> Mapping[str, float]:
    """Return, by question, what crowd-kit's Dawid-Skene says."""
    from crowdkit.aggregation import DawidSkene as Reference

    frame = pd.DataFrame({"task": votes.question, "worker": votes.worker, "label": votes.yes.astype(int)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = Reference(n_iter=100).fit_predict(frame)
    return {str(name): float(value) for name, value in said.items()}


METHODS: Mapping[str, Callable[[Votes], Mapping[str, float]]] = {
    "crowdkit": by_crowdkit,
    "count": by_count,
    **{f"pooling_{pooling:g}": partial(by_model, pooling=pooling) for pooling in POOLINGS},
}
"""Every method by name."""


def judged(votes: Votes) -> Right:
    """Return how right every method is on each question whose truth is known."""
    names = sorted(set(votes.truth) & set(votes.question))
    truth = np.array([votes.truth[name] for name in names], dtype=float)
    found = {}
    for method, decide in METHODS.items():
        said = decide(votes)
        found[method] = 1 - abs(np.array([said[name] for name in names]) - truth)
    return found


def measure(size: Size, folder: Path) -> Figures:
    """Put every table to every method."""
    chance = np.random.default_rng(size.seed)
    place = shared("annotations")
    tables = {"simulated": simulated(size.simulated, chance)}
    for name, inside in REAL.items():
        if place is not None:
            tables[name] = read(place / "crowd" / inside).first(size.questions)
    figures: dict[str, float | None] = dict.fromkeys(f"{name}_{method}" for name in REAL for method in METHODS)
    rows: list[tuple[Cell, ...]] = []
    for name, votes in tables.items():
        right = judged(votes)
        count = len(right["count"])
        draws = chance.integers(0, count, (size.resamples, count))
        for method, each in right.items():
            apart = (each - right["crowdkit"])[draws].mean(axis=1)
            low, high = np.quantile(apart, [0.025, 0.975])
            rows.append((name, method, float(each.mean()), float(each.mean() - right["crowdkit"].mean()), low, high))
            figures[f"{name}_{method}"] = float(each.mean())
    names = {"crowd": "", "method": "", "accuracy": ".4f", "to crowd-kit": "+.4f", "low": "+.4f", "high": "+.4f"}
    print(table(names, rows))
    return {**figures, "scale": min(size.questions, Size().questions) / Size().questions * (place is not None)}


BENCH = Bench(
    name="crowds", doc=__doc__, measure=measure, full=Size(), quick=Size(questions=2_000, resamples=500),
    tiny=Size(questions=100, simulated=60, resamples=50),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
