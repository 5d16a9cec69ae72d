"""The learning curve stands over a logarithmic axis, a line for each start."""

import pytest

from slac_tasks.evaluation.subjects import ACCURACY, FROZEN, GAIN, PRETRAINED
from slac_tasks.reports.evaluation_page import learning_curve
from slac_tasks.storage.datasets.releasing import EvaluationRow


def row(subject: str, labels: int, value: float, measure: str = ACCURACY) -> EvaluationRow:
    return EvaluationRow(
        measure=measure, subject=subject, value=value, low=value - 0.1, high=value + 0.1, repeats=3, budget="",
        labels=labels, clips=48, videos=12,
    )  # fmt: skip


def test_a_line_for_each_start_over_the_logarithm_of_the_labels() -> None:
    rows = [row(PRETRAINED, 1000, 0.8), row(PRETRAINED, 10, 0.4), row(PRETRAINED, 1, 0.3), row(FROZEN, 10, 0.5)]
    curve = learning_curve([*rows, row(PRETRAINED, 5, 0.1, GAIN)])
    assert curve.ticks == ("1", "10", "1,000")
    assert curve.spread == pytest.approx((0, 1 / 3, 1))
    pretrained, frozen = curve.lines
    assert [(point.at, point.value, point.low) for point in pretrained.points] == [
        (0, 0.3, pytest.approx(0.2)),
        (1, 0.4, pytest.approx(0.3)),
        (2, 0.8, pytest.approx(0.7)),
    ]
    assert [(point.at, point.count) for point in frozen.points] == [(1, 48)]


def test_a_single_number_of_labels_stands_in_the_middle() -> None:
    assert learning_curve([row(PRETRAINED, 5, 0.4)]).spread == (0.5,)
    assert learning_curve([]).is_empty
