"""Which place of the pyramid stands for which segment, and what a wrong segment costs."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from slac_tasks.localization.head import Head, Shape
from slac_tasks.localization.losses import assign, distance, focal, nearness

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


CELLS = 64
SEGMENTS = st.lists(
    st.tuples(st.integers(0, 2 * CELLS - 2), st.integers(1, 2 * CELLS), st.integers(0, 1)).map(
        lambda drawn: (drawn[0] / 2, min((drawn[0] + drawn[1]) / 2, float(CELLS)), drawn[2])
    ),
    max_size=4,
)


def meant(middle: float, span: float, segments: list[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    """Return the segments that a place stands for, as the docstrings of the module say it: the shortest that fit."""
    fits = []
    for start, end, category in segments:
        far = max(middle - start, end - middle)
        is_inside = start < middle < end
        is_near = abs(middle - (start + end) / 2) < 1.5 * span
        is_long_enough = span == 1 or far > 2 * span
        is_short_enough = span == max(SPANS.tolist()) or far <= 4 * span
        if is_inside and is_near and is_long_enough and is_short_enough:
            fits.append((start, end, category))
    return [one for one in fits if one[1] - one[0] == min(end - start for start, end, _ in fits)]


@given(segments=SEGMENTS)
def test_a_place_stands_for_the_shortest_of_the_segments_that_fit_its_level(
    segments: list[tuple[float, float, int]],
) -> None:
    ends = torch.tensor([[start, end] for start, end, _ in segments]).reshape(-1, 2)
    found = assign(MIDDLES, SPANS, ends, torch.tensor([of for _, _, of in segments], dtype=torch.long), 2)
    for place, (middle, span) in enumerate(zip(MIDDLES.tolist(), SPANS.tolist(), strict=True)):
        wanted = meant(middle, span, segments)
        assert found.shown[place].tolist() == [float(any(of == one for _, _, of in wanted)) for one in (0, 1)]
        if wanted:
            reaches = [(middle - start, end - middle) for start, end, _ in wanted]
            assert tuple(found.reach[place].tolist()) in reaches


def test_the_places_of_a_padded_video_are_the_middles_of_what_they_stand_for() -> None:
    middles, spans = HEAD.places(HEAD.padded(33), torch.device("cpu"))
    assert HEAD.padded(32) == 32
    assert HEAD.padded(33) == 64
    assert spans.tolist() == [float(2**level) for level in range(6) for _ in range(64 // 2**level)]
    finest = [place + 0.5 for place in range(64)]
    assert middles.tolist()[:64] == finest
    assert middles.tolist()[-2:] == [16.0, 48.0]
    (mask,) = torch.arange(64)[None] < torch.tensor([[33]])
    exists = torch.cat([own[0, 0] for own in HEAD.masks(mask[None])])
    assert exists.tolist() == [float(middle < 33) for middle in middles.tolist()]


CHANCES = st.floats(0.05, 0.95)


@given(chance=CHANCES, wanted=st.sampled_from([0.0, 1.0]))
def test_the_focal_loss_is_that_of_its_paper(chance: float, wanted: float) -> None:
    right = chance if wanted else 1 - chance
    share = 0.25 if wanted else 0.75
    found = focal(torch.logit(torch.tensor([[chance]])), torch.tensor([[wanted]]), torch.ones(1, 1))
    assert float(found) == pytest.approx(-share * (1 - right) ** 2 * math.log(right), rel=1e-3)


@given(chance=CHANCES, wanted=CHANCES)
def test_the_loss_of_a_target_between_is_that_of_its_paper(chance: float, wanted: float) -> None:
    logits, targets = torch.logit(torch.tensor([[chance, chance]])), torch.tensor([[wanted, wanted]])
    found = nearness(logits, targets, torch.tensor([[1.0, 0.0]]))
    entropy = -wanted * math.log(chance) - (1 - wanted) * math.log(1 - chance)
    assert float(found) == pytest.approx((chance - wanted) ** 2 * entropy, rel=1e-3, abs=1e-6)


REACHES = st.tuples(st.floats(0.1, 9), st.floats(0.1, 9))


@given(reach=REACHES, wanted=REACHES)
def test_the_distance_is_that_of_its_paper_between_two_segments_around_one_place(
    reach: tuple[float, float], wanted: tuple[float, float]
) -> None:
    (before, after), (start, end) = reach, wanted
    shared = min(before, start) + min(after, end)
    union = before + after + start + end - shared
    apart = abs((after - before) / 2 - (end - start) / 2)
    around = max(before, start) + max(after, end)
    found = float(distance(torch.tensor([reach]), torch.tensor([wanted])))
    assert found == pytest.approx(1 - shared / union + (apart / around) ** 2, rel=1e-4, abs=1e-5)
