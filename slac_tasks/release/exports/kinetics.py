"""The csv of Kinetics: ``High jump,a2X2hz1G6i8,15.5,17.5,train,0``. Positive clips alone: Kinetics has no others.

`is_cc` is 1 where the source names a Creative Commons licence.
"""

import csv
import re
from pathlib import Path

from slac_tasks.release.exports.contents import SHORT_SPLITS, Contents

_CODE = re.compile(r"by(-nc)?(-nd|-sa)?")
COLUMNS = ("label", "youtube_id", "time_start", "time_end", "split", "is_cc")


def write(release: Contents, path: Path) -> None:
    """Write every positive label, one line each."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in release.rows():
            if row.label == 1:
                split, free = SHORT_SPLITS[row.split], int(is_free(row.licence))
                writer.writerow([release.names[row.category], row.name, row.start_sec, row.end_sec, split, free])


def is_free(licence: str | None) -> bool:
    """Return whether a licence is one of Creative Commons, as sources write them.

    Sites name it (`Creative Commons Attribution`, `CC BY 4.0`), code it (`creativeCommon`, `by-nc-sa`) or link to it.
    """
    words = (licence or "").strip().casefold()
    names_it = words.startswith(("cc", "creative common", "creativecommon")) or "creativecommons.org/" in words
    return names_it or _CODE.fullmatch(words) is not None
