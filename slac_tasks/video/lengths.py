"""How many videos of a folder are too short for a clip, by the headers of some of them: said before the work begins."""

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
class Short:
    """What the headers of some files say."""

    files: int
    """In all."""
    looked_at: int
    """Of these, whose length is known."""
    short: int
    """Of those, shorter than a clip."""

    def __str__(self) -> str:
        return f"{self.short} of {self.looked_at} videos looked at, of {self.files}"


def too_short(paths: Sequence[Path], min_duration_sec: float) -> Short:
    """Return how many files `fetch` will set aside as too short, by the headers of at most SAMPLE of them."""
    some = paths[:: max(1, -(-len(paths) // SAMPLE))]
    known = [sec for sec in declared(some) if sec is not None]
    least_sec = min_duration_sec - MISSING_FRAMES / min(RATES)
    return Short(files=len(paths), looked_at=len(known), short=sum(sec < least_sec for sec in known))


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
