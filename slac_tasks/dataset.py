"""A release as a PyTorch dataset.

    from slac_tasks.dataset import Clips
    clips = Clips("s3://bucket/slac", "r0001", split="training")
    batches = torch.utils.data.DataLoader(clips, batch_size=32, shuffle=True, num_workers=8)

One item is one clip with all of its labels. Its ids travel with its tensors, so whatever is computed of an item can be
joined with the release again. To be imported it needs torch alone; to read rows pyarrow, to decode PyAV and OpenCV.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import torch
from torch.utils.data import Dataset

if TYPE_CHECKING:
    import pyarrow as pa

    from slac_tasks.storage.objects import Store

_COLUMNS = ("clip_id", "video_id", "source_id", "split", "start_sec", "category", "label", "proxy_128", "proxy_256")
_SMALL_PROXY = 128
"""Clips of at most this many pixels are read from the small rendition."""


class Clip(TypedDict):
    """One item; a `DataLoader` stacks the tensors and lists the texts."""

    clip_id: str
    """video_id:start_ms"""
    video_id: str
    start_sec: float
    pixels: torch.Tensor
    """RGB, uint8, shape (3, frames, size, size)."""
    targets: torch.Tensor
    """int8, shape (categories,): +1 contains the action, -1 does not, 0 nobody knows: leave it out of the loss."""
    mask: torch.Tensor
    """bool, shape (categories,): where the target is known."""


class _Place(NamedTuple):
    clip_id: str
    video_id: str
    start_sec: float
    proxy: str


class Clips(Dataset[Clip]):
    """The clips of one split of a release, in the order of their videos.

    Videos that were withdrawn since the release are left out; `withdrawn` counts them.
    """

    def __init__(
        self,
        where: str | os.PathLike[str],
        release: str = "",
        *,
        split: str = "training",
        frames: int = 8,
        size: int = 112,
        media: str | os.PathLike[str] = "",
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """Read the rows of a release.

        Args:
            where: the store, a folder or s3://bucket/prefix; or a Parquet file with the columns of a release.
            release: key of the release in the store, e.g. r0001; a Parquet file needs none.
            split: training, validation or testing.
            frames: frames of one clip, at the middles of equal parts of it.
            size: height and width in pixels; the middle of the long side is kept.
            media: the store with the renditions, for a Parquet file; default: the store itself.
            environ: holds the credentials of an S3 store.

        Raises:
            NotMade: the release does not exist, or is not finished.
            BrokenContract: it has no clips in this split.

        """
        from slac_tasks.admission.withdrawals import Withdrawals
        from slac_tasks.errors import BrokenContract
        from slac_tasks.storage.objects import Media, open_store

        self.release, self.split, self.frames, self.size = release or Path(where).stem, split, frames, size
        store = open_store(str(media or where), environ)
        tables = _of_file(Path(where)) if media else _of_store(store, release)
        self._media = Media(str(media or where), dict(environ))
        withdrawals, gone = Withdrawals.read(store), set[str]()
        answers: dict[_Place, dict[str, int]] = {}
        categories: set[str] = set()
        for row in _rows(tables):
            # Of every split: the targets of all splits have one meaning.
            categories.add(row["category"])
            if row["split"] != split:
                continue
            if withdrawals.covers_any(row["video_id"], row["source_id"]):
                gone.add(row["video_id"])
                continue
            proxy = row["proxy_128"] if size <= _SMALL_PROXY else row["proxy_256"]
            place = _Place(row["clip_id"], row["video_id"], row["start_sec"], proxy)
            answers.setdefault(place, {})[row["category"]] = row["label"]
        if not answers:
            raise BrokenContract(f"release {self.release}: no clips in split {split}, {len(gone)} videos withdrawn")
        self.withdrawn = len(gone)
        self.categories = tuple(sorted(categories))
        """Categories in the order of the targets."""
        self._places = sorted(answers, key=lambda place: (place.video_id, place.start_sec))
        self._targets = [answers[place] for place in self._places]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Clip:
        """Decode one clip.

        Raises:
            BrokenContract: its rendition is missing or cannot be decoded.

        """
        from slac_tasks.video.frames import read_clips

        place, answers = self._places[index], self._targets[index]
        with self._media(place.proxy) as path:
            (pixels,) = read_clips(path, [place.start_sec], frames=self.frames, size=self.size)
        targets = torch.tensor([answers.get(one, 0) for one in self.categories], dtype=torch.int8)
        return Clip(
            clip_id=place.clip_id,
            video_id=place.video_id,
            start_sec=place.start_sec,
            pixels=torch.from_numpy(pixels).permute(3, 0, 1, 2).contiguous(),
            targets=targets,
            mask=targets != 0,
        )


def _of_store(store: "Store", release: str) -> "Iterator[pa.Table]":
    from slac_tasks.release.finished import need_release
    from slac_tasks.storage.tables import Datasets

    datasets = Datasets(store)
    _, rows = need_release(datasets, release)
    return datasets.tables(rows, _COLUMNS)


def _of_file(path: Path) -> "Iterator[pa.Table]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=list(_COLUMNS)):
            yield pa.Table.from_batches([batch])


class _Row(TypedDict):
    clip_id: str
    video_id: str
    source_id: str
    split: str
    start_sec: float
    category: str
    label: int
    proxy_128: str
    proxy_256: str


def _rows(tables: "Iterator[pa.Table]") -> Iterator[_Row]:
    for table in tables:
        yield from table.to_pylist()
