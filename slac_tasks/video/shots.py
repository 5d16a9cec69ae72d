"""Shots by colour histograms (HACS v3, section 3); the rules for jumps, black, fades and dissolves are ours."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_CUT = 0.4
"""A cut changes at least this share of the histogram from one frame to the next."""
_PEAK = 3.0
"""... and this many times what the neighbouring frames change, so that fast motion is no cut."""
_GRADUAL = 0.6
"""A fade or dissolve changes at least this share over `_SPAN_SEC`, with no cut inside."""
_SPAN_SEC = 1.0
_BINS = 9
_JUMP = 25.0
"""A jump changes the mean pixel by at least this much, of 255, and three times what any neighbour changes it."""
_BLACK = 32.0
"""A frame is black when 98 of 100 of its values are below this, of 255; a line of text on it changes nothing."""
_NEAR = 3
"""Neighbours of a frame, on each side, against which a cut must stand out."""


def histograms(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return two RGB histograms of each frame, their bins 32 values wide and shifted by half a bin.

    Brightness that drifts over the edge of a bin moves one of the two, a cut moves both.

    Returns:
        Shape (frames, 2, 729); each histogram sums to 1.

    """
    result = np.empty((len(small), 2, _BINS**3), np.float32)
    weights = np.array([_BINS * _BINS, _BINS, 1])
    for index, frame in enumerate(small):
        values = frame.reshape(-1, 3).astype(np.int64)
        for half in (0, 1):
            codes = ((values + 16 * half) >> 5) @ weights
            result[index, half] = np.bincount(codes, minlength=_BINS**3) / len(values)
    return result


def _changes(histogram: NDArray[np.float32], gap: int) -> NDArray[np.float32]:
    """Return which share of each frame's histogram differs from that `gap` frames before; shape (frames - gap)."""
    change: NDArray[np.float32] = (np.abs(histogram[gap:] - histogram[:-gap]).sum(axis=2) / 2).min(axis=1)
    return change


def boundaries(histogram: NDArray[np.float32], fps: float, jumps: Sequence[int] = ()) -> list[int]:
    """Return the numbers of the frames on which a new shot starts, in order, without 0.

    Args:
        histogram: of every frame, see `histograms`.
        fps: frames per second.
        jumps: cuts that were found in another way.

    """
    count = len(histogram)
    half = max(1, round(fps * _SPAN_SEC / 2))
    if count < 3:
        return []
    change = np.concatenate([[0.0], _changes(histogram, 1)])
    cuts: list[int] = list(jumps)
    for index in np.flatnonzero(change > _CUT).tolist():
        around = np.concatenate([change[max(1, index - _NEAR) : index], change[index + 1 : index + 1 + _NEAR]])
        if change[index] >= around.max() and change[index] >= _PEAK * np.median(around):
            cuts.append(index)
    cuts = sorted(set(cuts))
    slow = np.zeros(count)
    if count > 2 * half:
        slow[half : count - half] = _changes(histogram, 2 * half)
    for cut in cuts:
        slow[max(0, cut - half) : cut + half + 1] = 0
    # However long a fade lasts, it is one boundary, in its middle.
    moving = np.flatnonzero(slow > _GRADUAL)
    runs = np.split(moving, np.flatnonzero(np.diff(moving) > half) + 1) if len(moving) else []
    gradual = {_middle(run, change) for run in runs}
    # A fade beside a cut is one transition, and what a video comes from or goes to is no shot.
    known = np.array([0, *cuts, count])
    return sorted({*cuts, *(frame for frame in gradual if abs(known - frame).min() > 2 * half)})


def jumps(small: NDArray[np.uint8]) -> list[int]:
    """Return the frames whose pixels jump: a cut between two shots of like colours, which no histogram sees (ours)."""
    values = small.astype(np.int16)
    change = np.concatenate([[0.0], np.abs(values[1:] - values[:-1]).mean(axis=(1, 2, 3))])
    found = []
    for index in np.flatnonzero(change > _JUMP).tolist():
        around = np.concatenate([change[max(1, index - _NEAR) : index], change[index + 1 : index + 1 + _NEAR]])
        if len(around) and change[index] >= _PEAK * around.max():
            found.append(index)
    return found


def dark_runs(small: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return (first, last) of every run of two or more black frames: where a shot fades out and the next one in."""
    brightest = np.percentile(small.reshape(len(small), -1), 98, axis=1)
    dark = np.flatnonzero(brightest < _BLACK)
    runs = np.split(dark, np.flatnonzero(np.diff(dark) > 1) + 1)
    return [(int(run[0]), int(run[-1])) for run in runs if len(run) > 1]


def _middle(run: NDArray[np.int64], change: NDArray[np.float64]) -> int:
    """Return the frame of a run that starts the new shot: the largest step, where one stands out, else the middle.

    A cut between two like backgrounds is too small a step for a cut, but it is one, and no clip may cross it.
    """
    step = int(run[0] + np.argmax(change[run[0] : run[-1] + 1]))
    typical = float(np.median(change[run[0] : run[-1] + 1]))
    return step if change[step] >= _PEAK * typical else int(run[0] + run[-1]) // 2


def changes_of_shot(small: NDArray[np.uint8], fps: float) -> list[int]:
    """Return the numbers of the frames on which a new shot starts: by histograms, and where the picture goes black."""
    black = dark_runs(small)
    near = max(1, round(fps * _SPAN_SEC / 2))
    inner = [(first, last) for first, last in black if first > near and last < len(small) - 1 - near]
    seen = [
        frame
        for frame in boundaries(histograms(small), fps, jumps(small))
        if not any(first - near <= frame <= last + near for first, last in inner)
    ]
    return sorted({*seen, *((first + last + 1) // 2 for first, last in inner)})


def by_pyscenedetect(small: NDArray[np.uint8], fps: float) -> list[int]:
    """Return the same by PySceneDetect's ContentDetector with its defaults, for those who know it."""
    from scenedetect import ContentDetector, FrameTimecode

    detector = ContentDetector()
    found = []
    for number, frame in enumerate(small):
        bgr = np.ascontiguousarray(frame[:, :, ::-1])
        found += detector.process_frame(FrameTimecode(number, float(fps)), bgr)
    return sorted({cut.frame_num for cut in found})


DETECTORS = {"histogram": changes_of_shot, "pyscenedetect": by_pyscenedetect}


def shots(small: NDArray[np.uint8], fps: float, detector: str = "histogram") -> list[tuple[float, float]]:
    """Return (start, end) of every shot in seconds, in order; together they are the whole video.

    Args:
        small: RGB frames of the proxy, every one, (frames, h, w, 3).
        fps: frames per second.
        detector: name in `DETECTORS`.

    """
    edges = [0, *DETECTORS[detector](small, fps), len(small)]
    return [(begin / fps, end / fps) for begin, end in pairwise(edges)]
