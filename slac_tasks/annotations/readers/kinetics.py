"""The csv of Kinetics: ``abseiling,0wR5jVB-WPk,417,427,val,0``; times in seconds.

The list of the test part has no column `label`.
"""

from collections.abc import Iterator

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import OddRow, RawRow, odd

NEEDED = ("youtube_id", "time_start", "time_end")


def fits(file: Opened) -> bool:
    """Return whether its columns are those of Kinetics."""
    return set(NEEDED) <= file.columns


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every line."""
    labelled, has_split = "label" in file.columns, "split" in file.columns
    for line in file.table(needed=NEEDED, known=("label", *NEEDED, "split")):
        place, cells = f"line {line.number}", line.cells
        if line.fault:
            yield odd(place, "columns", line.fault)
        else:
            yield RawRow(
                place=place, video=cells.get("youtube_id"), label=cells.get("label"), labelled=labelled,
                start=cells.get("time_start"), end=cells.get("time_end"),
                split=cells.get("split", "") if has_split else None,
            )  # fmt: skip
