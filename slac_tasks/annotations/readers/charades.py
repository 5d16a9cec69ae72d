"""The csv of Charades: one video a line, with all of its actions; times in seconds.

    id,subject,...,actions,length       46GP8,HR43,...,"c092 11.90 21.20;c147 0.00 12.60",24.83

The part is in the file's name, `Charades_v1_train.csv` or `Charades_v1_test.csv`.
"""

from collections.abc import Iterator
from typing import Any

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.rows import OddRow, RawRow, odd

COLUMNS = ("id", "actions", "length")


def fits(file: Opened) -> bool:
    """Return whether its columns are those of Charades."""
    return set(COLUMNS) <= file.columns


def rows(file: Opened) -> Iterator[RawRow | OddRow]:
    """Yield every video, and after it its actions."""
    part = file.path.stem.rpartition("_")[2]
    split = part if part in ("train", "test") else None
    for line in file.table(needed=COLUMNS, known=COLUMNS):
        place = f"line {line.number}"
        if line.fault:
            yield odd(place, "columns", line.fault)
            continue
        known: dict[str, Any] = {"video": line.cells.get("id"), "split": split, "duration": line.cells.get("length")}
        yield RawRow(place=place, labelled=False, **known)
        actions = [each for each in str(line.cells.get("actions") or "").split(";") if each.strip()]
        for number, action in enumerate(actions, start=1):
            where, words = f"{place}, action {number}", action.split()
            if len(words) != 3:
                yield odd(where, "segments", f"is {action[:60]!r}, want a class and two times")
            else:
                yield RawRow(place=where, label=words[0], start=words[1], end=words[2], **known)
