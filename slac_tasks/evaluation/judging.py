"""Which clips judge a network, how many clips each stands for, and what the network is worth on them.

Judged are clips that training never saw: those of the random control, and gold, whose answer an expert knows. Clips
that were chosen for their scores flatter the networks that agree with these scores, or slander them. A round draws as
much control from few clips as from many, so each control clip is weighed by the clips of its category and week over the
control clips that were drawn there. Gold that was not drawn stands for itself, and the control then for all clips but
gold. Where an answer is known, it stands above what people say.

Where control and gold of the testing split are too few to say anything, those of the validation split judge too; where
even these are, all answered clips do, and every figure says so. A chosen clip was sure to be asked, so it stands for
itself; the control then stands for the clips that were not chosen.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

import numpy as np

from slac_tasks.errors import WrongArguments
from slac_tasks.evaluation.intervals import Measured, Sample, measured
from slac_tasks.evaluation.measures import (
    average_precision,
    brier,
    calibration_error,
    commoner,
    mean_class,
    mean_of,
    reliability,
    share,
)
from slac_tasks.model import SAYS_YES, Split, Strategy, round_window
from slac_tasks.storage.datasets.releasing import EvaluationRow, GoldJudgeRow, JudgedRow, ReleaseRow

FEW = 30
"""Fewer clips than these say nothing of a network; clips of unequal weight count for as many of equal weight (Kish)."""
Place = tuple[str, str]
"""(category, window)."""


@dataclass(frozen=True, kw_only=True)
class Judges:
    """The answers that judge a network."""

    rows: tuple[ReleaseRow | GoldJudgeRow, ...]
    weights: tuple[float, ...]
    control: bool
    """Whether none of them was chosen for people."""
    judged_on: str
    """In words."""


def window_of(row: ReleaseRow | GoldJudgeRow) -> str | None:
    """Return the week in which the row's video was collected, as its round has it; None: it was not asked."""
    if isinstance(row, GoldJudgeRow):
        return row.window
    try:
        return round_window(row.round) if row.round else None
    except WrongArguments:
        return None


def judges(rows: Sequence[ReleaseRow], clips: Mapping[Place, int], gold: Sequence[GoldJudgeRow] = ()) -> Judges:
    """Return who judges.

    Args:
        rows: of the release, training included: they say how many control clips were drawn.
        clips: number of clips of each category and window.
        gold: clips whose answer is known, some of them among the rows.

    """
    known = {_key(one): one for one in gold}
    rows = [replace(row, label=known[_key(row)].label) if _key(row) in known else row for row in rows]
    control = [row for row in rows if row.strategy == Strategy.RANDOM]
    chosen = [row for row in rows if row.strategy not in (Strategy.RANDOM, None)]
    unseen = [row for row in rows if row.split != Split.TRAINING]
    beside_control, beside_rows = _without(gold, control), _without(gold, rows)
    words = "control and gold" if gold else "control"
    later = {Split.TESTING}, {Split.TESTING, Split.VALIDATION}
    tried = [
        *(_Tried(f"the {words} of {_named(of)}", True, control, beside_control, of) for of in later),
        *(_Tried(f"{_named(of)} clips, chosen ones too", False, unseen, beside_rows, of) for of in later),
    ]
    drawn = Counter(map(_place, control))
    sure = {
        True: Counter(map(_place, beside_control)),
        False: Counter(map(_place, chosen)) + Counter(map(_place, beside_rows)),
    }

    def weight(row: ReleaseRow | GoldJudgeRow, is_control: bool) -> float:
        """Return the inverse of the chance that the clip judges."""
        if isinstance(row, GoldJudgeRow) or row.strategy != Strategy.RANDOM:
            return 1.0
        place = _place(row)
        every = clips.get((row.category, place[1] or ""), 0)
        return max(1.0, (every - sure[is_control][place]) / drawn[place])

    for one in tried:
        weights = tuple(weight(row, one.control) for row in one.found)
        if one is tried[-1] or _equal(weights) >= FEW:
            break
    return Judges(rows=one.found, weights=weights, control=one.control, judged_on=one.words)


class _Tried(NamedTuple):
    """Clips that may judge."""

    words: str
    control: bool
    rows: Sequence[ReleaseRow]
    gold: Sequence[GoldJudgeRow]
    splits: Collection[Split]

    @property
    def found(self) -> tuple[ReleaseRow | GoldJudgeRow, ...]:
        """Those of the splits."""
        every: Iterable[ReleaseRow | GoldJudgeRow] = chain(self.rows, self.gold)
        return tuple(row for row in every if row.split in self.splits)


def _named(splits: Collection[Split]) -> str:
    return " and ".join(sorted(splits))


def _key(row: ReleaseRow | GoldJudgeRow) -> tuple[str, str]:
    return row.clip_id, row.category


def _place(row: ReleaseRow | GoldJudgeRow) -> tuple[str, str | None]:
    return row.category, window_of(row)


def _without(gold: Sequence[GoldJudgeRow], rows: Sequence[ReleaseRow]) -> list[GoldJudgeRow]:
    """Return the gold that is not among the rows."""
    held = set(map(_key, rows))
    return [one for one in gold if _key(one) not in held]


def _equal(weights: Sequence[float]) -> float:
    """Return how many clips of equal weight say as much as these."""
    squares = sum(weight**2 for weight in weights)
    return round(sum(weights) ** 2 / squares, 6) if squares else 0.0


def of_testing(rows: Sequence[JudgedRow], budget: str) -> Iterator[EvaluationRow]:
    """Yield what a network is worth on the clips that judge it.

    Args:
        rows: what it says of them, and what people say.
        budget: what it learned from, and what it is judged on.

    """
    sample = Sample.of([row.video_id for row in rows], [row.weight for row in rows])
    positive = np.array([row.label > 0 for row in rows])
    score = np.array([row.score for row in rows])
    categories = np.array([row.category for row in rows])
    names, number = np.unique(categories, return_inverse=True)
    places = {one: np.flatnonzero(number == at) for at, one in enumerate(names.tolist())}
    precisions = {one: average_precision(score[at], positive[at]) for one, at in places.items()}

    def row(measure: str, found: Measured, subject: str = "pretrained", category: str | None = None) -> EvaluationRow:
        return EvaluationRow(
            measure=measure, subject=subject, value=found.value or 0.0, low=found.low, high=found.high,
            repeats=found.clips, budget=budget, category=category, clips=found.clips, videos=found.videos,
        )  # fmt: skip

    yield row("testing_accuracy", measured(share((score >= SAYS_YES) == positive), sample))
    yield row("testing_mean_class", measured(mean_class((score >= SAYS_YES) == positive, number), sample))
    yield row("testing_best_guess", measured(share(commoner(positive, sample.weight)), sample), "guess")
    yield row("testing_calibration_error", measured(calibration_error(score, positive), sample))
    yield row("testing_brier", measured(brier(score, positive), sample))
    both = mean_of([(one, places[category]) for category, one in precisions.items()])
    if (found := measured(both, sample)).value is not None:
        yield row("testing_mean_average_precision", found)
    for category, one in precisions.items():
        found = measured(one, sample.part(places[category]))
        if found.value is not None:
            yield row("testing_average_precision", found, category=category)


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How often the action was there, among the clips of which the network said about the same."""

    part: int
    """Which of `measures.BINS` equal parts of [0, 1]."""
    share: Measured


def calibration(rows: Sequence[JudgedRow]) -> list[Calibration]:
    """Return the parts of [0, 1] that hold a clip which judges, with intervals by video."""
    sample = Sample.of([row.video_id for row in rows], [row.weight for row in rows])
    positive = np.array([row.label > 0 for row in rows], dtype=bool)
    score = np.array([row.score for row in rows], dtype=np.float64)
    return [
        Calibration(part=one.part, share=measured(share(positive[one.places]), sample.part(one.places)))
        for one in reliability(score, positive)
    ]
