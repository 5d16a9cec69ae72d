import numpy as np
import pytest

from slac_tasks.collect.settings import Collect
from slac_tasks.settings import settings_of
from slac_tasks.video import shots

FPS = 24


def picture(seed: int, frames: int = 48, *, light: float = 1.0) -> np.ndarray:
    """A still of random blocks; every seed has the same colours at other places."""
    rng = np.random.default_rng(seed)
    colours = np.repeat(np.linspace(30, 225, 36).astype(np.uint8), 64)
    blocks = rng.permutation(colours.reshape(36, 64)).reshape(6, 6, 8, 8).transpose(0, 2, 1, 3).reshape(48, 48)
    return np.repeat((blocks * light).astype(np.uint8)[None, ..., None], frames, 0).repeat(3, 3)


def test_a_cut_between_like_colours_is_seen_by_its_pixels():
    video = np.concatenate([picture(0), picture(1)])
    assert shots.boundaries(shots.histograms(video), FPS) == []
    assert shots.shots(video, FPS) == [(0, 2), (2, 4)]


def test_a_fade_through_black_is_one_boundary_in_the_black():
    out = [picture(0, 1, light=1 - step / 12) for step in range(12)]
    video = np.concatenate([picture(0), *out, np.zeros((6, 48, 48, 3), np.uint8), *out[::-1], picture(0)])
    ((_, middle), (again, _)) = shots.shots(video, FPS)
    assert middle == again
    assert 60 <= round(middle * FPS) <= 66


def test_black_at_the_ends_is_no_shot_and_a_dark_picture_is_not_black():
    black = np.zeros((6, 48, 48, 3), np.uint8)
    assert len(shots.shots(np.concatenate([black, picture(0), black]), FPS)) <= 3
    assert shots.dark_runs(picture(0, light=0.3)) == []


def test_a_flash_is_no_cut():
    video = picture(0, 96)
    video[40] = 255
    assert shots.jumps(video) == []


@pytest.mark.parametrize("detector", shots.DETECTORS)
def test_every_detector_finds_a_plain_cut(detector):
    video = np.concatenate([picture(0, light=0.3), picture(1)])
    assert shots.shots(video, FPS, detector) == [(0, 2), (2, 4)]


def test_every_choice_of_the_setting_is_a_detector():
    (choice,) = [each for each in settings_of(Collect) if each.name == "shots"]
    assert choice.rule.choices == tuple(shots.DETECTORS)
