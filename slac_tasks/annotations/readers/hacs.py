"""The clips csv of HACS 1.1.1: ``Archery,a2X2hz1G6i8,training,15.5,17.5,1``; times in seconds, label 1 or -1."""

from collections.abc import Iterator

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import OddRow, RawRow, odd

COLUMNS = ("classname", "youtube_id", "subset", "start", "end", "label")


def fits(file: Opened) -> bool:
    """Return whether its columns are those of HACS."""
    return {"classname", "youtube_id"} <= file.columns


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every line."""
    for line in file.table(needed=COLUMNS, known=COLUMNS):
        place, cells = f"line {line.number}", line.cells
        if line.fault:
            yield odd(place, "columns", line.fault)
        else:
            yield RawRow(
                place=place, video=cells.get("youtube_id"), label=cells.get("classname"),
                split=cells.get("subset", ""), start=cells.get("start"), end=cells.get("end"),
                verdict=cells.get("label"),
            )  # fmt: skip
