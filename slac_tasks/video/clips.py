"""Clips as pixels: each proxy is opened once for all of its clips, and ids travel with what they name."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

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
"""Hands out a local path of a media object for the length of a block: `Store.local`, or `store.Media` for workers."""
Lost = Callable[[str, str], None]
"""Told (video_id, why) of a video that cannot be read."""

_SMALL_PROXY = 128
"""Views of at most this many pixels are read from the small rendition."""


ADDRESS = ["clip_id", "video_id", "start_sec", "proxy_128", "proxy_256"]
"""Columns that say where a clip is."""


@dataclass(frozen=True, kw_only=True)
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
        return self.proxy_128 if view.size <= _SMALL_PROXY else self.proxy_256


def addresses(table: pa.Table) -> list[ClipAddress]:
    """Return where the clips of a table are, row by row."""
    return [ClipAddress(**row) for row in table.select(ADDRESS).to_pylist()]


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


def footage(
    clips: Iterable[ClipAddress], views: Iterable[View], open_media: OpenMedia, lost: Lost, what: str, workers: int = 0
) -> Iterator[Footage]:
    """Yield the clips of each video, decoded in every view.

    The order of `clips` does not matter. A video that is missing or cannot be decoded is reported and left out.

    Args:
        clips: what is wanted.
        views: how each is decoded.
        open_media: where the proxies are; sent to the workers when there are any.
        lost: told of videos that cannot be read.
        what: what the progress bar says.
        workers: processes that decode beside this one; videos then come in the order in which they are ready.

    """
    by_video: dict[str, list[ClipAddress]] = {}
    for clip in sorted(set(clips), key=lambda clip: (clip.proxy_128, clip.start_sec, clip.clip_id)):
        by_video.setdefault(clip.proxy_128, []).append(clip)
    reels = _Reels([tuple(found) for found in by_video.values()], sorted(set(views)), open_media)
    if not workers:
        ready: Iterable[_Decoded] = (reels[index] for index in range(len(reels)))
    else:
        ready = DataLoader(
            reels, batch_size=None, num_workers=workers, in_order=False, worker_init_fn=_settle,
            # A fork of a process whose threads compute or hold connections may hang.
            multiprocessing_context="forkserver",
        )  # fmt: skip
    for clip_ids, pixels, failure in track(ready, len(reels), what):
        found = reels.named(clip_ids)
        if failure:
            lost(found[0].video_id, failure)
        else:
            yield Footage(clips=found, pixels={view: pixels[view].numpy() for view in reels.views})


_Decoded = tuple[tuple[str, ...], dict[View, Tensor], str]
"""(ids of the clips, their pixels, why there are none): ids cross the process boundary with the pixels they name."""


class _Reels(Dataset[_Decoded]):
    """The clips of one video after the other."""

    def __init__(self, groups: Sequence[tuple[ClipAddress, ...]], views: Sequence[View], open_media: OpenMedia) -> None:
        self.groups, self.views, self.open_media = groups, views, open_media
        self._named = {clip.clip_id: clip for group in groups for clip in group}

    def __len__(self) -> int:
        return len(self.groups)

    def __getitem__(self, index: int) -> _Decoded:
        clips = self.groups[index]
        clip_ids = tuple(clip.clip_id for clip in clips)
        try:
            return clip_ids, {view: torch.from_numpy(pixels) for view, pixels in self._decode(clips)}, ""
        except BrokenContract as error:  # NotMade too: a takedown removes the bytes at once
            return clip_ids, {}, str(error)

    def _decode(self, clips: Sequence[ClipAddress]) -> Iterator[tuple[View, Pixels]]:
        starts = [clip.start_sec for clip in clips]
        colours: dict[View, Pixels] = {}
        for view in self.views:
            plain = view._replace(flow=False)
            if plain not in colours:
                with self.open_media(clips[0].proxy(view)) as path:
                    colours[plain] = read_clips(path, starts, frames=view.frames, size=view.size)
            yield view, farneback(colours[plain]) if view.flow else colours[plain]

    def named(self, clip_ids: Sequence[str]) -> tuple[ClipAddress, ...]:
        """Return the addresses of clips by their ids."""
        return tuple(self._named[clip_id] for clip_id in clip_ids)


def _settle(_worker: int) -> None:
    """Keep a worker to one processor: there is one worker for each."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


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
    clips: Sequence[ClipAddress], view: View, open_media: OpenMedia, lost: Lost, what: str
) -> tuple[list[ClipAddress], Pixels]:
    """Return (the clips that could be read, their pixels) for training, which visits clips many times.

    Pixels lie in an unnamed temporary file, mapped: more clips than memory holds are no failure.
    """
    kept: list[ClipAddress] = []
    with tempfile.TemporaryFile(prefix="slac-") as file:
        for reel in footage(clips, [view], open_media, lost, what):
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
