"""What FiftyOne imports as `FiftyOneTemporalDetectionDataset`: two json files, and no media.

    data.json      each video's name and where its 256 rendition is: one file for all of its clips
    labels.json    by video, each clip as a temporal detection in seconds

FiftyOne turns seconds into frames of the file, and `dataset.to_clips("ground_truth")` shows each clip without a copy.
A clip that does not contain the action has the label `not: <action>`: a bare detection would be read as the action.
"""

import json
from pathlib import Path
from typing import Any

from slac_tasks.release.exports.contents import Contents

ABSENT = "not: "


def write(release: Contents, path: Path) -> None:
    """Write a folder."""
    labels: dict[str, list[dict[str, Any]]] = {}
    media: dict[str, str] = {}
    names = sorted(release.names.values())
    classes = {name: number for number, name in enumerate([*names, *(ABSENT + name for name in names)])}
    root = release.media_address.rstrip("/")
    for row in release.rows():
        name = ("" if row.label == 1 else ABSENT) + release.names[row.category]
        media[row.name] = f"{root}/{row.proxy_256}"
        labels.setdefault(row.name, []).append({
            "label": classes[name], "timestamps": [row.start_sec, row.end_sec], "confidence": row.confidence,
            "attributes": {"clip_id": row.clip_id, "split": row.split, "kind": row.kind},
        })  # fmt: skip
    path.mkdir()
    (path / "data.json").write_text(json.dumps(media, ensure_ascii=False, indent=0), encoding="utf-8")
    found = {"classes": list(classes), "labels": labels}
    with (path / "labels.json").open("w", encoding="utf-8") as file:
        json.dump(found, file, ensure_ascii=False)
