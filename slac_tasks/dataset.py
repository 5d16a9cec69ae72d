"""A release as a PyTorch dataset, by map or by iteration.

    from slac_tasks.dataset import Batches, Clips
    clips = Clips("s3://bucket/slac", "r0001", split="training")
    for batch in Batches(clips, batch_size=32, workers=8):      # one epoch; the next loop is the next one
        logits = network(batch["pixels"].float() / 255)
    loader = torch.utils.data.DataLoader(clips, batch_size=32)  # or by map

One item is one clip with all of its labels. Its ids travel with its tensors, so whatever is computed of an item can be
joined with the release again. To be imported it needs torch alone; to read rows pyarrow, to decode PyAV and OpenCV.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict
from weakref import finalize

import torch
from torch import distributed
from torch.utils.data import Dataset

from slac_tasks.progress import counted
from slac_tasks.scratch import Scratch

if TYPE_CHECKING:
    import pyarrow as pa

    from slac_tasks.storage.store import Store
    from slac_tasks.training.index import Index
    from slac_tasks.training.loader import Batch
    from slac_tasks.training.order import Order, Rows


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


class ClipBatch(TypedDict):
    """Items of one batch; every list and tensor has them in the same order."""

    clip_id: list[str]
    video_id: list[str]
    start_sec: torch.Tensor
    """float64, shape (n,)."""
    pixels: torch.Tensor
    """RGB, uint8, shape (n, 3, frames, size, size), channels last in memory."""
    targets: torch.Tensor
    """int8, shape (n, categories)."""
    mask: torch.Tensor
    """bool, shape (n, categories); nowhere for a clip that is lost."""
    lost: dict[str, str]
    """Clips that cannot be decoded, by clip_id, with the reason; their pixels are those of another clip."""


class Clips(Dataset[Clip]):
    """The clips of one split of a release, in the order of their videos.

    Videos that were withdrawn since the release are left out; `withdrawn` counts them. The rows lie in one file that
    processes map into their memory: a copy of this object in a worker holds the path of it, and no rows.
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
        cache: str | os.PathLike[str] = "",
        cache_gib: float = 20.0,
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
            cache: folder for copies of renditions that lie in an S3; default: one that is deleted with this object. A
                folder of yours stays, so delete it when a video is taken down.
            cache_gib: most GiB in it. Renditions in a folder are read where they are.
            environ: holds the credentials of an S3 store.

        Raises:
            NotMade: the release does not exist, or is not finished.
            BrokenContract: it has no clips in this split, or the Parquet file is none of a release.

        """
        from slac_tasks.admission.withdrawals import Withdrawals
        from slac_tasks.errors import BrokenContract
        from slac_tasks.model import View
        from slac_tasks.storage.cache import CachedMedia
        from slac_tasks.storage.objects import Media, open_store
        from slac_tasks.training.index import temporary_index

        self.release, self.split, self.frames, self.size = release or Path(where).stem, split, frames, size
        url = str(media or where)
        store = open_store(url, environ)
        tables = _of_file(Path(where)) if media else _of_store(store, release)
        withdrawals = Withdrawals.read(store)
        self.index: Index = temporary_index(
            tables, split=split, small=View(frames, size).small, withdrawn=withdrawals.covers_any
        )
        self.withdrawn = len(self.index.withdrawn_videos)
        if not len(self.index):
            raise BrokenContract(
                f"release {self.release}: no clips in split {split}, {counted(self.withdrawn, 'video')} withdrawn"
            )
        self.categories = self.index.categories
        """Categories in the order of the targets."""
        folder = Path(cache or self._own_folder()) / hashlib.sha256(url.encode()).hexdigest()[:16]
        self.media: CachedMedia = CachedMedia(Media(url, dict(environ)), folder, int(cache_gib * 2**30))

    def _own_folder(self) -> Path:
        made = Scratch()
        # The folder lives as long as this object in this process; copies in workers only name it.
        finalize(self, made.close)
        return made.path

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, row: int) -> Clip:
        """Decode one clip.

        Raises:
            BrokenContract: its rendition is missing or cannot be decoded.

        """
        from slac_tasks.video.frames import read_clips

        row = range(len(self))[row]
        place = self.index.place(row)
        with self.media(place.proxy) as path:
            (pixels,) = read_clips(path, [place.start_sec], frames=self.frames, size=self.size)
        (targets,) = self.index.targets([row])
        return Clip(
            clip_id=place.clip_id,
            video_id=place.video_id,
            start_sec=place.start_sec,
            pixels=torch.from_numpy(pixels).permute(3, 0, 1, 2).contiguous(),
            targets=targets,
            mask=targets != 0,
        )


class Batches:
    """The batches of one rank, epoch after epoch, decoded by processes of its own at most a buffer ahead.

    Order and batches are a function of the seed and the number of the epoch alone, so any number of workers gives the
    same ones. A loop over this object is one epoch. One that was left in its middle, here or in another process through
    `state_dict`, goes on with the batch that comes next.
    """

    def __init__(
        self,
        clips: Clips,
        *,
        batch_size: int,
        seed: int = 0,
        workers: int = 0,
        buffer: int = 4,
        balance: float = 0.0,
        rank: int | None = None,
        world: int | None = None,
    ) -> None:
        """Prepare; the processes start with the first batch.

        Args:
            clips: what is read.
            batch_size: clips of one batch of one rank. The last batch of an epoch is smaller; with several ranks it is
                left out, so that all have equally many.
            seed: of the order.
            workers: processes that decode; 0: this one.
            buffer: batches that are decoded ahead.
            balance: 0: each clip once an epoch; 1: each category's positive and negative labels about equally often;
                between them, powers of their share.
            rank: which of the ranks this is; None: that of `torch.distributed`, or the only one.
            world: how many ranks share an epoch; None as for `rank`.

        Raises:
            ValueError: a number is out of its range.

        """
        joined = distributed.is_available() and distributed.is_initialized()
        self.rank = rank if rank is not None else distributed.get_rank() if joined else 0
        self._world = world if world is not None else distributed.get_world_size() if joined else 1
        if batch_size < 1 or not 0 <= self.rank < self._world:
            raise ValueError(f"batch_size {batch_size}, rank {self.rank} of {self._world}: want 1 or more, 0 or more")
        self._clips, self._size, self._workers, self._buffer = clips, batch_size, workers, buffer
        self._seed, self._balance = seed, balance
        self._epoch = self._next = 0
        self._order = self._ordered()

    def __len__(self) -> int:
        """Return how many batches an epoch has."""
        whole, rest = divmod(len(self._clips), self._size * self._world)
        return whole + (1 if rest and self._world == 1 else 0)

    def __iter__(self) -> Iterator[ClipBatch]:
        """Yield the batches of the epoch that are left.

        Raises:
            Temporary: the renditions are out of reach, or a decoding process was killed.

        """
        from slac_tasks.model import View
        from slac_tasks.training.loader import load
        from slac_tasks.video.pool import Pool

        clips = self._clips
        view = View(clips.frames, clips.size)
        with Pool(clips.media, [view], batch=self._size, buffer=self._buffer, workers=self._workers) as pool:
            for batch in load(clips.index, pool, self._rows()):
                self._next += 1
                yield _batch(batch)
        self._epoch, self._next = self._epoch + 1, 0

    def state_dict(self) -> dict[str, Any]:
        """Return the place in the order: what follows the batch that was given last."""
        return {**self._made_of(), "epoch": self._epoch, "batch": self._next}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another loader stopped.

        Raises:
            BrokenContract: it read other clips, or in another order.

        """
        from slac_tasks.errors import BrokenContract

        own = self._made_of()
        differing = [
            f"{name} {state.get(name)}, want {value}" for name, value in own.items() if state.get(name) != value
        ]
        if differing:
            raise BrokenContract(f"state of a loader: of other batches: {'; '.join(differing)}")
        self._epoch, self._next = int(state["epoch"]), int(state["batch"])

    def _made_of(self) -> dict[str, Any]:
        return {
            "release": self._clips.release, "split": self._clips.split, "clips": len(self._clips),
            "withdrawn": self._clips.withdrawn, "seed": self._seed, "balance": self._balance,
            "batch_size": self._size, "world": self._world,
        }  # fmt: skip

    def _ordered(self) -> "Order":
        from slac_tasks.training.order import Order, balancing

        index, weights = self._clips.index, None
        if self._balance:
            labels = index.labels
            weights = balancing(labels.clip, labels.cell, clips=len(index), power=self._balance)
        return Order(videos=index.videos, seed=self._seed, weights=weights)

    def _rows(self) -> "Iterator[Rows]":
        order = self._order.epoch(self._epoch)
        for number in range(self._next, len(self)):
            begin = (number * self._world + self.rank) * self._size
            yield order[begin : begin + self._size]


def _batch(batch: "Batch") -> ClipBatch:
    return ClipBatch(
        clip_id=[place.clip_id for place in batch.places],
        video_id=[place.video_id for place in batch.places],
        start_sec=torch.tensor([place.start_sec for place in batch.places], dtype=torch.float64),
        # Copied: the next batch is decoded into the same memory.
        pixels=batch.pixels.clone().permute(0, 4, 1, 2, 3),
        targets=batch.targets,
        mask=batch.targets != 0,
        lost={batch.places[at].clip_id: lost.detail for at, lost in batch.lost.items()},
    )


def _of_store(store: "Store", release: str) -> "Iterator[pa.Table]":
    from slac_tasks.release.finished import need_release
    from slac_tasks.storage.tables import Datasets
    from slac_tasks.training.index import COLUMNS

    datasets = Datasets(store)
    _, rows = need_release(datasets, release)
    return datasets.tables(rows, COLUMNS)


def _of_file(path: Path) -> "Iterator[pa.Table]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    from slac_tasks.errors import BrokenContract
    from slac_tasks.storage.datasets import RELEASES
    from slac_tasks.training.index import COLUMNS

    # Whoever wrote it may have chosen other types: pandas makes categories and wide numbers.
    schema = pa.schema([RELEASES.schema.field(name) for name in COLUMNS])
    try:
        # Opened here, since the library opens no name that is not UTF-8.
        with path.open("rb") as opened, pq.ParquetFile(opened) as file:
            if lacking := [name for name in COLUMNS if name not in file.schema_arrow.names]:
                raise BrokenContract(f"release {path}: has columns {file.schema_arrow.names[:20]}, want also {lacking}")
            for batch in file.iter_batches(columns=list(COLUMNS)):
                yield pa.Table.from_batches([batch]).select(list(COLUMNS)).cast(schema)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # the last: of the name of a column
        raise BrokenContract(f"release {path}: is no Parquet file of a release: {error}") from error
