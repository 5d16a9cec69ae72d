"""Batches of clips from their renditions: pixels, masked targets, and the ids that they belong to."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from slac_tasks.training.index import Index, Place
from slac_tasks.training.kept import KeptPixels
from slac_tasks.training.order import Rows
from slac_tasks.video.frames import Pixels
from slac_tasks.video.lost import Lost
from slac_tasks.video.pool import Cut, Pool


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Clips that are learned together."""

    rows: Rows
    """Numbers of the clips in the index."""
    places: tuple[Place, ...]
    """Ids of the clips."""
    pixels: Tensor
    """uint8 (n, frames, size, size, 3), valid until the next batch is asked for."""
    targets: Tensor
    """int8 (n, categories): +1, -1, and 0 where nobody knows or the clip could not be decoded."""
    lost: Mapping[int, Lost]
    """Clips of the batch that could not be decoded, by their place in it, with the reason. Pixels of another clip
    stand for theirs, so that what a network keeps of means and deviations is not of empty pictures."""

    @property
    def clip_ids(self) -> tuple[str, ...]:
        """Ids of the clips, in order."""
        return tuple(place.clip_id for place in self.places)


def load(index: Index, pool: Pool, wanted: Iterable[Rows], kept: KeptPixels | None = None) -> Iterator[Batch]:
    """Yield the batches of clips that `wanted` names, in order; it is read a buffer ahead.

    Clips that are kept are not decoded again, and those that are decoded are kept.

    Raises:
        Temporary: the renditions are out of reach, or a decoding process was killed.

    """
    ahead: deque[tuple[Rows, tuple[Place, ...], Rows]] = deque()

    def cuts() -> Iterator[list[Cut]]:
        for rows in wanted:
            places = tuple(index.places(rows))
            missing = np.flatnonzero(~kept.held(rows)) if kept else np.arange(len(rows))
            ahead.append((rows, places, missing))
            yield [Cut(places[at].proxy, places[at].start_sec) for at in missing]

    for decoded in pool.batches(cuts()):
        rows, places, missing = ahead.popleft()
        (pixels,) = decoded.pixels.values()
        found = _Found(pixels=pixels, lost=decoded.lost)
        yield _batch(index, rows, places, _with_kept(found, rows, missing, kept) if kept else found)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """Pixels of a batch."""

    pixels: Pixels
    """(n, frames, size, size, 3)."""
    lost: Mapping[int, Lost]


def _with_kept(decoded: _Found, rows: Rows, missing: Rows, kept: KeptPixels) -> _Found:
    """Return a whole batch of what was decoded of it and what was kept, and keep the former."""
    pixels = np.zeros((len(rows), *decoded.pixels.shape[1:]), np.uint8)
    lost = {int(missing[at]): why for at, why in decoded.lost.items()}
    for at, clip in zip(missing.tolist(), decoded.pixels, strict=True):
        pixels[at] = clip
        if at not in lost:
            kept.write(int(rows[at]), clip)
    held = np.setdiff1d(np.arange(len(rows)), missing)
    pixels[held] = kept.read(rows[held])
    return _Found(pixels=pixels, lost=lost)


def _batch(index: Index, rows: Rows, places: tuple[Place, ...], decoded: _Found) -> Batch:
    targets, pixels = index.targets(rows), decoded.pixels
    if decoded.lost:
        gone = sorted(decoded.lost)
        targets[gone] = 0
        readable = next((at for at in range(len(rows)) if at not in decoded.lost), None)
        pixels[gone] = 0 if readable is None else pixels[readable]
    return Batch(
        rows=rows, places=places, pixels=torch.from_numpy(pixels), targets=targets, lost=decoded.lost
    )  # fmt: skip
