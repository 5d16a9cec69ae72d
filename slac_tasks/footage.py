"""Clips as pixels: each proxy is opened once for all of its clips, and ids travel with what they name."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slac_tasks.errors import BrokenContract
from slac_tasks.frames import read_clips
from slac_tasks.progress import track
from slac_tasks.training import Pixels

OpenMedia = Callable[[str], AbstractContextManager[Path]]
"""Hands out a local path of a media object for the length of a block: `Store.local`."""
Lost = Callable[[str, str], None]
"""Told (video_id, why) of a video that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class ClipAddress:
    """Where a clip's pixels are."""

    clip_id: str
    video_id: str
    start_sec: float
    proxy: str
    """Object name of the rendition."""


@dataclass(frozen=True, kw_only=True)
class Footage:
    """The clips of one video, decoded."""

    clips: tuple[ClipAddress, ...]
    pixels: Mapping[tuple[int, int], Pixels]
    """By (frames, size): row i is `clips[i]`."""

    def __post_init__(self) -> None:
        for shape, pixels in self.pixels.items():
            if len(pixels) != len(self.clips):
                raise BrokenContract(f"footage {shape}: {len(pixels)} clips decoded, want {len(self.clips)}")


def footage(
    clips: Sequence[ClipAddress], shapes: Sequence[tuple[int, int]], open_media: OpenMedia, lost: Lost, what: str
) -> Iterator[Footage]:
    """Yield the clips of each video, decoded once per (frames, size); clips come in order of their address.

    The order of `clips` does not matter. A video that is missing or cannot be decoded is reported and left out.
    """
    by_proxy: dict[str, list[ClipAddress]] = {}
    for clip in sorted(set(clips), key=lambda clip: (clip.proxy, clip.start_sec)):
        by_proxy.setdefault(clip.proxy, []).append(clip)
    for proxy, wanted in track(by_proxy.items(), len(by_proxy), what):
        starts = [clip.start_sec for clip in wanted]
        try:
            with open_media(proxy) as path:
                pixels = {shape: read_clips(path, starts, frames=shape[0], size=shape[1]) for shape in set(shapes)}
        except BrokenContract as error:  # NotMade too: a takedown removes the bytes at once
            lost(wanted[0].video_id, str(error))
            continue
        yield Footage(clips=tuple(wanted), pixels=pixels)


def gather(
    clips: Sequence[ClipAddress], shape: tuple[int, int], open_media: OpenMedia, lost: Lost, what: str
) -> tuple[list[ClipAddress], Pixels]:
    """Return (the clips that could be read, their pixels) for training, which visits clips many times.

    Pixels lie in an unnamed temporary file, mapped: more clips than memory holds are no failure.
    """
    frames, size = shape
    kept: list[ClipAddress] = []
    with tempfile.TemporaryFile(prefix="slac-") as file:
        for reel in footage(clips, [shape], open_media, lost, what):
            # Written, not mapped for writing: a full disk is then an error with a name and not a killed process.
            file.write(reel.pixels[shape].tobytes())
            kept += reel.clips
        file.flush()
        if not kept:
            return [], np.empty((0, frames, size, size, 3), np.uint8)
        return kept, np.memmap(file, np.uint8, "r", shape=(len(kept), frames, size, size, 3))


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
