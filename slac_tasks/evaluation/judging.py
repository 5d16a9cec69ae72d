"""Which clips judge a network, how many clips each stands for, and what the network is worth on them.

Judged are clips of the random control that training never saw: clips that were chosen for their scores flatter the
networks that agree with these scores, or slander them. A round draws as much control from few clips as from many, so
each control clip is weighed by the clips of its category and week over the control clips that were drawn there. Where
the control of the testing split is too small to say anything, that of the validation split is judged too; where even
that is, all answered clips are, and every figure says so. A chosen clip was sure to be asked, so it stands for itself;
the control then stands for the clips that were not chosen.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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
from slac_tasks.model import Split, Strategy, round_window
from slac_tasks.storage.datasets.releasing import EvaluationRow, JudgedRow, ReleaseRow

FEW = 30
"""Fewer clips than these say nothing of a network."""
Place = tuple[str, str]
"""(category, window)."""


@dataclass(frozen=True, kw_only=True)
class Judges:
    """The answers that judge a network."""

    rows: tuple[ReleaseRow, ...]
    weights: tuple[float, ...]
    control: bool
    """Whether all of them were drawn by lot."""
    judged_on: str
    """In words."""


def window_of(row: ReleaseRow) -> str | None:
    """Return the week in which the row's video was collected, as its round has it; None: it was not asked."""
    try:
        return round_window(row.round) if row.round else None
    except WrongArguments:
        return None


def judges(rows: Sequence[ReleaseRow], clips: Mapping[Place, int]) -> Judges:
    """Return who judges.

    Args:
        rows: of the release, training included: they say how many control clips were drawn.
        clips: number of clips of each category and window.

    """
    control = [row for row in rows if row.strategy == Strategy.RANDOM]
    drawn = Counter((row.category, window_of(row)) for row in control)
    chosen = Counter((row.category, window_of(row)) for row in rows if row.strategy not in (Strategy.RANDOM, None))
    unseen = [row for row in rows if row.split != Split.TRAINING]
    tried = (
        ("the control of testing", True, [row for row in control if row.split == Split.TESTING]),
        ("the control of testing and validation", True, [row for row in control if row.split != Split.TRAINING]),
        ("testing clips, chosen ones too", False, [row for row in unseen if row.split == Split.TESTING]),
        ("testing and validation clips, chosen ones too", False, unseen),
    )
    words, is_control, found = next((one for one in tried if len(one[2]) >= FEW), tried[-1])

    def weight(row: ReleaseRow) -> float:
        """Return the inverse of the chance that the clip was asked."""
        if row.strategy != Strategy.RANDOM:
            return 1.0
        place = (row.category, window_of(row))
        every = clips.get((row.category, place[1] or ""), 0)
        stood_for = every if is_control else every - chosen[place]
        return max(1.0, stood_for / drawn[place])

    return Judges(rows=tuple(found), weights=tuple(map(weight, found)), control=is_control, judged_on=words)


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

    yield row("testing_accuracy", measured(share((score > 0.5) == positive), sample))
    yield row("testing_mean_class", measured(mean_class((score > 0.5) == positive, number), sample))
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
