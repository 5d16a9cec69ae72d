"""The evaluation of a release's network as a page of its own: the paper's table, the learning curve, the categories."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slac_tasks.evaluation.subjects import ACCURACY, CONFUSION, GAIN, PAPER, SUBJECT_WORDS
from slac_tasks.reports.html import document
from slac_tasks.storage.datasets.releasing import EvaluationRow, ModelRow

WIDTH, HEIGHT, LEFT, BELOW = 420, 240, 40, 26
"""Of the learning curve, in its own units; left and below are the axes' words."""
SHOWN = 20
"""Confusions shown, the commonest first; the dataset holds all of them."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A number of labels in the curve, with its interval."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Line:
    """One start in the curve."""

    subject: str
    name: str
    points: tuple[Point, ...]

    @property
    def path(self) -> str:
        """The points as SVG has them."""
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A number at an axis."""

    at: float
    text: str


def page(release: str, model: ModelRow, rows: Sequence[EvaluationRow]) -> str:
    """Return the page on the rows of `evaluations` of one release."""
    transfer = [row for row in rows if row.measure.startswith("transfer_") and row.category is None]
    whole = [row for row in rows if not row.measure.startswith("transfer_") and row.category is None]
    confusions = sorted((row for row in rows if row.measure == CONFUSION), key=lambda row: -row.value)
    return document(
        "evaluation.html",
        release=release,
        model=model,
        transfer=sorted(transfer, key=lambda row: (row.measure, row.labels or 0, row.subject)),
        gains=[row for row in transfer if row.measure == GAIN and row.subject == "pretrained"],
        paper=PAPER,
        lines=_lines(transfer),
        marks=_marks(transfer),
        shares=[Mark(at=_y(share), text=f"{share:.0%}") for share in (0.0, 0.25, 0.5, 0.75, 1.0)],
        whole=whole,
        categories=[row for row in rows if row.measure == "testing_average_precision"],
        confusions=confusions[:SHOWN],
        size=(WIDTH, HEIGHT, LEFT, BELOW),
    )


def _lines(transfer: Sequence[EvaluationRow]) -> tuple[Line, ...]:
    drawn = [row for row in transfer if row.measure == ACCURACY]
    return tuple(
        Line(
            subject=subject, name=words,
            points=tuple(
                Point(x=_x(row, drawn), y=_y(row.value), low=_y(row.low), high=_y(row.high))
                for row in sorted(drawn, key=lambda row: row.labels or 0)
                if row.subject == subject
            ),
        )
        for subject, words in SUBJECT_WORDS.items()
        if any(row.subject == subject for row in drawn)
    )  # fmt: skip


def _marks(transfer: Sequence[EvaluationRow]) -> tuple[Mark, ...]:
    drawn = [row for row in transfer if row.measure == ACCURACY]
    return tuple(Mark(at=at, text=text) for at, text in sorted({(_x(row, drawn), str(row.labels)) for row in drawn}))


def _x(row: EvaluationRow, drawn: Sequence[EvaluationRow]) -> float:
    """Return where a number of labels stands: the axis is logarithmic, since each point has twice the labels or so."""
    places = np.log([one.labels or 1 for one in drawn])
    reach = float(places.max() - places.min())
    share = (float(np.log(row.labels or 1)) - float(places.min())) / reach if reach else 0.5
    return LEFT + 20 + share * (WIDTH - LEFT - 40)


def _y(share: float) -> float:
    return (1 - share) * (HEIGHT - BELOW - 10) + 10
