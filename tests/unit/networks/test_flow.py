import cv2
import numpy as np
import torch

from slac_tasks.networks import farneback
from slac_tasks.networks.flow import by_opencv, flow_pixels, grey


def moving(pixels_per_frame: int) -> torch.Tensor:
    """A textured picture that moves to the right; (1, 4, 64, 64, 3)."""
    noise = np.random.default_rng(0).integers(0, 255, (16, 24)).astype(np.uint8)
    wide = np.kron(noise, np.ones((4, 4), np.uint8))
    frames = [np.roll(wide, pixels_per_frame * t, axis=1)[:, 16:80] for t in range(4)]
    return torch.from_numpy(np.stack([np.repeat(frame[..., None], 3, 2) for frame in frames])[None])


def test_a_still_clip_has_hardly_any_flow() -> None:
    # The method is not quite exact at the border: a tenth of a pixel here and there.
    assert (flow_pixels(moving(0)) - torch.tensor([128, 128, 0])).abs().max() <= 3


def test_flow_says_how_far_and_which_way() -> None:
    flow = flow_pixels(moving(2))[0, 1:, 16:48, 16:48].flatten(0, 2)
    # 2 pixels to the right: 128 + 2 * 127 / 20 = 141, nothing down, length 2 * 255 / 20 = 25.5
    assert (flow.median(0).values - torch.tensor([141, 128, 25.5])).abs().max() <= 2


def test_the_first_frame_of_a_clip_has_moved_from_nowhere() -> None:
    assert (flow_pixels(moving(3))[:, 0] == torch.tensor([128, 128, 0])).all()


def test_flow_is_pixels() -> None:
    clips = torch.randint(0, 256, (2, 3, 40, 40, 3), dtype=torch.uint8)
    flow = flow_pixels(clips)
    assert flow.shape == clips.shape
    assert torch.equal(flow, flow.byte().float())


def test_each_clip_has_the_flow_that_it_has_alone() -> None:
    clips = torch.cat([moving(1), moving(2), moving(3)])
    assert torch.equal(flow_pixels(clips), torch.cat([flow_pixels(clip[None]) for clip in clips]))
    together = farneback.motions(grey(clips).transpose(0, 1))
    alone = torch.cat([farneback.motions(grey(clip[None]).transpose(0, 1)) for clip in clips], 1)
    assert (together - alone).abs().max() < 1e-3


def test_brightness_is_that_of_opencv() -> None:
    clip = np.random.default_rng(0).integers(0, 256, (1, 1, 300, 300, 3), np.uint8)
    want = cv2.cvtColor(clip[0, 0], cv2.COLOR_RGB2GRAY)
    assert np.array_equal(grey(torch.from_numpy(clip))[0, 0].numpy(), want)


def test_what_opencv_is_given_has_the_order_of_what_tensors_are_given() -> None:
    seen = grey(torch.cat([moving(1), moving(3)])).transpose(0, 1)
    found = by_opencv(seen)
    want = cv2.calcOpticalFlowFarneback(
        seen[1, 1].byte().numpy(), seen[2, 1].byte().numpy(), None, 0.5, 3, 15, 3, 5, 1.2, 0
    )
    assert np.array_equal(found[1, 1].permute(1, 2, 0).numpy(), want)
