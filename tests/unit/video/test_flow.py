import numpy as np

from slac_tasks.video.flow import farneback


def moving(pixels_per_frame: int) -> np.ndarray:
    """A textured picture that moves to the right; (1, 4, 64, 64, 3)."""
    noise = np.random.default_rng(0).integers(0, 255, (16, 24)).astype(np.uint8)
    wide = np.kron(noise, np.ones((4, 4), np.uint8))
    frames = [np.roll(wide, pixels_per_frame * t, axis=1)[:, 16:80] for t in range(4)]
    return np.stack([np.repeat(frame[..., None], 3, 2) for frame in frames])[None]


def test_a_still_clip_has_hardly_any_flow():
    # The method is not quite exact at the border: a tenth of a pixel here and there.
    assert np.abs(farneback(moving(0)).astype(int) - (128, 128, 0)).max() <= 3


def test_flow_says_how_far_and_which_way():
    flow = farneback(moving(2))[0, 1:, 16:48, 16:48].astype(float)
    # 2 pixels to the right: 128 + 2 * 127 / 20 = 141, nothing down, length 2 * 255 / 20 = 25.5
    assert np.abs(np.median(flow, axis=(0, 1, 2)) - [141, 128, 25.5]).max() <= 2


def test_the_first_frame_of_a_clip_has_moved_from_nowhere():
    assert (farneback(moving(3))[:, 0] == (128, 128, 0)).all()
