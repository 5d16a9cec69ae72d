"""Which place of the pyramid stands for which segment, and what a wrong segment costs."""

import torch

from slac_tasks.localization.head import Head, Shape
from slac_tasks.localization.losses import assign, distance, focal

HEAD = Head(Shape(features=2, categories=("a", "b"), width=8))
MIDDLES, SPANS = HEAD.places(64, torch.device("cpu"))


def test_a_segment_is_found_at_its_middle_on_the_level_of_its_length() -> None:
    ends = torch.tensor([[20.0, 44.0]])
    found = assign(MIDDLES, SPANS, ends, torch.tensor([1]), 2)
    rows = found.shown[:, 1] > 0
    assert not found.shown[:, 0].any()
    assert set(SPANS[rows].tolist()) == {4.0}
    assert (MIDDLES[rows] - 32).abs().max() < 1.5 * 4
    assert torch.allclose(found.reach[rows].sum(1), torch.tensor(24.0))


def test_of_two_segments_the_shorter_one_is_meant() -> None:
    ends = torch.tensor([[28.0, 36.0], [26.5, 38.0]])
    found = assign(MIDDLES, SPANS, ends, torch.tensor([0, 1]), 2)
    both = (found.shown > 0).all(1)
    assert not both.any()


def test_a_video_without_a_segment_shows_nothing() -> None:
    found = assign(MIDDLES, SPANS, torch.zeros(0, 2), torch.zeros(0, dtype=torch.long), 2)
    assert not found.shown.any()


def test_what_is_not_known_costs_nothing() -> None:
    logits = torch.randn(5, 2)
    assert focal(logits, torch.zeros(5, 2), torch.zeros(5, 2)) == 0
    assert focal(torch.full((1, 1), 9.0), torch.ones(1, 1), torch.ones(1, 1)) < 1e-4


def test_the_distance_is_none_for_the_same_segment_and_grows_with_what_is_missed() -> None:
    wanted = torch.tensor([[4.0, 6.0]])
    costs = [float(distance(torch.tensor([reach]), wanted)) for reach in ([4.0, 6.0], [4.0, 5.0], [1.0, 2.0])]
    assert costs[0] == 0
    assert costs == sorted(costs)
