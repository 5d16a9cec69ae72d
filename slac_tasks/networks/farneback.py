"""Dense optical flow of many clips at once, on any device: Farneback's method on tensors (ours).

Gunnar Farneback, "Two-Frame Motion Estimation Based on Polynomial Expansion", SCIA 2003, with the steps, borders and
numbers of OpenCV's `calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)`, which HACS used. The
two differ by less than a thousandth of a pixel on average.

Whatever is linear (blur, shrink, expansion, window) is a product with one matrix for each axis, borders included: for
frames this small that is what cards do fastest, and neither padding nor a loop over taps is left.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

_LEVELS, _SCALE, _SMALLEST = 3, 0.5, 32
"""Most times that frames are shrunk, by what, and their smallest side in pixels."""
_WINDOW = 15
"""Side in pixels of the square in which one motion is looked for."""
_ROUNDS = 3
"""Times that each level's motion is corrected."""
_REACH, _SIGMA = 5, 1.2
"""Neighbours on each side that a pixel's polynomial is fitted to, and how fast they lose weight."""
_BORDER = (0.14, 0.14, 0.4472, 0.4472, 0.4472)
"""What polynomials weigh that are so near to the frame's border, from its first pixel on."""
_SINGULAR = 1e-3
"""Added to determinants: where nothing is seen, nothing moves."""

Matrix = NDArray[np.float64]


@torch.no_grad()
def motions(grey: Tensor) -> Tensor:
    """Return how far each pixel moves from frame to frame.

    Args:
        grey: float32 (frames, n, h, w), brightness from 0 to 255; sides of at least 2 * 5 pixels.

    Returns:
        (frames - 1, n, 2, h, w), float32 on the same device: x and y in pixels. Item i leads from frame i to i + 1.

    """
    frames, clips, height, width = grey.shape
    found: Tensor | None = None
    # A product in bfloat16 would lose the motion of what is nearly alike.
    with torch.autocast(grey.device.type, enabled=False):
        for level in range(_shrunk(min(height, width)), -1, -1):
            down, across = _on(grey.device, height, level), _on(grey.device, width, level)
            fitted = _expanded(grey, down, across)
            before, after = fitted[:-1].flatten(0, 1), fitted[1:].flatten(0, 1)
            size = before.shape[-2:]
            if found is None:
                found = grey.new_zeros(len(before), 2, *size)
            else:
                found = F.interpolate(found, size=size, mode="bilinear", align_corners=False) / _SCALE
            for _ in range(_ROUNDS):
                found = _corrected(found, before, after, down, across)
    assert found is not None
    return found.view(frames - 1, clips, 2, height, width)


def _shrunk(side: int) -> int:
    """Return how often frames with this short side are shrunk."""
    return sum(side * _SCALE**level >= _SMALLEST for level in range(1, _LEVELS + 1))


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """The products of one axis at one level, each (pixels there, pixels of the frame), on a device."""

    mean: Tensor
    """The weighted mean of a pixel and its neighbours, in the frame that is blurred and shrunk."""
    slope: Tensor
    """The factor of x in the polynomial of one variable that fits them best."""
    bend: Tensor
    """The factor of x^2."""
    window: Tensor
    """(pixels, pixels): the mean over the window, with less weight on what is near the border."""
    places: Tensor
    """(pixels,): 0, 1, 2..."""


def _expanded(grey: Tensor, down: _Axis, across: _Axis) -> Tensor:
    """Return each pixel's polynomial (frames, n, 5, h, w): the factors of y, x, y^2, x^2 and xy."""
    mean, slope, bend = (grey @ one.T for one in (across.mean, across.slope, across.bend))
    return torch.stack(
        [down.slope @ mean, down.mean @ slope, down.bend @ mean, down.mean @ bend, down.slope @ slope], 2
    )


def _corrected(motion: Tensor, before: Tensor, after: Tensor, down: _Axis, across: _Axis) -> Tensor:
    """Return a better motion: the one that best turns the polynomials around each pixel into those of the next frame.

    Args:
        motion: (pairs, 2, h, w), x and y.
        before: polynomials of the first frames, (pairs, 5, h, w).
        after: those of the second ones.
        down: products along y.
        across: products along x.

    """
    height, width = motion.shape[-2:]
    right, below = motion.unbind(1)
    x, y = across.places + right, down.places[:, None] + below
    seen = ((x >= 0) & (x < width - 1) & (y >= 0) & (y < height - 1)).float()
    where = torch.stack([x * (2 / (width - 1)) - 1, y * (2 / (height - 1)) - 1], -1)
    there = F.grid_sample(after, where, padding_mode="border", align_corners=True) * seen[:, None]
    # Where the second frame does not show the pixel, the polynomial of the first one counts alone.
    half = 1 - seen / 2
    to_y, to_x = ((before[:, :2] - there[:, :2]) / 2).unbind(1)
    yy, xx, xy = ((before[:, 2:] + there[:, 2:]) * half[:, None]).unbind(1)
    xy = xy / 2
    to_y = to_y + yy * below + xy * right
    to_x = to_x + xy * below + xx * right
    terms = torch.stack(
        [yy * yy + xy * xy, (yy + xx) * xy, xx * xx + xy * xy, yy * to_y + xy * to_x, xy * to_y + xx * to_x], 1
    ).flatten(0, 1)
    summed = torch.bmm(down.window.expand(len(terms), -1, -1), terms @ across.window.T)
    a, b, c, e, f = summed.view(len(motion), 5, height, width).unbind(1)
    one = 1 / (a * c - b * b + _SINGULAR)
    return torch.stack([(a * f - b * e) * one, (c * e - b * f) * one], 1)


@cache
def _on(where: torch.device, side: int, level: int) -> _Axis:
    """Return the products along an axis of so many pixels, on a device."""

    def there(matrix: Matrix) -> Tensor:
        with torch.inference_mode(False):
            return torch.tensor(matrix, dtype=torch.float32, device=where)

    shrunk = _resized(side, round(side * _SCALE**level)) @ _banded(side, _blur(level), mirrored=True)
    own = len(shrunk)
    at = np.arange(-_REACH, _REACH + 1)
    weights = np.exp(-(at**2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    square, fourth = (weights * at**2).sum(), (weights * at**4).sum()
    slope, bend = weights * at / square, weights * (at**2 - square) / (fourth - square**2)
    border = np.ones(own)
    for pixel, weight in enumerate(_BORDER):
        border[[pixel, -1 - pixel]] *= weight
    return _Axis(
        mean=there(_banded(own, weights) @ shrunk),
        slope=there(_banded(own, slope) @ shrunk),
        bend=there(_banded(own, bend) @ shrunk),
        # What is summed is of second degree in the polynomials, so it has the square of their weight.
        window=there(_banded(own, np.full(_WINDOW, 1 / _WINDOW)) * border**2),
        places=there(np.arange(own, dtype=np.float64)),
    )


def _blur(level: int) -> Matrix:
    """Return the taps with which frames are blurred before they are shrunk to a level."""
    sigma = (_SCALE**-level - 1) / 2
    if not sigma:
        return np.array([0.25, 0.5, 0.25])
    reach = max(3, round(sigma * 5) | 1) // 2
    taps = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    return np.asarray(taps / taps.sum())


def _banded(size: int, taps: Matrix, *, mirrored: bool = False) -> Matrix:
    """Return the matrix (size, size) of a filter; beyond the border lies its last pixel, or the mirrored frame."""
    reach = len(taps) // 2
    at = np.arange(size)[:, None] + np.arange(-reach, reach + 1)
    if mirrored:
        at = size - 1 - abs(size - 1 - abs(at))
    matrix = np.zeros((size, size))
    np.add.at(matrix, (np.arange(size)[:, None], at.clip(0, size - 1)), taps)
    return matrix


def _resized(size: int, wanted: int) -> Matrix:
    """Return the matrix (wanted, size) that interpolates between the two nearest pixels."""
    at = ((np.arange(wanted) + 0.5) * size / wanted - 0.5).clip(0, size - 1)
    low = np.minimum(np.floor(at).astype(int), size - 2)
    matrix = np.zeros((wanted, size))
    rows = np.arange(wanted)
    matrix[rows, low], matrix[rows, low + 1] = 1 - (at - low), at - low
    return matrix
