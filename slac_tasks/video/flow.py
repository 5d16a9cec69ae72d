"""Optical flow as pixels, so that a network which reads colours can read motion."""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

REACH = 20.0
"""Pixels per frame at which flow is cut off (the usual bound of two-stream networks: Simonyan and Zisserman, 2014)."""


def farneback(clips: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the dense flow of clips by Farneback's method, which HACS used for its flow networks.

    Args:
        clips: RGB, shape (n, frames, h, w, 3).

    Returns:
        The same shape. Frame i holds the motion from frame i - 1 to frame i (nothing for the first): channels x, y, and
        length, in pixels per frame cut off at 20, written so that 128 is none for x and y, and 0 for the length.

    """
    flows = np.empty_like(clips)
    flows[:, 0] = (128, 128, 0)
    for clip, flow in zip(clips, flows, strict=True):
        grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in clip]
        for index, (before, after) in enumerate(pairwise(grey), start=1):
            motion = cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)
            flow[index, ..., :2] = np.clip(np.round(motion * (127 / REACH)) + 128, 1, 255)
            length = np.hypot(motion[..., 0], motion[..., 1])
            flow[index, ..., 2] = np.clip(np.round(length * (255 / REACH)), 0, 255)
    return flows
