"""Augmentations change a clip as much as they may, alike in all of its frames, and never depend on its neighbours."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from slac_tasks.training.augment import DRAWS, Augmentation

NOTHING = Augmentation(crop=1.0, brightness=0.0, contrast=0.0, saturation=0.0, frames=0.0, speed=0.0)
MIDDLE = torch.full((2, DRAWS), 0.5)


def clips(n: int = 2, frames: int = 5, size: int = 8) -> Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, frames, size, size, 3), generator=chance, dtype=torch.uint8)


def drawn(n: int = 2, seed: int = 0) -> Tensor:
    return torch.rand(n, DRAWS, generator=torch.Generator().manual_seed(seed))


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_without_reach_nothing_changes(seed: int) -> None:
    assert torch.allclose(NOTHING(clips(), drawn(seed=seed)), clips().float(), atol=1e-3)


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_pixels_stay_pixels_and_a_clip_does_not_depend_on_its_neighbours(seed: int) -> None:
    given_clips, numbers = clips(4), drawn(4, seed)
    whole = Augmentation()(given_clips, numbers)
    assert whole.shape == given_clips.shape
    assert 0 <= whole.min()
    assert whole.max() <= 255
    parts = [Augmentation()(given_clips[at : at + 1], numbers[at : at + 1]) for at in range(4)]
    assert torch.allclose(whole, torch.cat(parts), atol=1e-2)


def test_every_frame_of_a_clip_is_cropped_alike() -> None:
    still = clips(2, frames=1).expand(2, 6, 8, 8, 3)
    found = Augmentation()(still, drawn())
    assert torch.allclose(found, found[:, :1].expand_as(found))


def test_a_crop_shows_as_much_as_was_drawn_and_is_never_mirrored() -> None:
    ramp = torch.arange(64.0).view(1, 1, 1, 64, 1).expand(1, 1, 64, 64, 3).to(torch.uint8)
    crop = Augmentation(crop=0.25, ratio=1.0, brightness=0.0, contrast=0.0, saturation=0.0, frames=0.0, speed=0.0)
    for place, left in ((0.0, 0.0), (0.5, 16.0), (0.999, 32.0)):
        numbers = torch.tensor([[0.5, 0.5, 0.0, 0.5, 0.5, place, 0.5, 0.5, 0.5]])
        row = crop(ramp, numbers)[0, 0, 32, :, 0]
        assert (row.diff() >= 0).all()
        assert row[0] == pytest.approx(left, abs=1)
        assert row[-1] == pytest.approx(left + 32, abs=1.5)


def test_time_is_shifted_by_whole_frames_at_most_as_far_as_allowed() -> None:
    numbered = torch.arange(9).view(1, 9, 1, 1, 1).expand(1, 9, 4, 4, 3).to(torch.uint8)
    moved = Augmentation(crop=1.0, brightness=0.0, contrast=0.0, saturation=0.0, frames=2.0, speed=0.0)

    def shown(shift: float, slow: float = 0.0, how: Augmentation = moved) -> list[int]:
        numbers = torch.full((1, DRAWS), 0.5)
        numbers[0, 0], numbers[0, 1] = shift, slow
        return [int(value) for value in how(numbered, numbers)[0, :, 0, 0, 0]]

    assert shown(0.5) == list(range(9))
    assert shown(1.0) == [2, 3, 4, 5, 6, 7, 8, 8, 8]
    assert shown(0.0) == [0, 0, 0, 1, 2, 3, 4, 5, 6]
    slower = Augmentation(crop=1.0, brightness=0.0, contrast=0.0, saturation=0.0, frames=0.0, speed=0.5)
    assert shown(0.5, 1.0, slower) == [2, 2, 3, 4, 4, 4, 5, 6, 6]


def test_brightness_contrast_and_saturation_do_what_they_are_called() -> None:
    grey = torch.full((1, 2, 4, 4, 3), 100, dtype=torch.uint8)
    numbers = torch.full((1, DRAWS), 0.5)
    numbers[0, 6] = 1.0
    assert torch.allclose(Augmentation(crop=1.0)(grey, numbers), torch.full((), 130.0), atol=0.1)
    coloured = torch.zeros(1, 1, 2, 2, 3, dtype=torch.uint8)
    coloured[..., 0] = 200
    dull = Augmentation(crop=1.0, brightness=0.0, contrast=0.0, saturation=1.0)
    numbers = torch.full((1, DRAWS), 0.5)
    numbers[0, 8] = 0.0
    found = dull(coloured, numbers)
    assert torch.allclose(found, torch.full((), 200 * 0.299), atol=0.1)
