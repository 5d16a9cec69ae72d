"""Optical flow as pixels, so that a network which reads colours can read motion; made on the device of the network."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from slac_tasks.networks import farneback

REACH = 20.0
"""Pixels per frame at which flow is cut off (the usual bound of two-stream networks: Simonyan and Zisserman, 2014)."""

_RED, _GREEN, _BLUE, _WHOLE = 9798, 19235, 3735, 32768
"""What colours weigh in the brightness of a pixel, as OpenCV computes it."""


@torch.no_grad()
def flow_pixels(clips: Tensor) -> Tensor:
    """Return the dense flow of clips by Farneback's method, which HACS used for its flow networks.

    On processors it is OpenCV's, which takes half of the time of tensors there.

    Args:
        clips: RGB from 0 to 255, shape (n, frames, h, w, 3), on any device.

    Returns:
        The same shape, float32, whole numbers. Frame i holds the motion from frame i - 1 to frame i (nothing for the
        first): channels x, y, and length, in pixels per frame cut off at 20, written so that 128 is none for x and y,
        and 0 for the length.

    """
    seen = grey(clips)
    moved = (by_opencv if clips.device.type == "cpu" else farneback.motions)(seen.transpose(0, 1)).transpose(0, 1)
    flows = torch.empty(clips.shape, device=clips.device)
    x, y, length = flows.unbind(-1)
    for channel, at in ((x, 0), (y, 1)):
        channel[:, 0] = 128
        channel[:, 1:] = (moved[:, :, at] * (127 / REACH)).round_().add_(128).clamp_(1, 255)
    length[:, 0] = 0
    length[:, 1:] = (torch.hypot(moved[:, :, 0], moved[:, :, 1]) * (255 / REACH)).round_().clamp_(max=255)
    return flows


def grey(clips: Tensor) -> Tensor:
    """Return the brightness of clips (n, frames, h, w, 3): float32 (n, frames, h, w), whole numbers from 0 to 255."""
    red, green, blue = clips.unbind(-1)
    # Whole numbers below 2^24, which float32 holds without rounding.
    return ((_RED * red.float() + _GREEN * green.float() + _BLUE * blue.float() + _WHOLE / 2) / _WHOLE).floor_()


def by_opencv(seen: Tensor) -> Tensor:
    """Return the same as `farneback.motions`, by OpenCV, on the CPU."""
    frames, clips, height, width = seen.shape
    found = np.empty((frames - 1, clips, 2, height, width), np.float32)
    pictures: NDArray[np.uint8] = seen.byte().numpy()

    def one(clip: int) -> None:
        for at, (before, after) in enumerate(pairwise(pictures[:, clip])):
            motion = cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)
            found[at, clip] = motion.transpose(2, 0, 1)

    with ThreadPoolExecutor(min(clips, torch.get_num_threads())) as threads:
        list(threads.map(one, range(clips)))
    return torch.from_numpy(found)
