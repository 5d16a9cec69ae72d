"""Small frames for tests: people who move before one background, and copies of them."""

import numpy as np
from numpy.typing import NDArray

from slac_tasks.admission.likeness.fingerprints import Fingerprint, fingerprint, video_hashes

FPS = 8.0
Small = NDArray[np.uint8]
"""(frames, 48, 48, 3)."""


def room(seed: int) -> NDArray[np.float64]:
    """Return a background of coarse blobs; shape (48, 48)."""
    return np.kron(np.random.default_rng(seed).integers(60, 200, (12, 12)), np.ones((4, 4)))


def film(background: NDArray[np.float64], seed: int, seconds: float) -> Small:
    """Return a person of 14 x 8 pixels before a background, who walks, and stretches an arm to either side."""
    rng = np.random.default_rng(seed)
    count = round(seconds * FPS)
    # A new aim each second, walked to evenly.
    aims = rng.uniform(6, 34, (int(count / FPS) + 2, 4))
    times = np.arange(count) / FPS
    down, across, left, right = (np.interp(times, np.arange(len(aims)), aim) for aim in aims.T)
    frames = np.repeat(background[None], count, axis=0)
    for frame, y, x, one, other in zip(frames, down, across, left, right, strict=True):
        frame[int(y) : int(y) + 14, int(x) : int(x) + 8] = 20
        frame[int(y) + 4 : int(y) + 7, max(0, int(x) - int(one) // 4) : int(x) + 8 + int(other) // 4] = 230
    return np.repeat(frames[..., None], 3, axis=3).astype(np.uint8)


def edited(small: Small, seed: int) -> Small:
    """Return a copy, brighter, of more contrast, and noisy."""
    noise = np.random.default_rng(seed).normal(0, 3, small.shape)
    return np.clip(1.1 * small + 10 + noise, 0, 255).astype(np.uint8)


def seen(small: Small) -> Fingerprint:
    """Return the fingerprint of a video."""
    return fingerprint(video_hashes(small, FPS))
