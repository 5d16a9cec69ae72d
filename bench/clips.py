"""Reading clips from proxies against one ffmpeg call per clip: `python -m bench.clips [--quick] [--original FILE]`.

A clip is 2 seconds, 16 frames of 112 pixels. Sparse: one clip at a random place, the file opened for it alone. Dense:
clips end to end over the whole video, which is every second of it, in one pass. The tool that a user would otherwise
pick is one ffmpeg-python call per clip, seeking, on the 720p original or on the rendition, with its own default: the
`ffmpeg` on the PATH. A build that starts faster is a harder rival, so the figures against the build that makes the
proxies stand beside them (`_own_build`). All in one run, in processor seconds of this process and its children; the
proxy is made by `slac_tasks.video.originals`. The last line is one JSON object.
"""

import random
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import ffmpeg
import numpy as np

from bench.harness import Bench, Figures, Seed, videos
from bench.harness.costs import cost
from bench.harness.tables import listing
from slac_tasks.collect.settings import Collect
from slac_tasks.model import CLIP_SEC
from slac_tasks.video.frames import read_clips

FRAMES, SIDE = 16, 112
LIMITS = Collect(max_duration_sec=600)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is read."""

    seconds: Annotated[int, "length of the video that is made"] = 240
    calls: Annotated[int, "calls of ffmpeg; ten times as many clips are read at random places"] = 60
    passes: Annotated[int, "times that the whole video is read"] = 4
    original: Annotated[Path | None, "a 720p video of so many seconds; without it, one is made"] = None
    seed: Seed = 0


def original(path: Path, seconds: int) -> Path:
    """Make a 720p original with motion everywhere and noise, as cameras have it."""
    pictures = f"testsrc2=s=1280x720:r=30:d={seconds},noise=alls=8:allf=t"
    videos.ffmpeg("-f", "lavfi", "-i", pictures, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "23", "-g", "250",
                  "-bf", "2", "-pix_fmt", "yuv420p", str(path))  # fmt: skip
    return path


def by_ffmpeg(program: str, path: Path, start_sec: float) -> np.ndarray:
    """Read one clip as a user would: one ffmpeg-python call that seeks."""
    data, _ = (
        ffmpeg.input(str(path), ss=start_sec, t=CLIP_SEC)
        .filter("fps", FRAMES / CLIP_SEC)
        .filter("scale", f"if(gt(iw,ih),-2,{SIDE})", f"if(gt(iw,ih),{SIDE},-2)")
        .filter("crop", SIDE, SIDE)
        .output("pipe:", format="rawvideo", pix_fmt="rgb24", frames=FRAMES)
        .global_args("-v", "error", "-nostdin")
        .run(cmd=program, capture_stdout=True)
    )
    return np.frombuffer(data, np.uint8).reshape(FRAMES, SIDE, SIDE, 3)


def milliseconds(work: Callable[[], object], clips: int) -> float:
    """Return processor milliseconds of one clip."""
    return 1000 * cost(work).processor_sec / clips


def measure(size: Size, folder: Path) -> Figures:
    """Return processor milliseconds per clip of each way, and the ratios."""
    path = size.original or original(folder / "original.mp4", size.seconds)
    proxy = videos.proxy(path, folder, LIMITS)
    chance = random.Random(size.seed)
    last = proxy.duration_sec - CLIP_SEC
    starts = [chance.randrange(int(last * 2)) / 2 for _ in range(10 * size.calls)]
    dense = [float(second) for second in range(0, int(last), int(CLIP_SEC))]

    def sparse() -> None:
        for start in starts:
            read_clips(proxy.path_128, [start], frames=FRAMES, size=SIDE)

    def in_one_pass() -> None:
        # Nothing is kept from pass to pass, as in the stages: four videos' clips at once are 286 MB, and the kernel's
        # work of finding them was a third of the time (measured).
        for _ in range(size.passes):
            read_clips(proxy.path_128, dense, frames=FRAMES, size=SIDE)

    def calls_on(program: str, file: Path) -> float:
        def one_by_one() -> None:
            for start in starts[: size.calls]:
                by_ffmpeg(program, file, start)

        return milliseconds(one_by_one, size.calls)

    read_clips(proxy.path_128, dense[:2], frames=FRAMES, size=SIDE)  # what is loaded once is no clip's cost
    own = videos.FFMPEG
    usual = shutil.which("ffmpeg") or own
    took = {"ms_sparse": milliseconds(sparse, len(starts))}
    took["ms_dense"] = milliseconds(in_one_pass, size.passes * len(dense))
    ratios = {}
    for program, suffix in ((usual, ""), (own, "_own_build")):
        for file, rival in ((path, "original"), (proxy.path_128, "proxy")):
            call = took[f"ms_call_on_{rival}{suffix}"] = calls_on(program, file)
            ratios[f"dense_vs_{rival}{suffix}"] = call / took["ms_dense"]
            ratios[f"sparse_vs_{rival}{suffix}"] = call / took["ms_sparse"]
    print(listing(took | ratios))
    return took | ratios | {"scale": size.seconds / Size().seconds}


BENCH = Bench(
    name="clips", doc=__doc__, measure=measure,
    full=Size(), quick=Size(seconds=40, calls=12), tiny=Size(seconds=4, calls=1, passes=1),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
