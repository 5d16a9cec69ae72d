"""Segments that are chosen: overlapping ones are lowered and not cut off, and other categories are left alone."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.localization.detecting import (
    SEARCH,
    Search,
    border_weights,
    look,
    mean_inside,
    refined,
    spot,
    suppressed,
    video_level,
)
from slac_tasks.localization.features import Clock
from slac_tasks.localization.head import Head, Outputs, Shape
from slac_tasks.localization.spotted import Spotted


def kept(rows: list[tuple[int, float, float, float]], search: Search = SEARCH) -> Spotted:
    columns = np.array(rows, dtype=float).reshape(-1, 4).T
    category = columns[0].astype(np.int64)
    places, score = suppressed(category, columns[1], columns[2], columns[3], search)
    return Spotted(category=category[places], start_sec=columns[1][places], end_sec=columns[2][places], score=score)


def test_the_same_segment_twice_loses_most_of_its_score() -> None:
    found = kept([(0, 0, 10, 0.9), (0, 0, 10, 0.8), (0, 20, 30, 0.5), (1, 0, 10, 0.7)])
    assert found.score.tolist() == pytest.approx([0.9, 0.7, 0.5, 0.8 * np.exp(-2)])
    assert found.category.tolist() == [0, 1, 0, 0]


@given(
    rows=st.lists(st.tuples(st.integers(0, 2), st.floats(0, 50), st.floats(0.1, 20), st.floats(0.01, 1)), max_size=30)
)
def test_scores_fall_and_never_grow(rows: list[tuple[int, float, float, float]]) -> None:
    found = kept([(category, start, start + length, score) for category, start, length, score in rows])
    assert (np.diff(found.score) <= 1e-12).all()
    assert len(found) <= len(rows)
    if rows:
        assert found.score[0] == max(score for *_, score in rows)


def test_no_more_segments_than_are_asked_for() -> None:
    rows = [(0, float(at), at + 0.5, 0.5) for at in range(20)]
    assert len(kept(rows, Search(most_segments=7))) == 7


def test_the_curve_is_averaged_between_the_ends() -> None:
    curve = np.array([[0.0, 1], [1, 1], [1, 1], [0, 1]])
    found = mean_inside(curve, np.array([0, 0, 0, 1]), np.array([1.0, 0, 0.5, 0]), np.array([3.0, 4, 1.5, 4]))
    assert found.tolist() == pytest.approx([1, 0.5, 0.5, 1])


@given(frames=st.integers(48, 700))
def test_segments_lie_inside_the_video(frames: int) -> None:
    torch.manual_seed(0)
    head = Head(Shape(features=4, categories=("a", "b", "c"), width=8)).eval()
    clock = Clock(fps=24, frames=frames)
    found = spot(head, torch.randn(clock.count, 4), clock)
    assert len(found)
    assert found.start_sec.min() >= 0
    assert found.end_sec.max() <= clock.duration_sec
    assert (found.end_sec > found.start_sec).all()


def test_an_end_moves_halfway_to_the_slope_that_is_near_and_no_further() -> None:
    curve = np.zeros((20, 1))
    curve[8:15] = 1
    one, nothing = np.array([0]), np.zeros(20)
    starts, ends = (border_weights(curve, nothing, rising=rising) for rising in (True, False))
    assert refined(starts, one, np.array([6.0]), 3)[0] == pytest.approx(7, abs=0.3)
    assert refined(ends, one, np.array([13.0]), 3)[0] == pytest.approx(14, abs=0.3)
    assert refined(starts, one, np.array([3.0]), 3)[0] == 3
    assert refined(starts, one, np.array([6.0]), 0.5)[0] == 6


def test_an_end_moves_to_where_the_head_says_that_segments_end() -> None:
    near = np.zeros(20)
    near[9:11] = 1
    weights = border_weights(np.zeros((20, 1)), near, rising=False)
    assert refined(weights, np.array([0]), np.array([8.0]), 4)[0] == pytest.approx(9)


def test_a_border_is_as_likely_as_both_cells_beside_it_say_and_the_first_cell_stands_for_what_lacks() -> None:
    weights = border_weights(np.zeros((4, 1)), np.array([0.5, 0.25, 0.0, 1.0]), rising=True)
    assert weights[:, 0].tolist() == [1.0, 0.75, 0.25, 1.0, 2.0]


def test_a_video_shows_a_category_as_surely_as_its_surest_eighth() -> None:
    curve = np.zeros((16, 2))
    curve[3:5, 0] = 0.9, 0.7
    curve[:, 1] = 0.2
    assert video_level(curve).tolist() == pytest.approx([0.8, 0.2])
    assert video_level(curve[3:4]).tolist() == pytest.approx([0.9, 0.2])


class Sure(Head):
    """Says of 48 cells that one segment of the second of two categories is there, in the cells from 15 to 21.

    Its curve rises at 12 and falls at 24.
    """

    def forward(self, features: torch.Tensor, mask: torch.Tensor) -> Outputs:
        places, _ = self.places(mask.shape[1], mask.device)
        curve, shown = torch.full((1, mask.shape[1], 2), -30.0), torch.full((1, len(places), 2), -30.0)
        curve[0, 12:24, 1], shown[0, 18, 1] = 30.0, torch.logit(torch.tensor(0.81))
        reach = torch.tensor([3.5, 2.5]).expand(1, len(places), 2)  # of the place at 18.5
        return Outputs(curve=curve, ends=torch.full((1, mask.shape[1], 2), -30.0), shown=shown, reach=reach)


@pytest.mark.parametrize(
    ("refine_sec", "start", "end"),
    # The border at 12 has twice the slope of 11 and of 13, so the mean of those around it is 12, and of 13 alone 13.
    [(1.0, (15 + 12) / 2, (21 + 24) / 2), (0.4, (15 + 13) / 2, (21 + 23) / 2), (0.0, 15, 21)],
)
def test_what_the_head_says_in_cells_is_found_in_seconds(refine_sec: float, start: float, end: float) -> None:
    head, clock = Sure(Shape(features=4, categories=("a", "b"), width=8)).eval(), Clock(fps=24, frames=4 * 48)
    found = spot(head, torch.zeros(48, 4), clock, Search(refine_sec=refine_sec))
    assert found.category.tolist() == [1]
    assert found.start_sec.tolist() == pytest.approx([start / 6])
    assert found.end_sec.tolist() == pytest.approx([end / 6])
    assert found.score.tolist() == pytest.approx([0.9])  # the root of what both say, .81 and 1


@pytest.mark.parametrize("cells", [1, 31, 32, 33])
def test_a_head_is_told_which_cells_are_padding(cells: int) -> None:
    head = Head(Shape(features=4, categories=("a",), width=8)).eval()
    _, mask = look(head, torch.zeros(cells, 4))
    assert mask[0].tolist() == [True] * cells + [False] * (head.padded(cells) - cells)


def test_by_video_every_score_is_multiplied_with_what_the_whole_video_shows() -> None:
    torch.manual_seed(0)
    head = Head(Shape(features=4, categories=("a",), width=8)).eval()
    features, clock = torch.randn(40, 4), Clock(fps=24, frames=160)
    plain, by_video = (spot(head, features, clock, Search(least_score=0.0, by_video=one)) for one in (False, True))
    shares = by_video.score[:5] / plain.score[:5]
    assert shares == pytest.approx([shares[0]] * 5)
    assert 0 < shares[0] < 1
