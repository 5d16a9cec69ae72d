"""The evaluation of a release's network as a page of its own: the paper's table, the learning curve, the categories."""

from collections.abc import Sequence
from math import log

from slac_tasks.evaluation.judging import calibration
from slac_tasks.evaluation.measures import BINS
from slac_tasks.evaluation.subjects import ACCURACY, CONFUSION, GAIN, PAPER, SUBJECT_WORDS
from slac_tasks.reports.charts import Chart, Line, Point
from slac_tasks.reports.html import document
from slac_tasks.storage.datasets.releasing import EvaluationRow, JudgedRow, ModelRow

SHOWN = 20
"""Confusions shown, the commonest first; the dataset holds all of them."""


def page(release: str, model: ModelRow, rows: Sequence[EvaluationRow], judged: Sequence[JudgedRow] = ()) -> str:
    """Return the page on the rows of `evaluations` and `judged` of one release."""
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
        curve=learning_curve(transfer),
        whole=whole,
        calibration=calibration_curve(judged),
        categories=[row for row in rows if row.measure == "testing_average_precision"],
        confusions=confusions[:SHOWN],
    )


def learning_curve(transfer: Sequence[EvaluationRow]) -> Chart:
    """Return top-1 of each start over the numbers of labels that it learned from."""
    drawn = [row for row in transfer if row.measure == ACCURACY]
    labels = sorted({row.labels or 1 for row in drawn})
    places = {number: at for at, number in enumerate(labels)}
    lines = (
        Line(
            name=words,
            points=tuple(
                Point(at=places[row.labels or 1], value=row.value, low=row.low, high=row.high, count=row.clips)
                for row in sorted(drawn, key=lambda row: row.labels or 1)
                if row.subject == subject
            ),
        )
        for subject, words in SUBJECT_WORDS.items()
    )
    return Chart(
        title="Top-1 by labels of a class", about="The axis of labels is logarithmic.",
        ticks=tuple(f"{number:,}" for number in labels), spread=_logarithms(labels),
        lines=tuple(line for line in lines if line.points), is_share=True,
    )  # fmt: skip


def calibration_curve(judged: Sequence[JudgedRow]) -> Chart:
    """Return how often the action was there, over how probable the network found it."""
    points = tuple(
        Point(
            at=one.part, value=one.share.value, low=one.share.low, high=one.share.high, count=one.share.clips
        )
        for one in (calibration(judged) if judged else ())
        if one.share.value is not None
    )  # fmt: skip
    return Chart(
        title="Calibration", about="On the diagonal the action is there as often as the network says.",
        ticks=tuple(f"{part / BINS:.1f} to {(part + 1) / BINS:.1f}" for part in range(BINS)),
        is_share=True, is_square=True,
        lines=(Line(name="share of clips with it", points=points),),
    )  # fmt: skip


def _logarithms(numbers: Sequence[int]) -> tuple[float, ...]:
    """Return where each number stands from the first to the last, by their logarithms; a single one in the middle."""
    if len(numbers) < 2:
        return (0.5,) * len(numbers)
    whole = log(numbers[-1] / numbers[0])
    return tuple(log(number / numbers[0]) / whole for number in numbers)
