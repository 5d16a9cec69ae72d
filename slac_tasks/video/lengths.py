"""How many videos of a folder are too short or too long, by the headers of some: said before the work begins."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slac_tasks.model import MISSING_FRAMES
from slac_tasks.video import confined, probing
from slac_tasks.video.originals import RATES

SAMPLE = 200
"""Files that are looked at, evenly spread: two seconds, whatever the folder's size."""
_BOUNDS = confined.Bounds(wall_sec=30, cpu_sec=20, memory_bytes=4 << 30, file_bytes=1 << 20, output_bytes=1 << 16)


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """What the headers of some files say."""

    files: int
    """In all."""
    looked_at: int
    """Of these, whose length is known."""
    short: int
    """Of those, shorter than the least."""
    long: int
    """Of those, longer than the most."""

    def share(self, count: int) -> str:
        """Return a count of them as people read it."""
        return f"{count} of {self.looked_at} videos looked at (of {self.files})"


def outside(paths: Sequence[Path], least_sec: float, most_sec: float) -> Lengths:
    """Return how many files `fetch` will set aside for their length, by the headers of at most SAMPLE of them."""
    some = paths[:: max(1, -(-len(paths) // SAMPLE))]
    known = [sec for sec in declared(some) if sec is not None]
    shortest_sec = least_sec - MISSING_FRAMES / min(RATES)
    return Lengths(
        files=len(paths), looked_at=len(known), short=sum(sec < shortest_sec for sec in known),
        long=sum(sec > most_sec for sec in known),
    )  # fmt: skip


def declared(paths: Sequence[Path]) -> list[float | None]:
    """Return the seconds that the header of each file declares; None where it does not say, or cannot be read.

    A process of its own looks at them, confined. A file that ends it says nothing, and is found by halving.
    """
    ended = confined.run(
        [sys.executable, "-I", probing.__file__, "--lengths", *(str(path.absolute()) for path in paths)],
        _BOUNDS,
        reads=[Path(probing.__file__), *paths],
    )
    if ended.code == 0 and ended.over is None:
        found: list[float | None] = json.loads(ended.output)
        return found
    if len(paths) == 1:
        return [None]
    middle = len(paths) // 2
    return declared(paths[:middle]) + declared(paths[middle:])
