"""The lists of UCF-101: ``ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1``; the test lists have no number."""

import re
from collections.abc import Iterator

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import OddRow, RawRow, odd
from slac_tasks.model import Split

_LINE = re.compile(r"(?P<label>\w+)/(?P<video>v_\S+\.avi)(?P<number>\s+\d+)?", re.ASCII)


def fits(file: Opened) -> bool:
    """Return whether its first line is one of UCF-101."""
    return _LINE.fullmatch(file.first) is not None


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every video."""
    for number, text in file.lines:
        match = _LINE.fullmatch(text)
        if match is None:
            yield odd(f"line {number}", "columns", f"found {text[:60]!r}, want Class/v_Class_g01_c01.avi")
        else:
            split = Split.TRAINING if match["number"] else Split.TESTING
            yield RawRow(
                place=f"line {number}", video=match["video"], label=match["label"], timed=False, split=str(split)
            )
