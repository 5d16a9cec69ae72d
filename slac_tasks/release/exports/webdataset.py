"""WebDataset: shards of tar files, one sample for each video of a category: its clips as json, and its rendition.

    training-000000.tar     high_jump-a2X2hz1G6i8.json    the video, its licence and its clips with their labels
                            high_jump-a2X2hz1G6i8.mp4     the 256 rendition, where its licence is one that was named
                                                          and the video was not withdrawn since

A clip is a part of its video and is not cut out: no picture is encoded again, and no second is stored twice. Rows are
read once, and one video is in memory at a time.
"""

import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from slac_tasks.release.exports.contents import Contents
from slac_tasks.storage.datasets.releasing import ReleaseRow

_SHARD_BYTES = 2**29
"""A shard that is larger is followed by another one: half a GiB."""
_SHARD_SAMPLES = 50_000


class _Shards:
    """The shards of one split, one open at a time."""

    def __init__(self, folder: Path, split: str) -> None:
        self._folder, self._split = folder, split
        self._count = self._size = self._samples = 0
        self._tar: tarfile.TarFile | None = None

    def add(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Write the files of one sample, side by side in one shard."""
        if self._tar is None or self._size > _SHARD_BYTES or self._samples >= _SHARD_SAMPLES:
            self.close()
            self._tar = tarfile.open(self._folder / f"{self._split}-{self._count:06d}.tar", "w")
            self._count, self._size, self._samples = self._count + 1, 0, 0
        for name, data in files:
            # Nothing but names and bytes: the same release gives the same shards.
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            self._tar.addfile(entry, io.BytesIO(data))
            self._size += len(data)
        self._samples += 1

    def close(self) -> None:
        """Finish the open shard."""
        if self._tar is not None:
            self._tar.close()


def write(release: Contents, path: Path) -> None:
    """Write a folder of shards."""
    path.mkdir()
    shards: dict[str, _Shards] = {}
    try:
        for rows in _videos(release):
            split = rows[0].split
            shards.setdefault(split, _Shards(path, split)).add(list(_sample(release, rows)))
    finally:
        for each in shards.values():
            each.close()


def _videos(release: Contents) -> Iterator[list[ReleaseRow]]:
    for _, rows in groupby(release.rows(), key=lambda row: (row.category, row.video_id)):
        yield list(rows)


def _sample(release: Contents, rows: Sequence[ReleaseRow]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes) of each file of a video; a name has one point, since what stands before it is the key."""
    first = rows[0]
    key = f"{first.category}-{first.name}"
    about = {
        "video": first.name, "category": first.category, "name": release.names[first.category], "split": first.split,
        "duration_sec": first.duration_sec, "title": first.title, "licence": first.licence, "url": first.url,
        "clips": [
            {"start_sec": row.start_sec, "end_sec": row.end_sec, "label": row.label, "confidence": row.confidence,
             "kind": row.kind} for row in rows
        ],
    }  # fmt: skip
    yield f"{key}.json", json.dumps(about, ensure_ascii=False).encode()
    if first.licence in release.licences and (media := release.media(first)) is not None:
        yield f"{key}.mp4", media
