"""The dense labels in the json of ActivityNet 1.3, which is that of HACS Segments too: videos with their segments.

Videos of the release without a dense label are left out: nobody says that they show nothing.
"""

import json
from pathlib import Path

from slac_tasks.release.exports.contents import Contents


def write(release: Contents, path: Path) -> None:
    """Write the videos in the order of their names; a video in which people saw no action has no segment."""
    database: dict[str, dict[str, object]] = {}
    annotations: dict[str, list[dict[str, object]]] = {}
    for row in release.segments():
        about = {"duration": row.duration_sec, "subset": row.split, "url": row.url or ""}
        own = annotations.setdefault(row.name, [])
        database.setdefault(row.name, {**about, "annotations": own})
        if row.label == 1:
            own.append({"label": release.names[row.category], "segment": [row.start_sec, row.end_sec]})
    found = {"database": dict(sorted(database.items())), "taxonomy": [], "version": release.release}
    path.write_text(json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
