"""Reading clips from proxies against one ffmpeg call per clip: `python -m bench.clips [--quick] [--original FILE]`.

A clip is 2 seconds, 16 frames of 112 pixels. Sparse: one clip at a random place, the file opened for it alone. Dense:
clips end to end over the whole video, which is every second of it, in one pass. The tool that a user would otherwise
pick is one ffmpeg-python call per clip, seeking, on the 720p original or on the rendition, with its own default: the
`ffmpeg` on the PATH. A build that starts faster is a harder rival, so the figures against the build that makes the
proxies stand beside them (`_own_build`). All in one run, in processor seconds of this process and its children; the
proxy is made by `slac_tasks.video.originals`. The last line is one JSON object.
"""

import argparse
import json
import random
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import ffmpeg
import imageio_ffmpeg
import numpy as np

from slac_tasks.collect.settings import Collect
from slac_tasks.model import CLIP_SEC
from slac_tasks.video import originals
from slac_tasks.video.frames import read_clips

FRAMES, SIZE = 16, 112
SECONDS = 240
PASSES = 4


def original(path: Path, seconds: int) -> None:
    """Make a 720p original with motion everywhere and noise, as cameras have it."""
    pictures = f"testsrc2=s=1280x720:r=30:d={seconds},noise=alls=8:allf=t"
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "lavfi", "-i", pictures, "-c:v", "libx264",
         "-preset", "ultrafast", "-crf", "23", "-g", "250", "-bf", "2", "-pix_fmt", "yuv420p", str(path)],
        check=True,
    )  # fmt: skip


def by_ffmpeg(program: str, path: Path, start_sec: float) -> np.ndarray:
    """Read one clip as a user would: one ffmpeg-python call that seeks."""
    data, _ = (
        ffmpeg.input(str(path), ss=start_sec, t=CLIP_SEC)
        .filter("fps", FRAMES / CLIP_SEC)
        .filter("scale", f"if(gt(iw,ih),-2,{SIZE})", f"if(gt(iw,ih),{SIZE},-2)")
        .filter("crop", SIZE, SIZE)
        .output("pipe:", format="rawvideo", pix_fmt="rgb24", frames=FRAMES)
        .global_args("-v", "error", "-nostdin")
        .run(cmd=program, capture_stdout=True)
    )
    return np.frombuffer(data, np.uint8).reshape(FRAMES, SIZE, SIZE, 3)


def milliseconds(work: Callable[[], object], clips: int) -> float:
    """Return processor milliseconds of one clip."""
    began = _processor_sec()
    work()
    return 1000 * (_processor_sec() - began) / clips


def _processor_sec() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def measure(path: Path, folder: Path, calls: int, seed: int) -> dict[str, float]:
    """Return processor milliseconds per clip of each way, and the ratios."""
    limits = Collect(max_duration_sec=600)
    proxy = originals.make_proxy(path, folder, originals.probe(path, limits), limits)
    chance = random.Random(seed)
    last = proxy.duration_sec - CLIP_SEC
    starts = [chance.randrange(int(last * 2)) / 2 for _ in range(10 * calls)]
    dense = [float(second) for second in range(0, int(last), int(CLIP_SEC))]

    def sparse() -> None:
        for start in starts:
            read_clips(proxy.path_128, [start], frames=FRAMES, size=SIZE)

    def in_one_pass() -> None:
        # Nothing is kept from pass to pass, as in the stages: four videos' clips at once are 286 MB, and the kernel's
        # work of finding them was a third of the time (measured).
        for _ in range(PASSES):
            read_clips(proxy.path_128, dense, frames=FRAMES, size=SIZE)

    def calls_on(program: str, file: Path) -> float:
        def one_by_one() -> None:
            for start in starts[:calls]:
                by_ffmpeg(program, file, start)

        return milliseconds(one_by_one, calls)

    read_clips(proxy.path_128, dense[:2], frames=FRAMES, size=SIZE)  # what is loaded once is no clip's cost
    own = imageio_ffmpeg.get_ffmpeg_exe()
    usual = shutil.which("ffmpeg") or own
    took = {"ms_sparse": milliseconds(sparse, len(starts))}
    took["ms_dense"] = milliseconds(in_one_pass, PASSES * len(dense))
    ratios = {}
    for program, suffix in ((usual, ""), (own, "_own_build")):
        for file, rival in ((path, "original"), (proxy.path_128, "proxy")):
            call = took[f"ms_call_on_{rival}{suffix}"] = calls_on(program, file)
            ratios[f"dense_vs_{rival}{suffix}"] = call / took["ms_dense"]
            ratios[f"sparse_vs_{rival}{suffix}"] = call / took["ms_sparse"]
    return took | ratios


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.clips", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="40 seconds of video, 12 calls")
    parser.add_argument("--original", type=Path, help="a 720p video of four minutes; without it, one is made")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    seconds, calls = (40, 12) if arguments.quick else (SECONDS, 60)
    with tempfile.TemporaryDirectory(prefix="slac-bench-") as name:
        folder = Path(name)
        path = arguments.original or folder / "original.mp4"
        if not arguments.original:
            original(path, seconds)
        figures = measure(path, folder, calls, arguments.seed)
    print(*(f"{name:<30} {value:8.2f}" for name, value in figures.items()), sep="\n")
    rounded = {name: round(value, 3) for name, value in figures.items()}
    print(json.dumps({"bench": "clips", "figures": rounded | {"scale": round(seconds / SECONDS, 3)}}))


if __name__ == "__main__":
    main()
