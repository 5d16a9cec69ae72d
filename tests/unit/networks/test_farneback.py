"""Flow on tensors against OpenCV's, on patterns that move."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from slac_tasks.networks import flow
from slac_tasks.networks.farneback import motions
from slac_tasks.networks.flow import by_opencv, flow_pixels, grey
from slac_tasks.networks.registry import architecture, to_stream
from slac_tasks.training.trainer import seeded

ENTRY = architecture("flow_r3d_18")


def moving(
    size: int,
    *,
    right: float = 0.0,
    down: float = 0.0,
    turn: float = 0.0,
    zoom: float = 1.0,
    frames: int = 4,
    seed: int = 0,
) -> Tensor:
    """A texture that moves, turns (degrees a frame) and grows; (1, frames, size, size, 3), uint8."""
    chance = np.random.default_rng(seed)
    texture = cv2.GaussianBlur(chance.integers(0, 256, (3 * size, 3 * size, 3), np.uint8), (0, 0), 2.0)
    texture = cv2.normalize(texture, None, 0, 255, cv2.NORM_MINMAX)
    shown = []
    for at in range(frames):
        matrix = cv2.getRotationMatrix2D((1.5 * size, 1.5 * size), turn * at, zoom**at)
        matrix[:, 2] += np.array([right, down]) * at - size
        shown.append(cv2.warpAffine(texture, matrix, (size, size), flags=cv2.INTER_LINEAR))
    return torch.from_numpy(np.stack(shown)[None])


def edges(size: int) -> Tensor:
    """A disc and a bar on plain grey that jump: wide areas hold nothing to see, and edges are straight."""
    frames = np.full((1, 4, size, size, 3), 90, np.uint8)
    for at, frame in enumerate(frames[0]):
        cv2.circle(frame, (20 + 5 * at, 30), 9, (250, 20, 80), -1)
        cv2.line(frame, (0, 10 + 3 * at), (size, size // 2 + 3 * at), (0, 255, 0), 3)
    return torch.from_numpy(frames)


def apart(clips: Tensor) -> Tensor:
    """How far the motions of tensors are from OpenCV's, in pixels: (frames - 1, n, h, w)."""
    seen = grey(clips).transpose(0, 1)
    return (motions(seen) - by_opencv(seen)).norm(dim=2)


@pytest.mark.parametrize(
    "clips",
    [
        moving(112, right=2.0), moving(112, right=-0.7, down=1.3), moving(112, turn=2.0), moving(112, zoom=1.03),
        moving(112, right=9.0), moving(224, right=5.0, turn=1.0), edges(112),
    ],
    ids=["right", "oblique", "turning", "growing", "fast", "large", "edges"],
)  # fmt: skip
def test_tensors_find_the_motion_that_opencv_finds(clips: Tensor) -> None:
    found = apart(clips)
    assert found.mean() < 1e-3
    assert (found > 0.05).float().mean() < 1e-3


@settings(max_examples=10, deadline=None)
@given(height=st.integers(24, 140), width=st.integers(24, 140), right=st.floats(0.1, 3))
def test_frames_of_any_shape_have_the_motion_that_opencv_finds(height: int, width: int, right: float) -> None:
    clips = moving(max(height, width), right=right, frames=2)[:, :, :height, :width]
    assert apart(clips).mean() < 1e-2


def test_motion_is_the_one_that_was_made() -> None:
    found = motions(grey(moving(112, right=2.0, down=-1.0)).transpose(0, 1))[..., 20:-20, 20:-20]
    assert (found.mean((0, 1, 3, 4)) - torch.tensor([2.0, -1.0])).abs().max() < 0.05


def test_scores_are_those_of_opencvs_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    with seeded(0):
        backbone, head = ENTRY.build().eval(), nn.Linear(ENTRY.features, 8)
    clips = torch.cat([moving(112, right=1.5, turn=0.5, frames=16), moving(112, zoom=1.02, frames=16, seed=1)])
    with torch.inference_mode():
        want = torch.sigmoid(head(backbone(to_stream(ENTRY, clips))))
        monkeypatch.setattr(flow, "by_opencv", motions)
        found = torch.sigmoid(head(backbone(to_stream(ENTRY, clips))))
    assert (found - want).abs().max() < 0.02


def test_half_precision_around_it_does_not_reach_the_motion() -> None:
    seen = grey(moving(64, right=1.0)).transpose(0, 1)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(motions(seen), motions(seen))
        found = motions(seen)
    assert torch.equal(found, motions(seen))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_card_makes_the_pixels_that_a_processor_makes() -> None:
    clips = torch.cat([moving(112, right=1.5, frames=16), edges(112).repeat(1, 4, 1, 1, 1)])
    found, want = flow_pixels(clips.cuda()).cpu(), flow_pixels(clips)
    assert ((found - want).abs() > 1).float().mean() < 1e-3
