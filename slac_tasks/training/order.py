"""In which order clips are learned: a function of a seed and a number, so a place in it is all that a resume needs."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
"""Numbers of clips in an index."""

BLOCK_VIDEOS = 1024
"""Clips are shuffled among so many videos at a time: a cache that holds these fetches each rendition once an epoch."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """The clips of an index in the order of training, epoch after epoch without end."""

    videos: NDArray[np.int32]
    """Number of each clip's video."""
    seed: int
    weights: NDArray[np.float64] | None = None
    """How often each clip is wanted, relative to the others; None: once each. An epoch always has as many clips as the
    index."""
    block: int = BLOCK_VIDEOS
    _made: dict[int, Rows] = field(default_factory=dict, init=False, repr=False, compare=False)

    def epoch(self, number: int) -> Rows:
        """Return the clips of one epoch, in order."""
        if number not in self._made:
            self._made.clear()
            self._made[number] = self._epoch(number)
        return self._made[number]

    def _epoch(self, number: int) -> Rows:
        chance = np.random.Generator(np.random.PCG64(np.random.SeedSequence((self.seed, number))))
        rows = self._drawn(chance)
        if not len(rows):
            return rows
        block_of = chance.permutation(int(self.videos.max()) + 1) // self.block
        return rows[np.lexsort((chance.random(len(rows)), block_of[self.videos[rows]]))]

    def _drawn(self, chance: np.random.Generator) -> Rows:
        n = len(self.videos)
        if self.weights is None:
            return np.arange(n)
        # Systematic: a clip that is wanted 2.3 times comes twice or three times, and never by luck not at all.
        ends = np.cumsum(self.weights)
        if not n or ends[-1] <= 0:
            return np.zeros(0, np.int64)
        at = (np.arange(n) + chance.random()) * (ends[-1] / n)
        rows: Rows = np.searchsorted(ends, np.minimum(at, ends[-1] * (1 - 1e-12)), side="right")
        return rows

    def between(self, begin: int, end: int) -> Rows:
        """Return the clips from place `begin` to `end` of all epochs, one after the other."""
        found: list[Rows] = []
        while begin < end:
            number, offset = divmod(begin, len(self.videos))
            found.append(self.epoch(number)[offset : offset + end - begin])
            if not len(found[-1]):
                break
            begin += len(found[-1])
        return np.concatenate(found) if found else np.zeros(0, np.int64)


def balancing(clip: Rows, cell: NDArray[np.int64], *, clips: int, power: float) -> NDArray[np.float64]:
    """Return how often each clip is wanted so that rare labels come more often; 0 for a clip without a label.

    A label is wanted as (labels of its commonest kind / labels of its kind) to the `power`, and a clip as its most
    wanted label: 0 leaves clips as they are, 1 gives each kind of label about the same place (ours; between them,
    the square root, is what Mahajan et al., ECCV 2018, use).

    Args:
        clip: of each label, its clip.
        cell: of each label, its kind: a number for each category and sign.
        clips: how many clips there are.
        power: 0 to 1.

    """
    wanted = np.zeros(clips)
    if len(clip):
        count = np.bincount(cell)
        np.maximum.at(wanted, clip, (count.max() / count[cell].astype(np.float64)) ** power)
    return wanted
