import pytest
import torch

from slac_tasks.errors import NotConfigured
from slac_tasks.intervals import wilson
from slac_tasks.training.transfer import few_labels, interval, load_trimmed


def test_intervals_match_hand_calculation():
    # mean .5, s = .1, 3 seeds: .5 +- 4.303 * .1 / sqrt(3)
    assert interval([0.4, 0.5, 0.6]) == pytest.approx((0.2516, 0.7484), abs=1e-4)
    assert interval([0.7]) == (0.0, 1.0)
    # Wilson, 8 of 10
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_few_labels_takes_as_many_of_each_class_and_depends_on_the_seed():
    classes = torch.tensor([0] * 9 + [1] * 9 + [2] * 2)
    chosen = few_labels(classes, 3, 0)
    assert torch.bincount(classes[chosen]).tolist() == [3, 3, 2]
    assert chosen.tolist() == few_labels(classes, 3, 0).tolist() != few_labels(classes, 3, 1).tolist()


def test_a_folder_that_is_absent_or_empty_is_said(tmp_path):
    with pytest.raises(NotConfigured, match="is no folder"):
        load_trimmed(tmp_path / "train", (8, 56), lambda item, why: None)
    (tmp_path / "left").mkdir()
    (tmp_path / "left" / "note.txt").write_text("no video")
    lost = []
    with pytest.raises(NotConfigured, match="no readable video"):
        load_trimmed(tmp_path, (8, 56), lambda item, why: lost.append(item))
    assert lost == ["left/note.txt"]
