"""Fingerprints: bars, flat and still pictures, signed numbers, and a picture that changes the way edits change it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from slac_tasks.admission.likeness.fingerprints import (
    NUMBERS,
    ROWS_PER_SEC,
    VIEWS,
    from_signed,
    table,
    to_signed,
    video_hashes,
)

FPS = 24


def moving(seed: int, seconds: float = 4.0) -> NDArray[np.uint8]:
    """Return small frames of coarse blobs that drift; shape (frames, 48, 48, 3)."""
    rng = np.random.default_rng(seed)
    scene = np.kron(rng.integers(20, 235, (24, 24)), np.ones((6, 6)))
    path = np.cumsum(rng.normal(0, 1.2, (round(seconds * FPS), 2)), axis=0)
    frames = [np.roll(scene, tuple(np.rint(place).astype(int)), axis=(0, 1))[40:88, 40:88] for place in path]
    return np.repeat(np.array(frames)[..., None], 3, axis=3).astype(np.uint8)


def pictures_differ(ours: NDArray[np.uint8], theirs: NDArray[np.uint8], view: int = 0, other: int = 0) -> float:
    """Return the median of bits that differ between picture hashes of two videos."""
    a, b = (table(video_hashes(small, FPS)) for small in (ours, theirs))
    return float(np.median(np.bitwise_count(a[:, view] ^ b[:, other])))


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_hashes_survive_the_ledgers_signed_numbers(hashes: list[int]) -> None:
    signed = to_signed(hashes)
    assert from_signed(signed) == hashes
    assert all(-(2**63) <= value < 2**63 for value in signed)


@pytest.mark.parametrize("seconds", [2.0, 3.3, 10.0])
def test_there_is_a_row_for_each_half_second(seconds: float) -> None:
    assert table(video_hashes(moving(0, seconds), FPS)).shape == (round(seconds * ROWS_PER_SEC), NUMBERS)
    assert table([]).shape == (0, NUMBERS)


def test_grey_contrast_and_noise_change_few_bits_and_another_video_half() -> None:
    video = moving(1)
    noise = np.random.default_rng(2).normal(0, 4, video.shape)
    assert pictures_differ(video, np.clip(0.8 * video + 30 + noise, 0, 255).astype(np.uint8)) <= 4
    assert pictures_differ(video, moving(3)) > 20


@pytest.mark.parametrize("level", [0, 128, 255])
def test_bars_of_one_colour_are_left_out(level: int) -> None:
    video = moving(1)
    barred = np.full_like(video, level)
    for frame, target in zip(video, barred, strict=True):
        # 48 lines shown on 40: each line of the copy lies within the original's.
        target[4:44] = frame[np.arange(40) * 48 // 40]
    assert pictures_differ(video, barred) <= 8


def test_a_logo_on_a_bar_does_not_hide_it() -> None:
    barred = moving(1)
    barred[:, :, :6] = barred[:, :, 42:] = 0
    marked = barred.copy()
    marked[:, 2:10, 1:12] = 250
    assert pictures_differ(barred, marked) <= 8


def test_a_white_wall_above_a_person_is_not_a_bar() -> None:
    wall = np.full_like(moving(1), 250)
    wall[:, 20:44, 18:30] = moving(1)[:, 20:44, 18:30]
    marked = wall.copy()
    marked[:, 2:10, 2:12] = 30
    # The logo's own cells and their neighbours.
    assert pictures_differ(wall, marked) <= 16


def test_the_middle_of_the_original_is_the_whole_of_a_cropped_copy() -> None:
    video = moving(1)
    for view, share in enumerate(VIEWS):
        place = ((1 - share) / 2 * 48 + np.arange(48) * share).astype(int)
        cropped = video[:, place][:, :, place]
        assert pictures_differ(video, cropped, view, 0) <= 8


def test_flat_pictures_have_no_hash_and_still_ones_no_motion() -> None:
    fading = np.repeat(np.linspace(0, 255, 96), 48 * 48 * 3).reshape(96, 48, 48, 3).astype(np.uint8)
    assert not table(video_hashes(fading, FPS))[:, : len(VIEWS)].any()
    still = table(video_hashes(np.repeat(moving(1)[:1], 96, axis=0), FPS))
    assert still[:, : len(VIEWS)].all()
    assert not still[:, len(VIEWS)].any()
    assert table(video_hashes(moving(1), FPS))[:, len(VIEWS)].all()


def test_what_stands_still_over_the_picture_does_not_change_the_motion() -> None:
    video = moving(1)
    marked = video.copy()
    marked[:, 2:10, 36:46] = 250
    a, b = (table(video_hashes(small, FPS))[:, len(VIEWS)] for small in (video, marked))
    assert np.bitwise_count(a ^ b).mean() < 0.2 * 63
