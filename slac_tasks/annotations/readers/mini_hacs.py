"""The lists of mini-HACS: ``train/a2X2hz1G6i8_00015 31 184``; a clip's first second, its frames, the class's number.

The lists hold positive clips of HACS alone, so a clip is two seconds long whatever its rate of frames (HACS v3).
"""

import re
from collections.abc import Iterator

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import OddRow, RawRow, odd
from slac_tasks.model import CLIP_SEC

_LINE = re.compile(r"(?P<split>\w+)/(?P<video>[\w-]{11})_(?P<start>\d{5})\s+\d+\s+(?P<label>\d+)", re.ASCII)


def fits(file: Opened) -> bool:
    """Return whether its first line is one of mini-HACS."""
    return _LINE.fullmatch(file.first) is not None


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every line."""
    for number, text in file.lines:
        match = _LINE.fullmatch(text)
        if match is None:
            yield odd(f"line {number}", "columns", f"found {text[:60]!r}, want split/youtubeid_second frames label")
        else:
            start = int(match["start"])
            yield RawRow(
                place=f"line {number}", video=match["video"], label=match["label"], split=match["split"], start=start,
                end=start + CLIP_SEC,
            )  # fmt: skip
