"""Clips as pixels: each proxy is opened once for all of its clips, and addresses travel with the pixels they name."""

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from threading import Thread
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from slac_tasks.errors import BrokenContract
from slac_tasks.model import View
from slac_tasks.progress import track
from slac_tasks.storage.datasets.collecting import ClipRow
from slac_tasks.storage.datasets.releasing import ReleaseRow
from slac_tasks.video.flow import farneback
from slac_tasks.video.frames import Pixels, read_clips

OpenMedia = Callable[[str], AbstractContextManager[Path]]
"""Gives a local path of a media object for the length of a block: `Store.local`, or `objects.Media` for workers."""
Lost = Callable[[str, str], None]
"""Called with (video_id, why) of a video that cannot be read."""

_VIDEOS_PER_WORKER = 16
"""A decoding process starts in some seconds, in which one process decodes about so many videos."""

ADDRESS = ["clip_id", "video_id", "start_sec", "proxy_128", "proxy_256"]
"""Columns that say where a clip is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipAddress:
    """Where a clip's pixels are."""

    clip_id: str
    video_id: str
    start_sec: float
    proxy_128: str
    """Object name of the small rendition."""
    proxy_256: str
    """Object name of the large one, for views that the small one is too small for."""

    @classmethod
    def of(cls, row: ClipRow | ReleaseRow) -> "ClipAddress":
        """Return where the clip of this row is."""
        return cls(**{name: getattr(row, name) for name in ADDRESS})

    def proxy(self, view: View) -> str:
        """Return the object name of the rendition from which the view is decoded."""
        return self.proxy_128 if view.small else self.proxy_256


def addresses(table: pa.Table) -> list[ClipAddress]:
    """Return where the clips of a table are, row by row."""
    return [ClipAddress(**row) for row in table.select(ADDRESS).to_pylist()]


@dataclass(frozen=True, kw_only=True)
class Reel:
    """Clips of one video that are decoded together, and how: one item of work."""

    clips: tuple[ClipAddress, ...]
    views: tuple[View, ...]


def reels_of(clips: Iterable[ClipAddress], views: Iterable[View]) -> Iterator[Reel]:
    """Yield one reel for each video of `clips`, which stand video by video."""
    seen = tuple(sorted(set(views)))
    for _, own in groupby(clips, lambda clip: clip.video_id):
        yield Reel(clips=tuple(own), views=seen)


@dataclass(frozen=True, kw_only=True)
class Footage:
    """Clips, decoded."""

    clips: tuple[ClipAddress, ...]
    pixels: Mapping[View, Pixels]
    """Row i is `clips[i]`, in every view."""

    def __post_init__(self) -> None:
        for view, pixels in self.pixels.items():
            if len(pixels) != len(self.clips):
                raise BrokenContract(f"footage {view}: {len(pixels)} clips decoded, want {len(self.clips)}")


@dataclass(frozen=True, kw_only=True)
class Undecodable:
    """A video that is missing or cannot be decoded."""

    video_id: str
    why: str


def decoded(reels: Iterable[Reel], open_media: OpenMedia, workers: int = 0) -> Iterator[Footage | Undecodable]:
    """Yield what each reel becomes, one result for each, in their order.

    Args:
        reels: the work; read as far ahead as the workers need it.
        open_media: where the proxies are; sent to the workers when there are any.
        workers: processes that decode beside this one; they live until the last reel.

    """
    decoder = _Decoder(open_media)
    results: Iterable[_Result] = map(decoder.__getitem__, reels)
    if workers:
        results = DataLoader(
            # Work goes through the queue of the workers: what each of them is started with stays small.
            decoder, batch_size=None, sampler=reels, num_workers=workers, worker_init_fn=_begin,
            collate_fn=_unchanged,
            # A fork of a process whose threads compute or hold connections may hang.
            multiprocessing_context="forkserver",
        )  # fmt: skip
    for clips, pixels, failure in results:
        if failure:
            yield Undecodable(video_id=clips[0].video_id, why=failure)
        else:
            yield Footage(clips=clips, pixels={view: tensor.numpy() for view, tensor in pixels.items()})


_Result = tuple[tuple[ClipAddress, ...], dict[View, Tensor], str]
"""(clips, their pixels, why there are none): addresses cross the process boundary with the pixels they name."""


class _Decoder(Dataset[_Result]):
    """Decodes reels. A worker is given this object once, and then one reel after the other in place of an index."""

    def __init__(self, open_media: OpenMedia) -> None:
        self._open_media = open_media

    def __getitem__(self, reel: Reel) -> _Result:
        try:
            return reel.clips, {view: torch.from_numpy(pixels) for view, pixels in self._decode(reel)}, ""
        except BrokenContract as error:  # NotMade too: a takedown removes the bytes at once
            return reel.clips, {}, str(error)

    def _decode(self, reel: Reel) -> Iterator[tuple[View, Pixels]]:
        starts = [clip.start_sec for clip in reel.clips]
        colours: dict[View, Pixels] = {}
        for view in reel.views:
            plain = view._replace(flow=False)
            if plain not in colours:
                with self._open_media(reel.clips[0].proxy(view)) as path:
                    colours[plain] = read_clips(path, starts, frames=view.frames, size=view.size)
            yield view, farneback(colours[plain]) if view.flow else colours[plain]


def _unchanged(result: Any) -> Any:
    return result


def _begin(_worker: int) -> None:
    """Keep a worker to one processor, since there is one worker for each, and let it end when its stage is killed."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    Thread(target=_end_with_the_stage, daemon=True).start()


def _end_with_the_stage() -> None:
    # A worker's parent is the fork server, which in turn lives as long as a worker: neither sees the stage die.
    if stage := multiprocessing.parent_process():
        stage.join()
        os._exit(1)


def decoders(setting: int, *, videos: int, beside: torch.device | None = None) -> int:
    """Return how many processes decode; 0: this one.

    Args:
        setting: how many are asked for; -1: decide here.
        videos: how many videos wait. Few are decoded sooner than a process starts.
        beside: where networks run meanwhile. On the processors they need all of them; None: nothing else runs.

    """
    if setting >= 0:
        return setting
    processors = os.cpu_count() or 1
    free = processors if beside is None else max(1, processors // 2) if beside.type == "cuda" else 0
    return min(8, free, videos // _VIDEOS_PER_WORKER)


def footage(
    clips: Iterable[ClipAddress], views: Iterable[View], open_media: OpenMedia, lost: Lost, what: str, workers: int = 0
) -> Iterator[Footage]:
    """Yield the clips of each video, decoded in every view, video by video in the order of their ids.

    The order of `clips` does not matter. A video that is missing or cannot be decoded is reported and left out.

    Args:
        clips: what is wanted.
        views: how each is decoded.
        open_media: where the proxies are; sent to the workers when there are any.
        lost: called for videos that cannot be read.
        what: what the progress bar says.
        workers: processes that decode beside this one; -1: as many as it is worth.

    """
    ordered = sorted(set(clips), key=lambda clip: (clip.video_id, clip.start_sec, clip.clip_id))
    reels = list(reels_of(ordered, views))
    workers = decoders(workers, videos=len(reels))
    for result in track(decoded(reels, open_media, workers), len(reels), what):
        if isinstance(result, Undecodable):
            lost(result.video_id, result.why)
        else:
            yield result


def batched(reels: Iterable[Footage], size: int) -> Iterator[Footage]:
    """Yield the same clips in batches of `size`, the last one smaller: videos are of all lengths, batches are not."""
    held: list[Footage] = []
    count = 0
    for reel in reels:
        held.append(reel)
        count += len(reel.clips)
        if count >= size:
            whole = _joined(held)
            full = count - count % size
            yield from (_part(whole, at, at + size) for at in range(0, full, size))
            held, count = ([_part(whole, full, count)], count - full) if count > full else ([], 0)
    if count:
        yield _joined(held)


def _joined(reels: Sequence[Footage]) -> Footage:
    if len(reels) == 1:
        return reels[0]
    clips = tuple(clip for reel in reels for clip in reel.clips)
    return Footage(
        clips=clips, pixels={view: np.concatenate([reel.pixels[view] for reel in reels]) for view in reels[0].pixels}
    )


def _part(reel: Footage, begin: int, end: int) -> Footage:
    return Footage(clips=reel.clips[begin:end], pixels={view: p[begin:end] for view, p in reel.pixels.items()})


def gather(
    clips: Sequence[ClipAddress], view: View, open_media: OpenMedia, lost: Lost, what: str, workers: int = 0
) -> tuple[list[ClipAddress], Pixels]:
    """Return (the clips that could be read, their pixels) for training, which visits clips many times.

    Pixels lie in an unnamed temporary file, mapped: more clips than memory holds are no failure. The arguments are
    those of `footage`; the number of workers changes no order.
    """
    kept: list[ClipAddress] = []
    with tempfile.TemporaryFile(prefix="slac-") as file:
        for reel in footage(clips, [view], open_media, lost, what, workers):
            # Written, not mapped for writing: a full disk is then an error with a name and not a killed process.
            file.write(reel.pixels[view].tobytes())
            kept += reel.clips
        file.flush()
        if not kept:
            return [], np.empty((0, view.frames, view.size, view.size, 3), np.uint8)
        return kept, np.memmap(file, np.uint8, "r", shape=(len(kept), view.frames, view.size, view.size, 3))


def spread(clips: Sequence[ClipAddress], most: int) -> list[ClipAddress]:
    """Return at most `most` clips of each video, evenly spaced over it."""
    by_video: dict[str, list[ClipAddress]] = {}
    for clip in sorted(set(clips), key=lambda clip: (clip.video_id, clip.start_sec)):
        by_video.setdefault(clip.video_id, []).append(clip)
    chosen: list[ClipAddress] = []
    for found in by_video.values():
        places = np.linspace(0, len(found) - 1, min(most, len(found))).round().astype(int)
        chosen += [found[place] for place in places]
    return chosen
