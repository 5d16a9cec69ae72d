"""Clips of originals that were kept (`collect.keep_originals`), for those who keep no renditions.

Either each rendition is made again for as long as it is read, or torchcodec decodes the clips alone, on a card by its
own decoder. What torchcodec cannot read is read the other way, and is lost only if that fails too. Where the card
cannot be used, or its memory is full, that is said once, and all that follows is read the other way.
"""

import importlib.util
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slac_tasks.collect.settings import Collect
from slac_tasks.errors import NotConfigured
from slac_tasks.model import View
from slac_tasks.progress import print_line
from slac_tasks.video import originals
from slac_tasks.video.pieces import NO_CARD, NO_TORCHCODEC
from slac_tasks.video.pool import Cut, Decoded, Pool
from slac_tasks.video.remade import Remade
from slac_tasks.video.sources import OpensMedia

_JUDGE = ("max_pixels", "max_duration_sec", "min_duration_sec")
"""Settings of `collect` by which an original is judged."""
_WANT = "want the extra `nvdec` and the libraries of FFmpeg, or another `scoring.pixels`"


class KeptPool:
    """Decodes batches of clips as a `Pool` does, from the originals beside the renditions that they name."""

    def __init__(
        self, open_media: OpensMedia, views: Sequence[View], *, batch: int, buffer: int, workers: int, limits: Collect,
        torchcodec: str = "",
    ) -> None:  # fmt: skip
        """Start the workers.

        Args:
            open_media: where the originals are.
            views: how each clip is decoded.
            batch: most clips in a batch.
            buffer: batches that are decoded ahead.
            workers: processes, one at least.
            limits: what `fetch` takes.
            torchcodec: the device on which torchcodec decodes, cpu or cuda:0 and the like; empty: renditions are made.

        Raises:
            NotConfigured: there is no torchcodec.
            Temporary: there is no room for the shared memory.

        """
        self._views, self._batch, self._buffer, self._workers = views, batch, buffer, max(1, workers)
        self._remade = Remade(open_media, limits)
        self._torchcodec: Pool | None = None
        self._ffmpeg: Pool | None = None
        if torchcodec:
            if importlib.util.find_spec("torchcodec") is None:
                raise NotConfigured(f"torchcodec: is not installed; {_WANT}")
            judge = {name: getattr(limits, name) for name in _JUDGE}
            self._torchcodec = self._pool(open_media, {"device": torchcodec, **judge})
        else:
            self._ffmpeg = self._pool(self._remade)

    def _pool(self, open_media: OpensMedia, how: Mapping[str, Any] | None = None) -> Pool:
        return Pool(
            open_media, self._views, batch=self._batch, buffer=self._buffer, workers=self._workers, originals=how
        )

    def _by_ffmpeg(self) -> Pool:
        """Return the pool that reads renditions, started when it is needed first."""
        if self._ffmpeg is None:
            self._ffmpeg = self._pool(self._remade)
        return self._ffmpeg

    @property
    def memory(self) -> NDArray[np.uint8] | None:
        """The shared memory of the pool that decodes first."""
        return (self._torchcodec or self._by_ffmpeg()).memory

    def __enter__(self) -> "KeptPool":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the workers, and delete the renditions that were made."""
        for pool in (self._torchcodec, self._ffmpeg):
            if pool:
                pool.close()
        self._remade.close()

    def batches(self, wanted: Iterable[Sequence[Cut | None]]) -> Iterator[Decoded]:
        """Return what each batch of clips becomes, as `Pool.batches` does.

        Raises:
            NotConfigured: torchcodec cannot be loaded.

        """
        if self._torchcodec:
            return self._by_both(self._torchcodec, iter(wanted))
        return self._by_ffmpeg().batches(wanted)

    def _by_both(self, pool: Pool, wanted: Iterator[Sequence[Cut | None]]) -> Iterator[Decoded]:
        asked: deque[Sequence[Cut | None]] = deque()

        def of_originals() -> Iterator[list[Cut | None]]:
            for cuts in wanted:
                asked.append(cuts)
                yield [cut and Cut(originals.beside(cut.proxy), cut.start_sec) for cut in cuts]

        for found in pool.batches(of_originals()):
            faults = {lost.reason: lost.detail for lost in found.lost.values()}
            if NO_TORCHCODEC in faults:
                raise NotConfigured(f"torchcodec: cannot be loaded: {faults[NO_TORCHCODEC]}; {_WANT}")
            if NO_CARD in faults:
                print_line(f"torchcodec: {faults[NO_CARD]}; originals are read by ffmpeg from here on")
                yield from self._by_ffmpeg().batches(chain(list(asked), wanted))
                return
            yield self._tried_again(found, asked.popleft())

    def _tried_again(self, found: Decoded, cuts: Sequence[Cut | None]) -> Decoded:
        """Return a batch with what torchcodec could not read, read by ffmpeg."""
        rows = sorted(found.lost)
        if not rows:
            return found
        (again,) = self._by_ffmpeg().batches([[cuts[row] for row in rows]])
        for place, row in enumerate(rows):
            for view, pixels in found.pixels.items():
                pixels[row] = again.pixels[view][place]
        return Decoded(pixels=found.pixels, lost={rows[place]: lost for place, lost in again.lost.items()})
