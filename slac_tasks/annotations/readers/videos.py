"""A csv that names videos with their splits and lengths, such as ``video_info_new.csv`` beside ActivityNet's json.

It labels nothing; read together with a json that lacks splits, it gives them to its videos.
"""

from collections.abc import Iterator

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import OddRow, RawRow, odd

_NEEDED = ("video", "subset")


def fits(file: Opened) -> bool:
    """Return whether it has a column of videos and one of splits."""
    return set(_NEEDED) <= file.columns


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every video."""
    for line in file.table(needed=_NEEDED, known=(*_NEEDED, "seconds")):
        place, cells = f"line {line.number}", line.cells
        if line.fault:
            yield odd(place, "columns", line.fault)
        else:
            yield RawRow(
                place=place, video=cells.get("video"), labelled=False, split=cells.get("subset", ""),
                duration=cells.get("seconds"),
            )  # fmt: skip
