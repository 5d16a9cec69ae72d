"""Scoring against a plain torchvision loop: `python -m bench.score [--quick]`.

The same clips of one 720p video, half a second apart as candidates are, scored in one run by

  plain   what a user writes first: torchvision's network in float32, batches of 8, and for every clip a PyAV seek in
          the original; several networks are several such loops
  slac    `slac score`, the stage itself: proxies, one decode for all members, the device's fastest precision; ids,
          canaries, checks and writing included

on the same threads, once with one RGB member and once with three. The last line is one JSON object.
"""

import contextlib
import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import av
import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import get_weight, video

from bench.harness import Bench, Figures
from bench.harness.costs import cost
from bench.harness.tables import table
from bench.harness.videos import ffmpeg, proxy
from slac_tasks import config
from slac_tasks.collect.settings import Collect
from slac_tasks.job import Job
from slac_tasks.model import CLIP_SEC, clip_id, content_hash
from slac_tasks.networks.registry import Architecture, architecture
from slac_tasks.networks.weights import encode_backbone, encode_head
from slac_tasks.stages import score
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, SCORES
from slac_tasks.storage.datasets.collecting import ClipRow
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.objects import open_store, put_by_content
from slac_tasks.storage.tables import Datasets
from slac_tasks.training.trainer import seeded
from slac_tasks.video.clips import ADDRESS, addresses, footage

WINDOW, WARM = "2026-01-05", "2025-12-29"
PEAK_BF16_FLOPS = {"H100": 989e12, "H200": 989e12, "A100": 312e12}
"""Dense bfloat16 operations per second, by NVIDIA's data sheets (SXM)."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is scored."""

    clips: Annotated[int, "clips scored on processors"] = 64
    gpu_clips: Annotated[int, "clips scored on the GPU, where there is one"] = 8192
    members: Annotated[tuple[str, ...], "three networks of torchvision; the first is asked alone, too"] = (
        "r2plus1d_18", "mc3_18", "r3d_18",
    )  # fmt: skip

    @property
    def committees(self) -> Mapping[int, Sequence[str]]:
        """By their number of members: the first one alone, and all."""
        return {count: self.members[:count] for count in (1, len(self.members))}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A store that holds one video's clips, twice: a few to warm up, and those that are measured."""

    original: Path
    settings: config.Config
    starts: Sequence[float]
    device: str

    @property
    def datasets(self) -> Datasets:
        """The store's datasets."""
        return Datasets(open_store(self.settings.store_url))


def film(path: Path, seconds: float) -> None:
    """Write a 720p H.264 video: motion, edges, a little noise, and a key frame every 5 seconds, as web videos have."""
    picture = f"testsrc2=size=1280x720:rate=30:duration={seconds},noise=alls=8:allf=t"
    ffmpeg("-f", "lavfi", "-i", picture, "-c:v", "libx264", "-preset", "veryfast", "-g", "150", "-pix_fmt", "yuv420p",
           str(path))  # fmt: skip


def scene(folder: Path, clips: int, device: str) -> Scene:
    """Make the video, its proxies, and the datasets that `slac score` reads."""
    length = min(120.0, 2.0 + clips * 0.5)
    original = folder / "original.mp4"
    film(original, length)
    proxies = folder / "proxies"
    proxy(original, proxies, Collect())
    settings = config.Config(store_url=str(folder / "store"), device=device)
    where = open_store(settings.store_url)
    for name in ("128.mp4", "256.mp4"):
        where.put_file(f"media/v/{name}", proxies / name)
    # On a GPU one short video is scored again and again, as so many videos: the decode is not spared.
    grid = np.arange(0, length - 2.0, 0.5)
    starts = [float(grid[i % len(grid)]) for i in range(clips)]
    made = Scene(original=original, settings=settings, starts=starts, device=device)
    for window, count in ((WARM, min(2, clips)), (WINDOW, clips)):
        rows = [
            ClipRow(
                clip_id=clip_id(f"v{i // len(grid)}", start), video_id=f"v{i // len(grid)}", start_sec=start,
                end_sec=start + CLIP_SEC, split="training", proxy_128="media/v/128.mp4", proxy_256="media/v/256.mp4",
                shot=0,
            )
            for i, start in enumerate(starts[:count])
        ]  # fmt: skip
        keys = {"category": "anything", "window": window}
        made.datasets.write(CLIPS, [CLIPS.table(rows)], keys=keys, stage="bench", settings={}, made_from={})
    return made


def seat(made: Scene, names: Sequence[str]) -> str:
    """Write a committee of these members, with random weights; return its key."""
    where = open_store(made.settings.store_url)
    rows = []
    for name in names:
        entry = architecture(name)
        with seeded(0):
            backbone = put_by_content(where, "weights", ".pt", encode_backbone(entry, entry.build()))
            head = nn.Linear(entry.features, 1)
        stored = put_by_content(where, "weights", ".pt", encode_head(entry, head, ["anything"]))
        rows.append(
            CommitteeRow(
                member=name, architecture=name, category="anything", backbone=backbone, head=stored, output=0,
                weights=content_hash(name, backbone, stored), origin=f"bootstrap:{WARM}",
            )
        )  # fmt: skip
    key = f"c{len(names):08d}"
    made.datasets.write(
        COMMITTEES, [COMMITTEES.table(rows)], keys={"committee": key}, stage="bench", settings={}, made_from={}
    )
    return key


def timed(work: Callable[[], object], device: str) -> float:
    """Return the seconds of `work`, what it says kept from the screen: of the clock on a GPU, of all cores on the CPU.

    Processor seconds are throughput per core, and other work on the machine does not stretch them.
    """
    with contextlib.redirect_stderr(io.StringIO()):
        took = cost(work)
    return took.wall_sec if device == "cuda" else took.own_sec


def ours(made: Scene, names: Sequence[str]) -> float:
    """Return the seconds that the stage takes for all clips; weights were used before, as after a first window."""
    keys = {"window": WARM, "committee": seat(made, names)}
    job = Job(stage="score", config=made.settings, categories=("anything",), given=keys)
    timed(lambda: score.run(job), made.device)
    # A member that scored a window does not score it again, which is what is measured here.
    job = replace(job, given=keys | {"window": WINDOW}, remake=True)
    seconds = timed(lambda: score.run(job), made.device)
    for written in made.datasets.partitions(SCORES, window=WINDOW):
        assert made.datasets.need(SCORES, **written).rows == len(made.starts)
    return seconds


def decode_seconds(made: Scene, names: Sequence[str]) -> float:
    """Return the seconds of our decode alone, in this process."""
    clips = addresses(made.datasets.read(CLIPS, ADDRESS, category="anything", window=WINDOW))
    views = {architecture(name).view for name in names}
    local = open_store(made.settings.store_url).local

    def lost(video_id: str, why: str) -> None:
        raise RuntimeError(f"video {video_id}: {why}")

    def decode() -> None:
        for _ in footage(clips, views, local, lost, "decode"):
            pass

    return timed(decode, made.device)


def plain(made: Scene, names: Sequence[str]) -> float:
    """Return the seconds of the plain loop over all clips."""
    where = torch.device(made.device)
    networks = [(getattr(video, name)(weights=None).eval().to(where), _preset(architecture(name))) for name in names]

    def loop() -> None:
        for network, preset in networks:
            for batch in range(0, len(made.starts), 8):
                clips = [preset(_seek(made.original, start)) for start in made.starts[batch : batch + 8]]
                with torch.no_grad():
                    torch.sigmoid(network(torch.stack(clips).to(where))).cpu()

    return timed(loop, made.device)


def _preset(entry: Architecture) -> Callable[[torch.Tensor], torch.Tensor]:
    preset: Callable[[torch.Tensor], torch.Tensor] = get_weight(entry.hub).transforms()
    return preset


def _seek(path: Path, start: float) -> torch.Tensor:
    """Return 16 frames of a clip, (16, 3, h, w), as PyAV's documentation seeks."""
    wanted = list(start + (np.arange(16) + 0.5) * 2 / 16)
    return torch.from_numpy(np.stack(list(_frames(path, wanted)))).permute(0, 3, 1, 2)


def _frames(path: Path, wanted: list[float]) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield the frame shown at each of the seconds; the video's last one, where it ends before."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        container.seek(int(wanted[0] / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            while wanted and frame.time + 1 / 60 >= wanted[0]:
                yield frame.to_ndarray(format="rgb24")
                wanted.pop(0)
            if not wanted:
                return
        for _ in wanted:
            yield frame.to_ndarray(format="rgb24")


def peak_share(clips_per_sec: float, names: Sequence[str]) -> float | None:
    """Return which part of the GPU's bfloat16 peak the networks alone make up, or None for a GPU that is not listed."""
    peak = next((flops for name, flops in PEAK_BF16_FLOPS.items() if name in torch.cuda.get_device_name()), None)
    if peak is None:
        return None
    flops = 0
    for name in names:
        entry = architecture(name)
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            entry.build().eval()(torch.zeros(1, 3, entry.frames, entry.size, entry.size))
        flops += counter.get_total_flops()
    return clips_per_sec * flops / peak


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Seconds of each way to score all clips with one committee."""

    plain: float
    slac: float
    decode: float | None
    """Of our decode alone; None on a GPU, where others share the work."""


def compare(folder: Path, committees: Mapping[int, Sequence[str]], clips: int, device: str) -> dict[int, Ways]:
    """Score the clips in every way, with each committee."""
    folder.mkdir()
    made = scene(folder, clips, device)
    # On a GPU the plain loop takes a part of the clips, and its rate is what is compared.
    some = made if device == "cpu" else replace(made, starts=made.starts[:128])
    # The plain loops go first: the stage changes how this process keeps memory, which would speed them up too.
    part = len(some.starts) / len(made.starts)
    plainly = {count: plain(some, names) / part for count, names in committees.items()}
    return {
        count: Ways(
            plain=plainly[count],
            slac=ours(made, names),
            decode=decode_seconds(made, names) if device == "cpu" else None,
        )
        for count, names in committees.items()
    }


def on_processors(size: Size, folder: Path) -> dict[str, float | None]:
    """Return the figures of the processors, and print milliseconds per clip."""
    found = compare(folder, size.committees, size.clips, "cpu")
    print(f"{size.clips} clips of 720p on {torch.get_num_threads()} threads, processor milliseconds per clip")
    heads = {"members": "", **dict.fromkeys(("plain", "slac", "of which decode"), ".1f"), "speed-up": ".2f"}
    per_clip = 1000 / size.clips
    print(table(heads, [
        (str(count), took.plain * per_clip, took.slac * per_clip, (took.decode or 0) * per_clip, took.plain / took.slac)
        for count, took in found.items()
    ]))  # fmt: skip
    three = found[len(size.members)]
    return {
        "cpu_speedup_one": found[1].plain / found[1].slac,
        "cpu_speedup_three": three.plain / three.slac,
        "decode_share": (three.decode or 0) / three.slac,
    }


def on_gpu(size: Size, folder: Path) -> dict[str, float | None]:
    """Return the figures of the GPU, None where there is none."""
    if not torch.cuda.is_available():
        print("no GPU here: its figures are null")
        return dict.fromkeys(("gpu_speedup", "gpu_clips_per_s", "gpu_peak_share"))
    three = compare(folder, size.committees, size.gpu_clips, "cuda")[len(size.members)]
    rate = size.gpu_clips / three.slac
    print(f"{torch.cuda.get_device_name()}: {rate:.0f} clips per second with three members")
    return {
        "gpu_speedup": three.plain / three.slac,
        "gpu_clips_per_s": rate,
        "gpu_peak_share": peak_share(rate, size.members),
    }


def measure(size: Size, folder: Path) -> Figures:
    """Score on processors, and on the GPU where there is one."""
    on_cpu = on_processors(size, folder / "cpu")
    return on_cpu | on_gpu(size, folder / "gpu") | {"scale": size.clips / Size().clips}


BENCH = Bench(
    name="score", doc=__doc__, measure=measure,
    full=Size(), quick=Size(clips=8, gpu_clips=1024), tiny=Size(clips=1, gpu_clips=16, members=("mc3_18",)),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
