"""Labels of cells: all of a positive clip shows the action, all of a negative one does not, and the rest is unknown."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.localization.features import Clock, Dense
from slac_tasks.localization.labels import NO, OTHER, Clip, Lesson, borders, cell_labels, in_cells, said_of

CLOCK = Clock(fps=24, frames=240)
DENSE = Dense(name="a", clock=CLOCK, values=np.zeros((CLOCK.count, 2), np.float32))


def clip(category: int, start: float, positive: bool) -> Clip:
    return Clip(category=category, start_sec=start, end_sec=start + 2, positive=positive)


def test_cells_of_a_clip_have_its_label_and_others_are_unknown() -> None:
    labels = cell_labels(Lesson(dense=DENSE, clips=(clip(0, 1.0, True), clip(1, 5.0, False))), 2)
    assert labels[:, 0].tolist() == [0] * 6 + [1] * 12 + [0] * 42
    # Where one action is shown, the other is not, most likely; what people said of it counts for more.
    assert labels[:, 1].tolist() == [0] * 6 + [OTHER] * 12 + [0] * 12 + [NO] * 12 + [0] * 18
    assert said_of(labels)[:, 1].sum() == 12


def test_yes_overrules_no_where_clips_overlap() -> None:
    clips = (clip(0, 1.0, True), clip(0, 2.0, False))
    for each in (clips, clips[::-1]):
        labels = cell_labels(Lesson(dense=DENSE, clips=each), 1)
        assert labels[:, 0].tolist() == [0] * 6 + [1] * 12 + [-1] * 6 + [0] * 36


def test_segments_say_it_of_every_cell() -> None:
    labels = cell_labels(Lesson(dense=DENSE, clips=(clip(1, 0.0, True),), spans=((0, 2.0, 3.0),)), 2)
    assert labels[:, 0].tolist() == [-1] * 12 + [1] * 6 + [-1] * 42
    assert set(labels[:, 1].tolist()) == {-1}


@given(start=st.floats(0, 8), fps=st.sampled_from([24, 25, 30]))
def test_as_many_cells_are_labelled_as_fit_into_the_clip(start: float, fps: int) -> None:
    dense = Dense(name="a", clock=Clock(fps=fps, frames=10 * fps), values=np.zeros((1, 1), np.float32))
    count = int((cell_labels(Lesson(dense=dense, clips=(clip(0, start, True),)), 1) != 0).sum())
    assert abs(count - 2 / dense.clock.stride_sec) <= 1


@given(start=st.integers(-4, 130), length=st.integers(0, 60))
def test_a_cell_is_of_a_clip_if_its_middle_lies_in_it_the_end_left_out(start: int, length: int) -> None:
    # In half cells, so that many ends lie on a middle.
    ends = [at * CLOCK.stride_sec / 2 for at in (start, start + length)]
    given = Clip(category=0, start_sec=ends[0], end_sec=ends[1], positive=True)
    labels = cell_labels(Lesson(dense=DENSE, clips=(given,)), 1)[:, 0].tolist()
    assert labels == [int(start <= 2 * cell + 1 < start + length) for cell in range(CLOCK.count)]


def test_ends_are_counted_in_cells() -> None:
    ends, categories = in_cells([(3, 1.0, 2.5)], CLOCK)
    assert torch.allclose(ends, torch.tensor([[6.0, 15.0]]))
    assert categories.tolist() == [3]
    assert in_cells([], CLOCK)[0].shape == (0, 2)


def test_borders_are_spread_over_their_neighbours() -> None:
    near = borders(torch.tensor([[2.0, 6.5]]), 10)
    assert near[:, 0].tolist() == pytest.approx([0, 2 / 3, 2 / 3, 0, 0, 0, 0, 0, 0, 0])
    assert near[:, 1].tolist() == pytest.approx([0, 0, 0, 0, 0, 1 / 3, 1, 1 / 3, 0, 0])


def test_no_cell_is_near_a_border_where_there_is_none() -> None:
    assert torch.equal(borders(torch.zeros(0, 2), 7), torch.zeros(7, 2))


def test_a_segment_that_people_gave_counts_in_a_video_that_is_not_cut() -> None:
    labels = cell_labels(Lesson(dense=DENSE, clips=(clip(0, 0.0, False),), known=((0, 1.0, 3.0),)), 2)
    assert labels[:, 0].tolist() == [NO] * 6 + [1] * 12 + [0] * 42
    assert labels[:, 1].tolist() == [0] * 6 + [OTHER] * 12 + [0] * 42
