"""Batches of clips from their renditions: pixels, masked targets, and the ids that they belong to."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from slac_tasks.training.index import Index, Place
from slac_tasks.training.order import Rows
from slac_tasks.video.pool import Cut, Decoded, Pool


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
    lost: Mapping[int, str]
    """Clips of the batch that could not be decoded, by their place in it, with the reason. Pixels of another clip
    stand for theirs, so that what a network keeps of means and deviations is not of empty pictures."""

    @property
    def clip_ids(self) -> tuple[str, ...]:
        """Ids of the clips, in order."""
        return tuple(place.clip_id for place in self.places)


def load(index: Index, pool: Pool, wanted: Iterable[Rows]) -> Iterator[Batch]:
    """Yield the batches of clips that `wanted` names, in order; it is read a buffer ahead.

    Raises:
        Temporary: the renditions are out of reach, or a decoding process was killed.

    """
    ahead: deque[tuple[Rows, tuple[Place, ...]]] = deque()

    def cuts() -> Iterator[list[Cut]]:
        for rows in wanted:
            places = tuple(index.places(rows))
            ahead.append((rows, places))
            yield [Cut(place.proxy, place.start_sec) for place in places]

    for decoded in pool.batches(cuts()):
        rows, places = ahead.popleft()
        yield _batch(index, rows, places, decoded)


def _batch(index: Index, rows: Rows, places: tuple[Place, ...], decoded: Decoded) -> Batch:
    targets, pixels = index.targets(rows), decoded.pixels
    if decoded.lost:
        gone = sorted(decoded.lost)
        targets[gone] = 0
        readable = next((at for at in range(len(rows)) if at not in decoded.lost), None)
        pixels[gone] = 0 if readable is None else pixels[readable]
    return Batch(
        rows=rows, places=places, pixels=torch.from_numpy(pixels), targets=targets, lost=decoded.lost
    )  # fmt: skip
