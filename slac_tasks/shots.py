"""Shots of a video, from small frames. Pure functions over pixels."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Span = tuple[float, float]

_BINS = 8
"""Histogram bins per colour channel: 512 colours."""

_CUT = 0.35
"""A cut: the histograms of two neighbouring frames differ by at least this share of their pixels (ours)."""

_FADE = 0.55
"""A fade or dissolve: the histograms of frames half a second apart differ by at least this share (ours)."""

_FADE_SEC = 0.5


def histograms(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the colour histogram of each frame.

    Args:
        frames: RGB, shape (n, height, width, 3).

    Returns:
        Shares of pixels by colour, shape (n, 512), rows sum to 1. Neighbouring bins share a pixel's weight through a
        small blur, so that a change of light does not look like a change of scene.

    """
    coarse = (frames >> 5).astype(np.int64)
    code = (coarse[..., 0] * _BINS + coarse[..., 1]) * _BINS + coarse[..., 2]
    flat = code.reshape(len(frames), -1) + np.arange(len(frames))[:, None] * _BINS**3
    counts = np.bincount(flat.ravel(), minlength=len(frames) * _BINS**3).reshape(len(frames), _BINS, _BINS, _BINS)
    shares = counts.astype(np.float32) / max(1, flat.shape[1])
    for axis in (1, 2, 3):
        padded = np.concatenate([shares.take([0], axis), shares, shares.take([-1], axis)], axis)
        length = shares.shape[axis]
        before, middle, after = (padded.take(range(k, k + length), axis) for k in range(3))
        shares = 0.25 * before + 0.5 * middle + 0.25 * after
    shares = shares.reshape(len(frames), _BINS**3)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True).clip(1e-9), dtype=np.float32)


def find_shots(frames: NDArray[np.uint8], fps: float, duration_sec: float) -> list[Span]:
    """Return the shots of a video as (start, end) in seconds, in order, covering it without gaps.

    HACS v3 (section 3) finds shots by colour-histogram distance; its thresholds are not known, these are ours.
    A cut is a large step between neighbouring frames. A fade or dissolve is a large change over half a second
    without one: its middle becomes the boundary.

    Args:
        frames: small RGB frames at a fixed rate from time 0, shape (n, height, width, 3).
        fps: rate of these frames.
        duration_sec: length of the video in seconds.

    """
    if len(frames) < 2:
        return [(0.0, duration_sec)]
    colours = histograms(frames)
    step = _distance(colours[1:], colours[:-1])
    boundaries = [int(index) + 1 for index in np.flatnonzero(step >= _CUT)]
    reach = max(1, round(_FADE_SEC * fps))
    if len(frames) > reach:
        wide = _distance(colours[reach:], colours[:-reach])
        boundaries += _peaks(wide, reach, boundaries)
    times = sorted({round(float(index) / fps, 6) for index in boundaries})
    edges = [0.0, *(time for time in times if 0.0 < time < duration_sec), duration_sec]
    return list(pairwise(edges))


def _distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of pixels whose colour changed: half the L1 distance of histograms, 0 to 1."""
    return np.asarray(np.abs(a - b).sum(axis=1) / 2, dtype=np.float32)


def _peaks(wide: NDArray[np.float32], reach: int, cuts: list[int]) -> list[int]:
    """Return the middles of runs of wide change that no cut explains."""
    found: list[int] = []
    high = np.flatnonzero(wide >= _FADE)
    if not len(high):
        return found
    for run in np.split(high, np.flatnonzero(np.diff(high) > 1) + 1):
        if not any(run[0] < cut <= run[-1] + reach for cut in cuts):
            found.append(int(run[np.argmax(wide[run])]) + reach // 2)
    return found
