"""The clips csv of HACS 1.1.1: ``Archery,a2X2hz1G6i8,training,15.5,17.5,1``; times in seconds."""

import csv
from pathlib import Path

from slac_tasks.release.exports.contents import Contents

COLUMNS = ("classname", "youtube_id", "subset", "start", "end", "label")


def write(release: Contents, path: Path) -> None:
    """Write every label, one line each."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in release.rows():
            name = release.names[row.category]
            writer.writerow([name, row.name, row.split, row.start_sec, row.end_sec, row.label])
