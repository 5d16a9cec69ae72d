"""Segments that the curve proposes in a video that nobody has cut: what people said of a cell overrules it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.localization.features import Clock
from slac_tasks.localization.head import Head, Outputs
from slac_tasks.localization.labels import NO, OTHER, YES
from slac_tasks.localization.proposing import propose, runs

CLOCK = Clock(fps=24, frames=24 * 10)


class Curve(Head):
    """A head whose curve is its feature."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)

    @property
    def multiple(self) -> int:
        return 1

    def forward(self, features: torch.Tensor, mask: torch.Tensor) -> Outputs:
        return Outputs(curve=torch.logit(features), ends=features, shown=features, reach=features)


def proposed(curve: list[float], labels: torch.Tensor) -> tuple[list[tuple[int, float, float]], torch.Tensor]:
    features = torch.full((CLOCK.count, 2), 0.1)
    features[: len(curve), 0] = torch.tensor(curve)
    return propose(Curve(), features, labels, CLOCK)


@given(st.lists(st.booleans(), max_size=40))
def test_runs_are_the_trues(yes: list[bool]) -> None:
    found = np.zeros(len(yes), dtype=bool)
    for first, last in runs(np.array(yes, dtype=bool)):
        assert first < last
        found[first:last] = True
    assert found.tolist() == yes


def test_a_stretch_where_the_curve_is_high_is_a_segment_and_its_ends_are_left_open() -> None:
    labels = torch.zeros(CLOCK.count, 2, dtype=torch.int8)
    labels[12:24, 0] = YES
    spans, known = proposed([0.1] * 10 + [0.9] * 20, labels)
    assert spans == [(0, pytest.approx(10 * CLOCK.stride_sec), pytest.approx(30 * CLOCK.stride_sec))]
    assert not known[9:11, 0].any()
    assert not known[29:31, 0].any()
    assert known[40:, 0].all()


def test_no_of_people_divides_a_segment() -> None:
    labels = torch.zeros(CLOCK.count, 2, dtype=torch.int8)
    labels[20:32, 0] = NO
    spans, _ = proposed([0.1] * 10 + [0.9] * 30, labels)
    assert [round(start / CLOCK.stride_sec) for _, start, _ in spans] == [10, 32]


def test_what_is_not_sure_is_neither_yes_nor_no() -> None:
    labels = torch.zeros(CLOCK.count, 2, dtype=torch.int8)
    labels[50:, 0] = NO
    spans, known = proposed([0.1] * 10 + [0.6] * 20, labels)
    assert spans == []
    assert not known[10:30, 0].any()


def test_categories_that_nobody_was_asked_about_have_no_segments() -> None:
    labels = torch.zeros(CLOCK.count, 2, dtype=torch.int8)
    labels[:, 0] = OTHER
    spans, known = proposed([0.9] * 40, labels)
    assert spans == []
    assert not known.any()
