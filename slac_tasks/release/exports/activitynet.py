"""The json of ActivityNet 1.3: every video, with its positive clips as segments in seconds."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from slac_tasks.release.exports.contents import Contents


@dataclass(kw_only=True)
class _Video:
    """One entry of the database, as ActivityNet names its fields."""

    duration: float
    subset: str
    annotations: list[dict[str, object]] = field(default_factory=list)
    url: str = ""


def write(release: Contents, path: Path) -> None:
    """Write the videos in the order of their names."""
    database: dict[str, _Video] = {}
    for row in release.rows():
        entry = _Video(duration=row.duration_sec, subset=row.split)
        video = database.setdefault(row.name, entry)
        if row.label == 1:
            segment = [row.start_sec, row.end_sec]
            video.annotations.append({"label": release.names[row.category], "segment": segment})
    found = {
        "database": {name: vars(video) for name, video in sorted(database.items())},
        "taxonomy": [],
        "version": release.release,
    }
    # Written as it is encoded: the whole text at once took more memory than all else of a release.
    with path.open("w", encoding="utf-8") as file:
        json.dump(found, file, ensure_ascii=False, indent=1, sort_keys=True)
        file.write("\n")
