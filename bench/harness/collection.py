"""Videos as `fetch` sees them, and the index of look-alikes that is asked for them, filler among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.harness.costs import now, resident_bytes
from bench.harness.filler import filler
from bench.harness.videos import proxy
from slac_tasks.admission.likeness import details
from slac_tasks.admission.likeness.fingerprints import Fingerprint, fingerprint, video_hashes
from slac_tasks.admission.likeness.lookalikes import Lookalikes, keys_of
from slac_tasks.admission.likeness.verdict import Strength, compared
from slac_tasks.admission.settings import Admission
from slac_tasks.collect.settings import Collect
from slac_tasks.progress import track
from slac_tasks.scratch import Scratch
from slac_tasks.video import originals

LIMITS = Collect()
CHUNK = 5_000
"""Fingerprints of filler that are indexed at a time."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One video as `fetch` sees it."""

    fingerprint: Fingerprint
    phashes: Sequence[imagehash.ImageHash]
    """Of one frame per second."""
    seconds: float
    fingerprint_ms: float


def seen(path: Path) -> Seen | None:
    """Return what `fetch` sees of a file; None when it sets it aside."""
    with Scratch() as folder:
        try:
            made = proxy(path, folder, LIMITS)
        except originals.Rejected:
            return None
        began = now()
        found = fingerprint(video_hashes(made.small, made.fps))
        took = (now() - began).own_sec
        frames = made.small[int(made.fps) // 2 :: int(made.fps)]
        return Seen(
            fingerprint=found, phashes=[imagehash.phash(Image.fromarray(frame)) for frame in frames],
            seconds=made.duration_sec, fingerprint_ms=1000 * took,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is found of one video."""

    same: Sequence[int]
    """Numbers of the videos that show the same."""
    related: Sequence[int]
    """Of those that may do."""
    ms: float
    """Processor time, filler's making left out."""


@dataclass(kw_only=True)
class Collection:
    """The index, and every fingerprint in it by number."""

    index: Lookalikes
    whole: Sequence[Fingerprint]
    """Of the videos; whatever comes after is filler."""
    pictures: NDArray[np.uint64]
    build_sec: float = 0.0
    index_gib: float = 0.0

    def fill(self, size: int) -> None:
        """Index the videos and as much filler as makes `size`; time and memory are the index's alone."""
        before = resident_bytes()
        self._add([keys_of(each.rows) for each in self.whole])
        numbers = range(len(self.whole), size)
        chunks = [numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)]
        for chunk in track(chunks, len(chunks), "index"):
            self._add([keys_of(filler(number, self.pictures)) for number in chunk])
        self.index_gib = (resident_bytes() - before) / 2**30

    def _add(self, blobs: list[bytes]) -> None:
        began = now()
        self.index.add(blobs)
        self.build_sec += (now() - began).own_sec

    def fingerprint(self, number: int) -> Fingerprint:
        """Return a fingerprint by its number."""
        if number < len(self.whole):
            return self.whole[number]
        return Fingerprint(rows=filler(number, self.pictures), details=details.NONE)

    def ask(self, asked: Fingerprint) -> Answer:
        """Return what is found of a video."""
        rules = Admission()
        began = now()
        likely = self.index.like(asked.rows)
        took = (now() - began).own_sec
        others = [self.fingerprint(number) for number in likely]
        began = now()
        found: dict[Strength, list[int]] = {Strength.SAME: [], Strength.RELATED: []}
        for number, other in zip(likely, others, strict=True):
            if likeness := compared(
                asked, other, max_distance=rules.max_hash_distance, min_shared=rules.min_shared_frames
            ):
                found[likeness.strength].append(number)
        took += (now() - began).own_sec
        return Answer(same=found[Strength.SAME], related=found[Strength.RELATED], ms=1000 * took)
