"""The clips of one split of a release as one file, which any number of processes map into their memory.

A worker or a rank is given the path of the file and no rows, so it starts as fast for 1.75 million labels as for ten.
"""

import mmap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from weakref import finalize

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from numpy.typing import NDArray
from torch import Tensor

from slac_tasks.errors import FullDiskAt
from slac_tasks.scratch import Scratch

COLUMNS = ("clip_id", "video_id", "source_id", "split", "start_sec", "category", "label", "proxy_128", "proxy_256")
"""Columns of a release that are read."""

_OF_CLIP = ("clip_id", "video_id", "start_sec", "proxy")


class Place(NamedTuple):
    """One clip: its ids, and where its pixels are."""

    clip_id: str
    video_id: str
    start_sec: float
    proxy: str


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Every label of an index, one entry each, in the order of the clips."""

    clip: NDArray[np.int64]
    """Row of the clip."""
    category: NDArray[np.int32]
    """Number of the category."""
    sign: NDArray[np.int8]
    """+1 or -1."""

    @property
    def cell(self) -> NDArray[np.int64]:
        """Number of each label's category and sign together."""
        return self.category.astype(np.int64) * 2 + (self.sign > 0)


class Index:
    """Clips with all of their labels, in the order of their videos and times. It is sent to processes as a path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Opened here, since the library opens no name that is not UTF-8.
        with path.open("rb") as source:
            held = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
        with pa.ipc.open_file(pa.py_buffer(held)) as file:
            self._rows = file.read_all()
        known = self._rows.schema.metadata
        self.categories = tuple(known[b"categories"].decode().split("\n")) if known[b"categories"] else ()
        """Categories in the order of the targets."""
        self.withdrawn_videos = tuple(known[b"withdrawn_videos"].decode().split())
        """Ids of these videos."""

    def __reduce__(self) -> "tuple[type[Index], tuple[Path]]":
        return Index, (self.path,)

    def __len__(self) -> int:
        return int(self._rows.num_rows)

    def place(self, row: int) -> Place:
        """Return where a clip is."""
        return Place(*(self._rows[name][row].as_py() for name in _OF_CLIP))

    def places(self, rows: Iterable[int]) -> list[Place]:
        """Return where clips are."""
        return [self.place(int(row)) for row in rows]

    def targets(self, rows: Sequence[int] | NDArray[np.int64]) -> Tensor:
        """Return int8 (clips, categories): +1 contains the action, -1 does not, 0 nobody knows."""
        found = np.zeros((len(rows), len(self.categories)), np.int8)
        for at, row in enumerate(rows):
            own = slice(self._ends[row], self._ends[row + 1])
            found[at, self._category[own]] = self._sign[own]
        return torch.from_numpy(found)

    @cached_property
    def labels(self) -> Labels:
        """Every label."""
        clip = np.repeat(np.arange(len(self)), np.diff(self._ends))
        return Labels(clip=clip, category=self._category, sign=self._sign)

    @cached_property
    def videos(self) -> NDArray[np.int32]:
        """Number of each clip's video; clips of one video stand together."""
        if not len(self):
            return np.zeros(0, np.int32)
        column = _whole(self._rows["video_id"])
        new = pc.not_equal(column.slice(1), column.slice(0, len(column) - 1)).to_numpy(zero_copy_only=False)
        return np.concatenate([np.zeros(1, np.int32), np.cumsum(new, dtype=np.int32)])

    # Views of the mapped file: no copy is made, however many labels there are.

    @cached_property
    def _ends(self) -> NDArray[np.int32]:
        offsets: NDArray[np.int32] = _whole(self._rows["labels"]).offsets.to_numpy()
        return offsets

    @cached_property
    def _category(self) -> NDArray[np.int32]:
        found: NDArray[np.int32] = _whole(self._rows["categories"]).values.to_numpy()
        return found

    @cached_property
    def _sign(self) -> NDArray[np.int8]:
        found: NDArray[np.int8] = _whole(self._rows["labels"]).values.to_numpy()
        return found


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array; it has one piece, or none where there are no rows."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def temporary_index(
    tables: Iterable[pa.Table], *, split: str, small: bool, withdrawn: Callable[[str, str], bool]
) -> Index:
    """Write an index into a temporary file, which is deleted when the index that is returned is no longer used.

    Args:
        tables: the rows of a release, with `COLUMNS`, in any order.
        split: training, validation or testing. The categories are those of every split, so that targets of all splits
            have one meaning.
        small: whether clips are read from the small rendition.
        withdrawn: whether a video (video_id, source_id) may no longer be used.

    """
    folder = Scratch()
    path = folder.path / "index.arrow"
    write_index(tables, path, split=split, small=small, withdrawn=withdrawn)
    index = Index(path)
    finalize(index, folder.close)
    return index


def write_index(
    tables: Iterable[pa.Table], path: Path, *, split: str, small: bool, withdrawn: Callable[[str, str], bool]
) -> None:
    """Write an index; the arguments are those of `temporary_index`."""
    categories: set[str] = set()
    gone: set[str] = set()
    held: list[pa.Table] = []
    for table in tables:
        categories.update(pc.unique(table["category"]).to_pylist())
        own = table.filter(pc.equal(table["split"], split))
        pairs = own.group_by(["video_id", "source_id"]).aggregate([])
        covered = {
            video_id
            for video_id, source_id in zip(pairs["video_id"].to_pylist(), pairs["source_id"].to_pylist(), strict=True)
            if withdrawn(video_id, source_id)
        }
        if covered:
            gone |= covered
            own = own.filter(pc.invert(pc.is_in(own["video_id"], pa.array(sorted(covered)))))
        own = own.rename_columns({"proxy_128" if small else "proxy_256": "proxy"})
        held.append(own.select([*_OF_CLIP, "category", "label"]))
    ordered = sorted(categories)
    rows = _clips(held, pa.array(ordered, pa.string()))
    rows = rows.replace_schema_metadata({"categories": "\n".join(ordered), "withdrawn_videos": " ".join(sorted(gone))})
    with FullDiskAt(path), path.open("wb") as sink, pa.ipc.new_file(sink, rows.schema) as file:
        # One batch, so that a row is found without a search.
        file.write_table(rows, max_chunksize=max(1, rows.num_rows))


def _clips(held: list[pa.Table], categories: pa.Array) -> pa.Table:
    """Return one row for each clip, with its labels as lists."""
    parts = [
        part.set_column(
            part.schema.get_field_index("category"), "category",
            pc.index_in(part["category"], categories).cast(pa.int32()),
        ).cast(_LABELS)
        for part in held
    ]  # fmt: skip
    labels = pa.concat_tables(parts) if parts else _LABELS.empty_table()
    parts.clear()
    held.clear()
    keys = [(name, "ascending") for name in ("video_id", "start_sec", "clip_id", "category")]
    labels = labels.take(pc.sort_indices(labels, sort_keys=keys)).combine_chunks()
    names = labels["clip_id"].combine_chunks()
    new = pc.not_equal(names.slice(1), names.slice(0, max(0, len(names) - 1))).to_numpy(zero_copy_only=False)
    begins = np.concatenate([np.zeros(min(1, len(names)), np.int64), np.flatnonzero(new) + 1])
    offsets = pa.array(np.append(begins, len(names)).astype(np.int32))
    clips = labels.select(list(_OF_CLIP)).take(pa.array(begins)).combine_chunks()
    for name, of in (("categories", "category"), ("labels", "label")):
        clips = clips.append_column(name, pa.ListArray.from_arrays(offsets, labels[of].combine_chunks()))
    return clips


_LABELS = pa.schema(
    [
        ("clip_id", pa.large_string()), ("video_id", pa.large_string()), ("start_sec", pa.float64()),
        ("proxy", pa.large_string()), ("category", pa.int32()), ("label", pa.int8()),
    ]
)  # fmt: skip
"""Large: 1.75 million names of renditions have more bytes than offsets of 32 bits can say, many times over."""
