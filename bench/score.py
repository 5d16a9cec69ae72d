"""Scoring against a plain torchvision loop: `python -m bench.score [--quick]`.

The same clips of one 720p video, half a second apart as candidates are, scored in one run by

  plain   what a user writes first: torchvision's network in float32, batches of 8, and for every clip a PyAV seek in
          the original; several networks are several such loops
  slac    `slac score`, the stage itself: proxies, one decode for all members, the device's fastest precision; ids,
          canaries, checks and writing included

on the same threads, once with one RGB member and once with three. The last line is one JSON object.
"""

import argparse
import contextlib
import io
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import get_weight, video

from slac_tasks import config
from slac_tasks.collect.settings import Collect
from slac_tasks.job import Job
from slac_tasks.model import content_hash
from slac_tasks.networks.registry import Architecture, architecture
from slac_tasks.networks.weights import encode_backbone, encode_head
from slac_tasks.stages import score
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, SCORES
from slac_tasks.storage.objects import open_store, put_by_content
from slac_tasks.storage.tables import Datasets
from slac_tasks.training.trainer import seeded
from slac_tasks.video import originals
from slac_tasks.video.clips import ADDRESS, ClipAddress, footage

ONE = ("r2plus1d_18",)
THREE = ("r2plus1d_18", "mc3_18", "r3d_18")
FULL_CLIPS, QUICK_CLIPS, GPU_CLIPS = 64, 8, 8192
WINDOW, WARM = "2026-01-05", "2025-12-29"
PEAK_BF16_FLOPS = {"H100": 989e12, "H200": 989e12, "A100": 312e12}
"""Dense bfloat16 operations per second, by NVIDIA's data sheets (SXM)."""


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
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-g", "150", "-pix_fmt", "yuv420p"]
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "lavfi", "-i", picture, *encode, str(path)]
    subprocess.run(argv, check=True)


def scene(folder: Path, clips: int, device: str) -> Scene:
    """Make the video, its proxies, and the datasets that `slac score` reads."""
    length = min(120.0, 2.0 + clips * 0.5)
    original = folder / "original.mp4"
    film(original, length)
    proxies = folder / "proxies"
    proxies.mkdir()
    limits = Collect()
    originals.make_proxy(original, proxies, originals.probe(original, limits), limits)
    settings = config.Config(store_url=str(folder / "store"), device=device)
    where = open_store(settings.store_url)
    for name in ("128.mp4", "256.mp4"):
        where.put_file(f"media/v/{name}", proxies / name)
    # On a GPU one short video is scored again and again, as so many videos: the decode is not spared.
    grid = np.arange(0, length - 2.0, 0.5)
    starts = [float(grid[i % len(grid)]) for i in range(clips)]
    made = Scene(original=original, settings=settings, starts=starts, device=device)
    for window, count in ((WARM, 2), (WINDOW, clips)):
        rows = [
            {
                "clip_id": f"v{i // len(grid)}:{int(start * 1000)}", "video_id": f"v{i // len(grid)}",
                "start_sec": start, "end_sec": start + 2, "split": "training", "proxy_128": "media/v/128.mp4",
                "proxy_256": "media/v/256.mp4", "shot": 0, "people": None,
            }
            for i, start in enumerate(starts[:count])
        ]  # fmt: skip
        keys = {"category": "anything", "window": window}
        made.datasets.write(CLIPS, [CLIPS.from_records(rows)], keys=keys, stage="bench", settings={}, made_from={})
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
            {
                "member": name, "architecture": name, "category": "anything", "backbone": backbone, "head": stored,
                "output": 0, "weights": content_hash(name, backbone, stored), "origin": f"bootstrap:{WARM}",
            }
        )  # fmt: skip
    key = f"c{len(names):08d}"
    made.datasets.write(
        COMMITTEES, [COMMITTEES.from_records(rows)], keys={"committee": key}, stage="bench", settings={}, made_from={}
    )
    return key


def timed(work: Callable[[], object], device: str) -> float:
    """Return the seconds of `work`, what it says kept from the screen: of the clock on a GPU, of all cores on the CPU.

    Processor seconds are throughput per core, and other work on the machine does not stretch them.
    """
    clock = time.perf_counter if device == "cuda" else time.process_time
    began = clock()
    with contextlib.redirect_stderr(io.StringIO()):
        work()
    return clock() - began


def ours(made: Scene, names: Sequence[str]) -> float:
    """Return the seconds that the stage takes for all clips; weights were used before, as after a first window."""
    committee = seat(made, names)
    job = Job(
        stage="score", config=made.settings, categories=("anything",), given={"window": WARM, "committee": committee}
    )
    timed(lambda: score.run(job), made.device)
    # A member that scored a window does not score it again, which is what is measured here.
    job = replace(job, window=WINDOW, remake=True)
    seconds = timed(lambda: score.run(job), made.device)
    for keys in made.datasets.partitions(SCORES, window=WINDOW):
        assert made.datasets.need(SCORES, **keys).rows == len(made.starts)
    return seconds


def decode_seconds(made: Scene, names: Sequence[str]) -> float:
    """Return the seconds of our decode alone, in this process."""
    rows = made.datasets.read(CLIPS, ADDRESS, category="anything", window=WINDOW).to_pylist()
    views = {architecture(name).view for name in names}
    local = open_store(made.settings.store_url).local

    def lost(video_id: str, why: str) -> None:
        raise SystemExit(f"bench.score: {video_id}: {why}")

    def decode() -> None:
        for _ in footage([ClipAddress.of(row) for row in rows], views, local, lost, "decode"):
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


def _frames(path: Path, wanted: list[float]) -> Iterator[np.ndarray]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        container.seek(int(wanted[0] / stream.time_base), stream=stream)
        frame = None
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


def measure(folder: Path, clips: int, device: str) -> dict[str, dict[str, float]]:
    """Return the seconds of every way, and of our decode alone."""
    made = scene(folder, clips, device)
    committees = {"one": ONE, "three": THREE}
    # On a GPU the plain loop takes a part of the clips, and its rate is what is compared.
    some = made if device == "cpu" else replace(made, starts=made.starts[:128])
    # The plain loops go first: the stage changes how this process keeps memory, which would speed them up too.
    plainly = {label: plain(some, names) * len(made.starts) / len(some.starts) for label, names in committees.items()}
    return {
        label: {
            "plain": plainly[label],
            "slac": ours(made, names),
            "decode": decode_seconds(made, names) if device == "cpu" else float("nan"),
        }
        for label, names in committees.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.score", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_CLIPS} clips instead of {FULL_CLIPS}")
    arguments = parser.parse_args()
    clips = QUICK_CLIPS if arguments.quick else FULL_CLIPS
    with tempfile.TemporaryDirectory(prefix="slac-bench-") as name:
        cpu = measure(Path(name), clips, "cpu")
    gpu = None
    if torch.cuda.is_available():
        with tempfile.TemporaryDirectory(prefix="slac-bench-") as name:
            gpu = measure(Path(name), GPU_CLIPS // (8 if arguments.quick else 1), "cuda")
    print(f"{clips} clips of 720p on {torch.get_num_threads()} threads, processor milliseconds per clip")
    print(f"{'members':<10}{'plain':>10}{'slac':>10}{'of which decode':>18}{'speed-up':>10}")
    for label, took in cpu.items():
        plain_ms, ours_ms, decode_ms = (1000 * took[way] / clips for way in ("plain", "slac", "decode"))
        print(f"{label:<10}{plain_ms:>10.1f}{ours_ms:>10.1f}{decode_ms:>18.1f}{plain_ms / ours_ms:>10.2f}")
    figures: dict[str, float | None] = {
        "cpu_speedup_one": cpu["one"]["plain"] / cpu["one"]["slac"],
        "cpu_speedup_three": cpu["three"]["plain"] / cpu["three"]["slac"],
        "decode_share": cpu["three"]["decode"] / cpu["three"]["slac"],
        "gpu_speedup": None,
        "gpu_clips_per_s": None,
        "gpu_peak_share": None,
        "scale": clips / FULL_CLIPS,
    }
    if gpu:
        count = GPU_CLIPS // (8 if arguments.quick else 1)
        rate = count / gpu["three"]["slac"]
        figures |= {
            "gpu_speedup": gpu["three"]["plain"] / gpu["three"]["slac"],
            "gpu_clips_per_s": rate,
            "gpu_peak_share": peak_share(rate, THREE),
        }
        print(f"{torch.cuda.get_device_name()}: {rate:.0f} clips per second with three members")
    else:
        print("no GPU here: its figures are null")
    print(json.dumps({"bench": "score", "figures": figures}))


if __name__ == "__main__":
    main()
