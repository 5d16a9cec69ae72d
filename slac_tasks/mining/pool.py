"""The clips that a round may choose from, as arrays."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from slac_tasks.errors import BrokenContract
from slac_tasks.mining.measures import Floats, Ints
from slac_tasks.model import parse_clip_id


@dataclass(frozen=True, kw_only=True, eq=False)
class Pool:
    """Scored clips of one category, sorted by (video, start); row i of every array is one clip."""

    row: Ints
    """Which row of the caller's arrays the clip is."""
    video: Ints
    """Code of the clip's video: its place among the sorted ids in `videos`."""
    videos: tuple[str, ...]
    start_ms: Ints
    shot: Ints
    scores: Floats
    """Probabilities of the hypothesised action, shape (clips, members)."""
    draw: Floats
    """Chance that repeats, in [0, 1): a fixed function of the seed and the clip, whatever the order."""
    at: NDArray[np.float32] | None = None
    """Where each clip lies in the space of the members' features (`coverage.space`); None where none are kept."""
    doubt: Floats | None = None
    """Probability that the imported label of each clip is wrong; None where the category has no imported labels."""

    def __len__(self) -> int:
        return len(self.row)

    def rows_of(self, clip_ids: Collection[str]) -> Ints:
        """Return the rows of those of these clips that are in the pool."""
        return np.flatnonzero(np.isin(place(self.video, self.start_ms), self._places(clip_ids)))

    def near(self, clip_ids: Collection[str], gap_ms: int) -> NDArray[np.bool_]:
        """Return which clips are among `clip_ids` or start less than `gap_ms` from one of them in the same video."""
        others = np.unique(self._places(clip_ids))
        if not len(others):
            return np.zeros(len(self), dtype=bool)
        own = place(self.video, self.start_ms)
        after = np.searchsorted(others, own).clip(max=len(others) - 1)
        nearest = np.minimum(abs(others[after] - own), abs(others[np.maximum(after - 1, 0)] - own))
        return np.asarray(nearest < max(gap_ms, 1))

    def _places(self, clip_ids: Collection[str]) -> Ints:
        """Return the `place` of those of these clips whose videos are in the pool."""
        code = {video: number for number, video in enumerate(self.videos)}
        places = [(code[v], round(s * 1000)) for v, s in map(parse_clip_id, clip_ids) if v in code]
        video, start_ms = np.array(places, dtype=np.int64).reshape(-1, 2).T
        return place(video, start_ms)


def place(video: Ints | np.int64, start_ms: Ints | np.int64) -> Ints:
    """Return one number that orders clips by (video, start), with a video's clips further from others than any gap."""
    return np.asarray(video * np.int64(2**40) + start_ms, dtype=np.int64)


def make_pool(
    video_ids: pa.Array, start_sec: Floats, shots: Ints, scores: Floats, *, seed: str,
    at: NDArray[np.float32] | None = None, doubt: Floats | None = None,
) -> Pool:  # fmt: skip
    """Return the pool of these clips, the same in whatever order they come.

    Args:
        video_ids: strings, one for each clip.
        start_sec: starts on the proxy's clock, shape (clips,).
        shots: index of each clip's shot in its video, shape (clips,).
        scores: shape (clips, members), at least one member.
        seed: names the draw.
        at: where each clip lies in the space of the members' features, shape (clips, numbers).
        doubt: probability that each clip's imported label is wrong, shape (clips,).

    Raises:
        BrokenContract: the arrays differ in length, or a score is not between 0 and 1.

    """
    lengths = {len(video_ids), len(start_sec), len(shots), len(scores)}
    if len(lengths) > 1:
        raise BrokenContract(f"mining: arrays of {sorted(lengths)} clips, want one length")
    if not ((scores >= 0) & (scores <= 1)).all():
        raise BrokenContract("mining: a score is unknown or outside 0 to 1")
    encoded = pc.dictionary_encode(video_ids)
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    names = encoded.dictionary.to_pylist()
    videos = sorted(names)
    rank = {name: number for number, name in enumerate(videos)}
    video = np.array([rank[name] for name in names], dtype=np.int64)[encoded.indices.to_numpy(zero_copy_only=False)]
    start_ms = (np.asarray(start_sec) * 1000).round().astype(np.int64)
    order = np.argsort(place(video, start_ms), kind="stable")
    video, start_ms = video[order], start_ms[order]
    return Pool(
        row=order,
        video=video,
        videos=tuple(videos),
        start_ms=start_ms,
        shot=np.asarray(shots, dtype=np.int64)[order],
        scores=np.asarray(scores, dtype=np.float64)[order],
        draw=_draw(seed, videos, video, start_ms),
        at=None if at is None else at[order],
        doubt=None if doubt is None else doubt[order],
    )


def _draw(seed: str, videos: list[str], video: Ints, start_ms: Ints) -> Floats:
    """Hash (seed, video) well once for each video, then mix in the start by SplitMix64 (Steele et al. 2014)."""
    digests = [hashlib.sha256(f"{seed}\x1f{name}".encode()).digest()[:8] for name in videos]
    key = np.array([int.from_bytes(digest) for digest in digests], dtype=np.uint64)[video]
    mixed = key + start_ms.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53)
