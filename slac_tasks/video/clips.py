"""Clips as pixels: each proxy is opened once for all of its clips, and addresses travel with the pixels they name."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, repeat
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import torch

from slac_tasks.children import processors
from slac_tasks.errors import BrokenContract, FullDiskAt
from slac_tasks.model import View, unit_hash
from slac_tasks.progress import track
from slac_tasks.storage.datasets.collecting import ClipRow
from slac_tasks.storage.datasets.releasing import GoldJudgeRow, ReleaseRow
from slac_tasks.video.frames import Pixels
from slac_tasks.video.lost import Lost
from slac_tasks.video.pool import Cut, Decoded, Pool
from slac_tasks.video.ring import Shape, clip_shape
from slac_tasks.video.sources import OpensMedia

T = TypeVar("T")

NotesLost = Callable[[str, Lost], None]
"""Called with the video_id of a video that cannot be read, and why."""

_BATCH = 64
"""Clips that are decoded into one slot, where the caller has no batches of its own."""
_CLIPS_PER_WORKER = 40
"""A process starts in half a second, in which another one decodes about so many clips."""
_BESIDE_A_CARD = 2
"""Processors that feed a card and write what it says."""
_MOST_WORKERS = 32
_LEAST_AHEAD = 4
_AHEAD_BYTES = 2 * 2**30

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
    def of(cls, row: ClipRow | ReleaseRow | GoldJudgeRow) -> "ClipAddress":
        """Return where the clip of this row is."""
        return cls(**{name: getattr(row, name) for name in ADDRESS})

    @property
    def cut(self) -> Cut:
        """What a pool is asked for."""
        return Cut(self.proxy_128, self.start_sec, self.proxy_256)


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


def decoders(setting: int, *, clips: int, beside: torch.device | None = None) -> int:
    """Return how many processes decode; 0: this one.

    Args:
        setting: how many are asked for; -1: decide here.
        clips: how many clips wait. Few are decoded sooner than a process starts.
        beside: where networks run meanwhile. On the processors they need all of them; None: nothing else runs.

    """
    if setting >= 0:
        return setting
    all_ = processors()
    free = all_ if beside is None else max(1, all_ - _BESIDE_A_CARD) if beside.type == "cuda" else 0
    return min(_MOST_WORKERS, free, clips // _CLIPS_PER_WORKER)


def ahead(views: Sequence[View], *, batch: int, workers: int) -> int:
    """Return how many batches are decoded ahead: two for each process, as far as the memory of them is bounded."""
    bytes_ = Shape(views=tuple(views), batch=batch, slots=1).size_bytes
    return max(_LEAST_AHEAD, min(2 * workers, _AHEAD_BYTES // bytes_))


def footage(
    clips: Iterable[ClipAddress], views: Iterable[View], open_media: OpensMedia, lost: NotesLost, what: str,
    workers: int = 0,
) -> Iterator[Footage]:  # fmt: skip
    """Yield the clips of each video, decoded in every view, video by video in the order of their ids.

    The order of `clips` does not matter. A video that is missing or cannot be decoded is reported and left out.

    Args:
        clips: what is wanted.
        views: how each is decoded.
        open_media: where the proxies are.
        lost: called for videos that cannot be read.
        what: what the progress bar says.
        workers: processes that decode beside this one; -1: as many as it is worth.

    """
    ordered = sorted(set(clips), key=lambda clip: (clip.video_id, clip.start_sec, clip.clip_id))
    seen = sorted(set(views))
    workers = decoders(workers, clips=len(ordered))
    batches = list(chunks(ordered, _BATCH))
    with Pool(
        open_media, seen, batch=_BATCH, buffer=ahead(seen, batch=_BATCH, workers=workers), workers=workers
    ) as pool:
        decoded = track(pool.batches([clip.cut for clip in batch] for batch in batches), len(batches), what)
        rows = chain.from_iterable(
            zip(batch, range(len(batch)), repeat(found)) for batch, found in zip(batches, decoded, strict=True)
        )
        for video_id, own in groupby(rows, lambda row: row[0].video_id):
            yield from _of_video(video_id, own, seen, lost)


def _of_video(
    video_id: str, rows: Iterable[tuple[ClipAddress, int, Decoded]], views: Sequence[View], lost: NotesLost
) -> Iterator[Footage]:
    """Yield the footage of a video, unless it cannot be decoded."""
    clips: list[ClipAddress] = []
    pixels: dict[View, list[Pixels]] = {view: [] for view in views}
    why: Lost | None = None
    for clip, row, found in rows:
        if row in found.lost:
            why = why or found.lost[row]
            continue
        clips.append(clip)
        for view in views:
            # Copied: the next batch is decoded into the same memory.
            pixels[view].append(found.pixels[view][row].copy())
    if why:
        lost(video_id, why)
    else:
        yield Footage(clips=tuple(clips), pixels={view: np.stack(own) for view, own in pixels.items()})


def chunks(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield rows in batches of `size`, the last one smaller."""
    return (rows[begin : begin + size] for begin in range(0, len(rows), size))


def shard_ends(video_ids: Sequence[str], size: int) -> list[int]:
    """Return where each shard ends: after the video with which it has `size` clips or more.

    Args:
        video_ids: of each clip; the clips of a video stand together.
        size: clips of a shard, at the least; the last one holds what is left.

    """
    ends, begin = [], 0
    for row, video_id in enumerate(video_ids, start=1):
        is_last = row == len(video_ids)
        if is_last or (video_ids[row] != video_id and row - begin >= size):
            ends.append(row)
            begin = row
    return ends


def merged(reels: Iterable[Footage], least: int) -> Iterator[Footage]:
    """Yield the same footage in the same order, `least` clips or more at a time, and in the end what is left."""
    held: list[Footage] = []
    for reel in reels:
        held.append(reel)
        if sum(len(one.clips) for one in held) >= least:
            yield _as_one(held)
            held = []
    if held:
        yield _as_one(held)


def _as_one(reels: Sequence[Footage]) -> Footage:
    return Footage(
        clips=tuple(chain.from_iterable(reel.clips for reel in reels)),
        pixels={view: np.concatenate([reel.pixels[view] for reel in reels]) for view in reels[0].pixels},
    )


def gather(
    clips: Sequence[ClipAddress], view: View, open_media: OpensMedia, lost: NotesLost, what: str, workers: int = 0
) -> tuple[list[ClipAddress], Pixels]:
    """Return (the clips that could be read, their pixels) for training, which visits clips many times.

    Pixels lie in an unnamed temporary file, mapped: more clips than memory holds are no failure. The arguments are
    those of `footage`; the number of workers changes no order.
    """
    kept: list[ClipAddress] = []

    def read() -> Iterator[Pixels]:
        for reel in footage(clips, [view], open_media, lost, what, workers):
            kept.extend(reel.clips)
            yield reel.pixels[view]

    return kept, on_disk(read(), view)


def on_disk(parts: Iterable[Pixels], view: View) -> Pixels:
    """Return pixels one after the other in one array, which lies in an unnamed temporary file and is mapped."""
    count = 0
    with FullDiskAt(Path(tempfile.gettempdir())), tempfile.TemporaryFile(prefix="slac-") as file:
        for pixels in parts:
            # Written, not mapped for writing: a full disk is then an error with a name and not a killed process.
            file.write(pixels.tobytes())
            count += len(pixels)
        file.flush()
        if not count:
            return np.empty((0, *clip_shape(view)), np.uint8)
        return np.memmap(file, np.uint8, "r", shape=(count, *clip_shape(view)))


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


def balanced(groups: Sequence[Sequence[ClipAddress]], most: int) -> list[ClipAddress]:
    """Return at most `most` clips of these groups, each once: groups get equal shares, and in a group its videos do.

    A fixed function of the clips, in the order in which they are given. What a small group leaves, larger ones take.
    """
    lots = {clip: unit_hash(clip.clip_id) for clip in chain.from_iterable(groups)}
    places: dict[ClipAddress, int] = {}
    for clips in groups:
        of_video: dict[str, int] = {}
        turns: list[tuple[int, ClipAddress]] = []
        for clip in sorted(clips, key=lots.__getitem__):
            turn = of_video[clip.video_id] = of_video.get(clip.video_id, -1) + 1
            turns.append((turn, clip))
        for place, (_, clip) in enumerate(sorted(turns, key=itemgetter(0))):
            places[clip] = min(place, places.get(clip, place))
    kept = set(sorted(places, key=lambda clip: (places[clip], lots[clip]))[:most])
    return [clip for clip in lots if clip in kept]
