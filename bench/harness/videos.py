"""Videos for benchmarks: ffmpeg as a program, and renditions as `fetch` makes them."""

import subprocess
from pathlib import Path

import imageio_ffmpeg

from slac_tasks.collect.settings import Collect
from slac_tasks.video import originals

FFMPEG: str = imageio_ffmpeg.get_ffmpeg_exe()
"""The build that makes the proxies."""


def ffmpeg(*words: str) -> None:
    """Run ffmpeg; what it would overwrite is overwritten.

    Raises:
        subprocess.CalledProcessError: it fails.

    """
    subprocess.run([FFMPEG, "-nostdin", "-v", "error", "-y", *words], check=True)


def proxy(path: Path, folder: Path, limits: Collect) -> originals.Proxy:
    """Return the renditions of an original, written into the folder, and what `fetch` sees of it.

    Raises:
        originals.Rejected: `fetch` would set the file aside.

    """
    folder.mkdir(exist_ok=True)
    return originals.make_proxy(path, folder, originals.probe(path, limits), limits)
