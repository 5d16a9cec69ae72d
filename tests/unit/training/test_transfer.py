import pytest
import torch
from learning_world import draw

from slac_tasks.errors import NotConfigured
from slac_tasks.intervals import wilson
from slac_tasks.model import View
from slac_tasks.networks.registry import architecture
from slac_tasks.training.trainer import Recipe
from slac_tasks.training.transfer import accuracy, few_labels, interval, load_target


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


VIEW = View(frames=8, size=56)


def fill(folder, **classes):
    """Draw one video for each colour of a class: <folder>/<class>/<number>.mp4."""
    for name, colours in classes.items():
        for number, colour in enumerate(colours):
            draw(folder / name / f"{number}.mp4", colour=(colour, 255 - colour, 0), speed=1, seconds=2)


def test_classes_are_matched_by_name_whatever_the_other_split_lacks(tmp_path):
    fill(tmp_path / "train", archery=[10], judo=[120], yoga=[240])
    fill(tmp_path / "test", archery=[10], yoga=[240, 240], zumba=[0])
    target = load_target(tmp_path, VIEW, lambda item, why: None)
    assert target.train.names == target.test.names == ("archery", "yoga")
    assert target.train.classes.tolist() == [0, 1]
    assert target.test.classes.tolist() == [0, 1, 1]
    assert target.unmatched == ("judo", "zumba")
    # The same pixels have the same number in both splits.
    assert (target.train.pixels[1] == target.test.pixels[1]).all()


def test_a_network_that_learned_a_class_is_right_where_the_other_split_lacks_a_class_before_it(tmp_path):
    fill(tmp_path / "train", archery=[0, 0], judo=[120, 120], yoga=[255, 255])
    fill(tmp_path / "test", archery=[0], yoga=[255])
    target = load_target(tmp_path, VIEW, lambda item, why: None)
    chosen = few_labels(target.train.classes, 2, 0)
    recipe = Recipe(steps=40, batch=4, seed=0)
    entry = architecture("small_frame")
    assert accuracy(entry, None, target.train, target.test, chosen, recipe, torch.device("cpu"), "test") == 1.0


def test_splits_that_share_no_class_are_refused_with_both(tmp_path):
    fill(tmp_path / "train", judo=[0])
    fill(tmp_path / "test", yoga=[0])
    with pytest.raises(NotConfigured, match=r"judo.*yoga"):
        load_target(tmp_path, VIEW, lambda item, why: None)


def test_a_folder_that_is_absent_or_empty_is_said(tmp_path):
    with pytest.raises(NotConfigured, match="is no folder"):
        load_target(tmp_path, VIEW, lambda item, why: None)
    for split in ("train", "test"):
        (tmp_path / split / "left").mkdir(parents=True)
        (tmp_path / split / "left" / "note.txt").write_text("no video")
    lost = []
    with pytest.raises(NotConfigured, match="no readable video"):
        load_target(tmp_path, VIEW, lambda item, why: lost.append(item))
    assert lost == ["left/note.txt"]
