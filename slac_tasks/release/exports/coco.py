"""COCO-style json: `videos`, `categories` and `annotations`, whose `segment` is in seconds.

COCO has no word for "does not contain": an annotation with `"positive": -1` says so. Annotations are written one by
one, each on its line, so memory grows with the videos and not with the labels.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from slac_tasks.release.exports.contents import SHORT_SPLITS, Contents


def write(release: Contents, path: Path) -> None:
    """Write videos and categories in the order of their names, and annotations in the order of the release."""
    categories = {category: number for number, category in enumerate(sorted(release.names), start=1)}
    videos = {row.name: row for row in release.rows()}
    numbers = {name: number for number, name in enumerate(sorted(videos), start=1)}
    with path.open("w", encoding="utf-8") as file:
        file.write('{"info": ' + json.dumps({"version": release.release}))
        _list(file, "categories", ({"id": number, "name": release.names[key]} for key, number in categories.items()))
        _list(file, "videos", (
            {"id": number, "file_name": name, "duration": videos[name].duration_sec,
             "split": SHORT_SPLITS[videos[name].split], "url": videos[name].url, "license": videos[name].licence}
            for name, number in numbers.items()
        ))  # fmt: skip
        _list(file, "annotations", (
            {"id": number, "video_id": numbers[row.name], "category_id": categories[row.category],
             "segment": [row.start_sec, row.end_sec], "positive": row.label, "score": row.confidence, "kind": row.kind}
            for number, row in enumerate(release.rows(), start=1)
        ))  # fmt: skip
        file.write("}\n")


def _list(file: TextIO, name: str, entries: Iterable[dict[str, Any]]) -> None:
    file.write(f',\n"{name}": [')
    for number, entry in enumerate(entries):
        file.write((",\n" if number else "\n") + json.dumps(entry, ensure_ascii=False))
    file.write("\n]")
