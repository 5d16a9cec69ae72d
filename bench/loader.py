"""Our loader against PyTorch's DataLoader over PyAV and torchcodec: `python -m bench.loader [--quick]`.

Clips of 2 seconds at random places of many videos become batches of 16 frames of 112 pixels. Ours: `Batches` over the
renditions that `fetch` makes. The rivals do what most repositories do: a map-style data set that opens the original,
seeks, decodes, scales what it needs and crops, in a `DataLoader` with as many workers. PyAV scales in ffmpeg, frame by
frame, in one thread; torchcodec gets the moments and gives whole frames, which torch scales.

Clips a second are per core: clips over the processor seconds of this process and its workers, so what else runs on the
machine matters little. Seconds to the first batch are of the wall clock. torchcodec is no dependency: where it is not
installed, or finds no FFmpeg, its figures are null. All in one run; the last line is one JSON object.
"""

import gc
import importlib
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Annotated

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import functional as vision

from bench.harness import Bench, Figures, Seed, videos
from bench.harness.costs import cost
from bench.harness.tables import listing
from slac_tasks.collect.settings import Collect
from slac_tasks.dataset import Batches, Clips
from slac_tasks.model import CLIP_SEC, clip_id

FRAMES, SIDE = 16, 112
LIMITS = Collect(max_duration_sec=600)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is read."""

    videos: Annotated[int, "720p videos"] = 24
    seconds: Annotated[int, "length of each"] = 40
    clips: Annotated[int, "clips that our loader reads"] = 1920
    rival_clips: Annotated[int, "clips that each rival reads"] = 240
    batch: Annotated[int, "clips of a batch"] = 32
    workers: Annotated[int, "processes that decode"] = 2
    seed: Seed = 0


@dataclass(frozen=True)
class Place:
    """One clip."""

    video: Path
    start_sec: float

    @property
    def moments(self) -> list[float]:
        """The middles of equal parts of the clip, in seconds."""
        return [self.start_sec + CLIP_SEC * (at + 0.5) / FRAMES for at in range(FRAMES)]


class ByPyAV(Dataset[Tensor]):
    """Clips as most repositories read them."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, at: int) -> Tensor:
        place = self.places[at]
        wanted = place.moments
        found: list[np.ndarray] = []
        with av.open(str(place.video)) as container:
            stream = container.streams.video[0]
            half = Fraction(1, 2) / stream.average_rate
            container.seek(int(place.start_sec / stream.time_base), stream=stream)
            for frame in container.decode(stream):
                shown_until = frame.time + 2 * float(half)
                while len(found) < FRAMES and wanted[len(found)] < shown_until:
                    scale = SIDE / min(frame.width, frame.height)
                    image = frame.reformat(round(frame.width * scale), round(frame.height * scale), format="rgb24")
                    found.append(_middle(image.to_ndarray()))
                if len(found) == FRAMES:
                    break
        return torch.from_numpy(np.stack(found)).permute(3, 0, 1, 2)


class ByTorchcodec(Dataset[Tensor]):
    """The same by torchcodec, in one thread a worker."""

    def __init__(self, places: Sequence[Place], decoders: ModuleType) -> None:
        self.places, self.decoders = places, decoders.__name__

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, at: int) -> Tensor:
        place = self.places[at]
        decoder = importlib.import_module(self.decoders).VideoDecoder(str(place.video), num_ffmpeg_threads=1)
        frames = decoder.get_frames_played_at(place.moments).data
        small: Tensor = vision.center_crop(vision.resize(frames, SIDE, antialias=True), [SIDE, SIDE])
        return small.permute(1, 0, 2, 3)


def _middle(image: np.ndarray) -> np.ndarray:
    top, left = (image.shape[0] - SIDE) // 2, (image.shape[1] - SIDE) // 2
    return image[top : top + SIDE, left : left + SIDE]


def originals(size: Size, folder: Path) -> list[Path]:
    """Make 720p originals with motion everywhere and noise, as cameras have it; a key frame every 2 seconds or so."""
    made = [folder / f"{number}.mp4" for number in range(size.videos)]
    for number, path in enumerate(made):
        pictures = f"testsrc2=s=1280x720:r=30:d={size.seconds},hue=h={number * 15},noise=alls=8:allf=t"
        videos.ffmpeg("-f", "lavfi", "-i", pictures, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "23", "-g",
                      "64", "-bf", "2", "-pix_fmt", "yuv420p", str(path))  # fmt: skip
    return made


def release(paths: Sequence[Path], store: Path, places: Sequence[Place], labels: Path) -> None:
    """Make the renditions of the originals in a store, and a table of labels on these clips."""
    for path in paths:
        made = videos.proxy(path, store.parent / f"of {path.stem}", LIMITS)
        target = store / "media" / path.stem / "128.mp4"
        target.parent.mkdir(parents=True)
        made.path_128.rename(target)
    rows = [
        {
            "clip_id": clip_id(place.video.stem, place.start_sec), "video_id": place.video.stem, "source_id": "a",
            "split": "training", "start_sec": place.start_sec, "category": "action", "label": 1,
            "proxy_128": f"media/{place.video.stem}/128.mp4", "proxy_256": f"media/{place.video.stem}/128.mp4",
        }
        for place in places
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), labels)


@dataclass(frozen=True, kw_only=True)
class Read:
    """What reading some clips took."""

    clips_per_s: float
    """Per core."""
    first_batch_s: float


def read(batches: Callable[[], Iterable[Tensor]], clips: int) -> Read:
    """Read all batches of a loader that is made for it, and let its workers end."""
    first: list[float] = []

    def work() -> None:
        began, seen = time.perf_counter(), 0
        for pixels in batches():
            first.append(time.perf_counter() - began)
            seen += len(pixels)
        gc.collect()  # workers end with their iterator
        assert seen == clips, f"read {seen} clips, want {clips}"

    spent = cost(work)
    return Read(clips_per_s=clips / spent.processor_sec, first_batch_s=first[0])


def _ours(clips: Clips, size: Size) -> Callable[[], Iterator[Tensor]]:
    loader = Batches(clips, batch_size=size.batch, workers=size.workers)
    return lambda: (batch["pixels"] for batch in loader)


def _rival(data: Dataset[Tensor], size: Size) -> Callable[[], Iterable[Tensor]]:
    return lambda: DataLoader(data, batch_size=size.batch, shuffle=True, num_workers=size.workers)


def measure(size: Size, folder: Path) -> Figures:
    """Return clips a second and core of each way, and the seconds to its first batch."""
    paths = originals(size, folder)
    chance = random.Random(size.seed)
    last = size.seconds - CLIP_SEC
    every = {Place(path, at / 4) for path in paths for at in range(int(last * 4))}
    places = chance.sample(sorted(every, key=str), min(size.clips, len(every)))
    release(paths, folder / "store", places, folder / "labels.parquet")
    clips = Clips(folder / "labels.parquet", frames=FRAMES, size=SIDE, media=folder / "store")
    some = places[: size.rival_clips]
    ours, by_av = read(_ours(clips, size), len(places)), read(_rival(ByPyAV(some), size), len(some))
    figures: dict[str, float | None] = {
        "clips_per_s_ours": ours.clips_per_s, "clips_per_s_pyav": by_av.clips_per_s,
        "speedup": ours.clips_per_s / by_av.clips_per_s, "first_batch_s": ours.first_batch_s,
        "first_batch_s_pyav": by_av.first_batch_s, "clips_per_s_torchcodec": None, "speedup_torchcodec": None,
    }  # fmt: skip
    try:
        decoders = importlib.import_module("torchcodec.decoders")
        decoders.VideoDecoder(str(paths[0]))
    except (ImportError, RuntimeError, OSError) as error:  # it looks for FFmpeg's shared libraries when it is used
        print(f"torchcodec: not measured: {str(error).strip().splitlines()[0]}")
    else:
        codec = read(_rival(ByTorchcodec(some, decoders), size), len(some))
        figures["clips_per_s_torchcodec"] = codec.clips_per_s
        figures["speedup_torchcodec"] = ours.clips_per_s / codec.clips_per_s
    print(listing({name: value for name, value in figures.items() if value is not None}))
    return figures | {"scale": len(some) / Size().rival_clips}


BENCH = Bench(
    name="loader", doc=__doc__, measure=measure, full=Size(),
    quick=Size(videos=3, seconds=12, clips=120, rival_clips=24, batch=12),
    tiny=Size(videos=1, seconds=4, clips=4, rival_clips=2, batch=2, workers=1),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
