"""Fingerprints of videos that never were, to fill an index with.

A video of 155 s: a row for each half second, constant over shots of 5 s but for one bit in sixteen; one shot in fifty
is one of 200 pictures that everybody shows, as logos and black are.
"""

import numpy as np
from numpy.typing import NDArray

from slac_tasks.admission.likeness.fingerprints import NUMBERS, VIEWS, Table, table, video_hashes
from slac_tasks.video import originals

ROWS, SHOT_ROWS = 310, 10
POPULAR, POPULAR_SHARE = 200, 0.02


def pool(thousands: int) -> NDArray[np.uint64]:
    """Return hashes of random pictures whose spectrum falls as that of natural ones; shape (pictures, views)."""
    rng = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(originals.SMALL)[:, None], np.fft.rfftfreq(originals.SMALL)[None, :])
    frequency[0, 0] = 1
    parts = []
    for _ in range(thousands):
        waves = rng.normal(size=(2, 1000, *frequency.shape))
        falling = frequency ** rng.uniform(1.0, 1.6, (1000, 1, 1))
        pictures = np.fft.irfft2((waves[0] + 1j * waves[1]) / falling, s=(originals.SMALL, originals.SMALL))
        pictures *= rng.uniform(25, 70, (1000, 1, 1)) / pictures.std(axis=(1, 2), keepdims=True)
        pictures += rng.uniform(60, 190, (1000, 1, 1))
        small = np.repeat(np.clip(pictures, 0, 255).astype(np.uint8)[..., None], 3, axis=3)
        # Two frames per second: each is a row of its own.
        parts.append(table(video_hashes(small, 2.0))[:, : len(VIEWS)])
    return np.concatenate(parts)


_BOTTOMS = np.array([((1 << 64) - 1) >> (8 * rows) for rows in range(8)], np.uint64)
"""The bits of a hash that see the picture below so many of its eight rows."""


def filler(number: int, pictures: NDArray[np.uint64]) -> Table:
    """Return the fingerprint of a video that never was: the same for the same number."""
    rng = np.random.default_rng((7, number))
    shots = ROWS // SHOT_ROWS
    above, below = pictures[rng.integers(len(pictures), size=(2, shots))]
    mask = _BOTTOMS[rng.integers(3, 6, size=shots)][:, None]
    spliced = (above & ~mask) | (below & mask)
    popular = rng.random(shots) < POPULAR_SHARE
    spliced[popular] = pictures[rng.integers(POPULAR, size=int(popular.sum()))]
    noise = rng.integers(0, 1 << 64, (4, ROWS, len(VIEWS)), dtype=np.uint64)
    rows = np.empty((ROWS, NUMBERS), np.uint64)
    rows[:, : len(VIEWS)] = np.repeat(spliced, SHOT_ROWS, axis=0)
    rows[:, : len(VIEWS)] ^= np.bitwise_and.reduce(noise)
    rows[:, len(VIEWS)] = rng.integers(0, 1 << 63, ROWS, dtype=np.uint64)
    return rows
