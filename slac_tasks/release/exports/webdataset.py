"""WebDataset: shards of tar files, one sample for each video of a category: its clips as json, and its rendition.

    training-000000.tar     high_jump-a2X2hz1G6i8.json    the video, its licence and its clips with their labels
                            high_jump-a2X2hz1G6i8.mp4     the 256 rendition, where its licence is one that was named
                                                          and the video was not withdrawn since

A clip is a part of its video and is not cut out: no picture is encoded again, and no second is stored twice. Rows are
read once; in memory are one video at a time, and the names of the files that an earlier run has written.

With media it takes hours, so it goes on where it was cut off: a shard gets its name when it is finished. Media of
videos that were withdrawn meanwhile leave the shards that are there.
"""

import io
import json
import os
import tarfile
from collections.abc import Iterator, Sequence, Set
from contextlib import ExitStack, closing
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
        self._count = len(list(folder.glob(f"{split}-*.tar")))
        self._size = self._samples = 0
        self._tar: tarfile.TarFile | None = None

    def add(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Write the files of one sample, side by side in one shard."""
        if self._tar is None or self._size > _SHARD_BYTES or self._samples >= _SHARD_SAMPLES:
            self.finish()
            self._tar = tarfile.open(_unfinished(self._shard), "w")
            self._size = self._samples = 0
        for name, data in files:
            # Nothing but names and bytes: the same release gives the same shards.
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            self._tar.addfile(entry, io.BytesIO(data))
            self._size += len(data)
        self._samples += 1

    @property
    def _shard(self) -> Path:
        return self._folder / f"{self._split}-{self._count:06d}.tar"

    def finish(self) -> None:
        """Give the open shard its name."""
        if self._tar is not None:
            self._tar.close()
            _name(self._shard)
            self._tar, self._count = None, self._count + 1

    def close(self) -> None:
        """Leave the open shard: it is written again."""
        if self._tar is not None:
            self._tar.close()


def write(release: Contents, path: Path) -> None:
    """Write a folder of shards, or what one lacks that was cut off."""
    path.mkdir(exist_ok=True)
    there = dict(_there(path))
    gone: set[str] = set()
    with ExitStack() as opened:
        shards: dict[str, _Shards] = {}
        for rows in _videos(release):
            key, split = _key(rows[0]), rows[0].split
            if f"{key}.json" in there:
                if release.is_withdrawn(rows[0]):
                    gone.add(f"{key}.mp4")
                continue
            if split not in shards:
                shards[split] = opened.enter_context(closing(_Shards(path, split)))
            shards[split].add(list(_sample(release, rows)))
        for each in shards.values():
            each.finish()
    for shard in sorted({there[name] for name in gone & there.keys()}):
        _leave_out(shard, gone)


def _there(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield (name, shard) of each file of the finished shards; what is unfinished is deleted."""
    for rest in folder.glob("*.unfinished"):
        rest.unlink()
    for shard in folder.glob("*.tar"):
        with tarfile.open(shard) as tar:
            yield from ((entry.name, shard) for entry in tar)


def _leave_out(shard: Path, names: Set[str]) -> None:
    """Write a shard again without these files."""
    with tarfile.open(shard) as before, tarfile.open(_unfinished(shard), "w") as tar:
        for entry in before:
            if entry.name not in names:
                tar.addfile(entry, before.extractfile(entry))
    _name(shard)


def _unfinished(shard: Path) -> Path:
    return shard.with_name(f"{shard.name}.unfinished")


def _name(shard: Path) -> None:
    """Give a shard that is finished its name, once it is on the disk."""
    with _unfinished(shard).open("rb") as file:
        os.fsync(file.fileno())
    _unfinished(shard).replace(shard)


def _videos(release: Contents) -> Iterator[list[ReleaseRow]]:
    for _, rows in groupby(release.rows(), key=lambda row: (row.category, row.video_id)):
        yield list(rows)


def _key(row: ReleaseRow) -> str:
    """Return what the names of a video's files begin with."""
    return f"{row.category}-{row.name}"


def _sample(release: Contents, rows: Sequence[ReleaseRow]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes) of each file of a video; a name has one point, since what stands before it is the key."""
    first = rows[0]
    key = _key(first)
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
