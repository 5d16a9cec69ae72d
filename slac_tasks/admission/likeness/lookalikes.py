"""Which of half a million videos may show the same as a given one: an index of their key pictures (ours).

A video is indexed by a few of its picture hashes, its keys, and asked for by all of them: so an edited copy finds its
original and the reverse, whichever came first, however they were cut. What is found is a guess that
`slac_tasks.admission.likeness.alignment` confirms.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from slac_tasks.admission.likeness.fingerprints import VIEWS, Table, table, to_signed

_KEY_ROWS, _FEWEST_KEYS = 8, 4
"""One row in eight, four seconds, gives keys; of a short video so many rows that there are four."""
_TABLES, _TABLE_BITS = 3, 21
"""A hash is found where one of its thirds of 21 bits is equal ..."""
_MAX_DISTANCE = 12
"""... and at most this many of its 64 bits differ."""
_MOST_VIDEOS = 2000
"""A picture that more videos show, a test card or a title, says nothing."""
_MOST_CANDIDATES = 50
"""Most videos that one is compared with in full."""


def keys_of(fingerprint: Table) -> bytes:
    """Return the keys of a fingerprint, 8 bytes each."""
    step = min(max(len(fingerprint) // _FEWEST_KEYS, 1), _KEY_ROWS)
    chosen = fingerprint[step // 2 :: step, : len(VIEWS)].ravel()
    return bytes(chosen[chosen != 0].astype(">u8").tobytes())


def stored(hashes: Sequence[int]) -> dict[str, Any]:
    """Return a fingerprint and its keys as the ledger keeps them."""
    return {"frame_hashes": to_signed(hashes), "key_hashes": keys_of(table(hashes))}


class Lookalikes:
    """Videos by their keys. Each is known by its number, in order of addition."""

    def __init__(self) -> None:
        import faiss

        self._index = faiss.IndexBinaryMultiHash(64, _TABLES, _TABLE_BITS)
        self._ends = np.zeros(0, np.int64)
        """For each video, how many keys were indexed when it was."""

    def add(self, many: Iterable[bytes]) -> None:
        """Index videos by their `keys_of`."""
        blobs = list(many)
        ends = np.cumsum([len(blob) // 8 for blob in blobs], dtype=np.int64) + self._index.ntotal
        self._ends = np.concatenate([self._ends, ends])
        self._index.add(np.frombuffer(b"".join(blobs), np.uint8).reshape(-1, 8))

    def like(self, fingerprint: Table) -> list[int]:
        """Return the numbers of the videos that share pictures with a fingerprint, the likeliest first."""
        asked = np.unique(fingerprint[:, : len(VIEWS)])
        asked = asked[asked != 0].astype(">u8")
        if not len(asked) or not self._index.ntotal:
            return []
        limits, _, found = self._index.range_search(asked.view(np.uint8).reshape(-1, 8), _MAX_DISTANCE + 1)
        owners = np.searchsorted(self._ends, found, side="right")
        pictures = np.repeat(np.arange(len(asked)), np.diff(limits.astype(np.int64)))
        picture, video = np.divmod(np.unique(pictures * len(self._ends) + owners), len(self._ends))
        shown_by = np.bincount(picture, minlength=len(asked))[picture]
        telling = shown_by <= _MOST_VIDEOS
        videos, place = np.unique(video[telling], return_inverse=True)
        weights = np.bincount(place, 1 / shown_by[telling])
        likeliest = np.lexsort((videos, -weights))[:_MOST_CANDIDATES]
        return [int(number) for number in videos[likeliest]]
