"""Shots by colour histograms (HACS v3, section 3); the rule for gradual changes is ours."""

import numpy as np
from numpy.typing import NDArray

_CUT = 0.4
"""A cut changes at least this share of the histogram from one frame to the next."""
_PEAK = 3.0
"""... and this many times what the neighbouring frames change, so that fast motion is no cut."""
_GRADUAL = 0.6
"""A fade or dissolve changes at least this share over `_SPAN_SEC`, with no cut inside."""
_SPAN_SEC = 1.0
_BINS = 8


def histograms(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return 8 x 8 x 8 RGB histograms that sum to 1; (frames, h, w, 3) becomes (frames, 512)."""
    result = np.empty((len(small), _BINS**3), np.float32)
    for index, frame in enumerate(small):
        codes = (frame >> 5).reshape(-1, 3).astype(np.int64) @ np.array([64, 8, 1])
        result[index] = np.bincount(codes, minlength=_BINS**3)
    return result / (small.shape[1] * small.shape[2])


def boundaries(histogram: NDArray[np.float32], fps: float) -> list[int]:
    """Return the numbers of the frames on which a new shot starts, in order, without 0."""
    count = len(histogram)
    if count < 3:
        return []
    change = np.zeros(count)
    change[1:] = np.abs(np.diff(histogram, axis=0)).sum(axis=1) / 2
    cuts = []
    for index in np.flatnonzero(change > _CUT):
        around = np.delete(change[max(1, index - 3) : index + 4], min(3, index - 1))
        if change[index] >= _PEAK * (np.median(around) if len(around) else 0.0) and change[index] >= around.max(
            initial=0
        ):
            cuts.append(int(index))
    half = max(1, round(fps * _SPAN_SEC / 2))
    slow = np.zeros(count)
    if count > 2 * half:
        slow[half : count - half] = np.abs(histogram[2 * half :] - histogram[: count - 2 * half]).sum(axis=1) / 2
    gradual = []
    for index in np.flatnonzero(slow > _GRADUAL):
        around = slow[max(0, index - 2 * half) : index + 2 * half + 1]
        if slow[index] < around.max() or any(abs(index - cut) <= half for cut in cuts):
            continue
        if not gradual or index - gradual[-1] > 2 * half:
            gradual.append(int(index))
    return sorted(cuts + gradual)


def shots(small: NDArray[np.uint8], fps: float) -> list[tuple[float, float]]:
    """Return (start, end) of every shot in seconds, in order; together they are the whole video.

    Args:
        small: RGB frames of the proxy, every one, (frames, h, w, 3).
        fps: frames per second.

    """
    edges = [0, *boundaries(histograms(small), fps), len(small)]
    return [(a / fps, b / fps) for a, b in zip(edges, edges[1:], strict=False)]
