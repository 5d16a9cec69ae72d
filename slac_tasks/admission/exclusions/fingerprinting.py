"""Fingerprints of the files of another benchmark, made by a process that holds no secrets.

`python -m slac_tasks.admission.exclusions.fingerprinting` reads a JSON list of paths from its standard input and writes
a line of JSON for each, in their order.
"""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from slac_tasks.admission.likeness.fingerprints import video_hashes
from slac_tasks.children import environment, processors
from slac_tasks.collect.settings import Collect
from slac_tasks.errors import is_disk_full
from slac_tasks.progress import track
from slac_tasks.scratch import Scratch
from slac_tasks.signals import left_to_us
from slac_tasks.video import originals

LIMITS = Collect(min_duration_sec=0.5, max_duration_sec=3600.0)
"""Test videos are shorter (HMDB-51: a second) and longer (THUMOS14: half an hour) than what is collected."""
_FULL = "disk is full"
"""A reason that says nothing of the file."""


@dataclass(frozen=True, kw_only=True)
class Fingerprinted:
    """What came of a file: its fingerprint, or why it has none."""

    path: str
    frame_hashes: list[int] = field(default_factory=list)
    reason: str = ""
    detail: str = ""


def fingerprint_files(paths: Sequence[Path]) -> Iterator[Fingerprinted]:
    """Yield what came of each file, in their order.

    Raises:
        OSError: the disk of temporary files is full.

    """
    environ = environment("HOME", "VIRTUAL_ENV")
    argv = [sys.executable, "-m", "slac_tasks.admission.exclusions.fingerprinting"]
    with left_to_us():
        child = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ, encoding="utf-8"
        )
    with child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps([str(path) for path in paths]))
            child.stdin.close()
            for line in child.stdout:
                made = Fingerprinted(**json.loads(line))
                if made.reason == _FULL:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), made.detail)
                yield made
            if child.wait():
                raise RuntimeError(f"slac_tasks.admission.exclusions.fingerprinting: exit {child.returncode}")
        finally:
            child.kill()


def _fingerprint(path: str) -> Fingerprinted:
    try:
        with Scratch() as folder:
            proxy = originals.make_proxy(Path(path), folder, originals.probe(Path(path), LIMITS), LIMITS)
            return Fingerprinted(path=path, frame_hashes=video_hashes(proxy.small, proxy.fps))
    except originals.Rejected as no:
        return Fingerprinted(path=path, reason=no.reason, detail=no.detail)
    except OSError as error:
        if not is_disk_full(error):
            raise
        return Fingerprinted(path=path, reason=_FULL, detail=str(error.filename2 or error.filename))


def main() -> None:
    """Fingerprint the files that standard input names."""
    paths = json.load(sys.stdin)
    # The work is done by processes of their own: threads wait for them.
    with ThreadPoolExecutor(processors()) as pool:
        for found in track(pool.map(_fingerprint, paths), len(paths), "exclude"):
            print(json.dumps(asdict(found)), flush=True)


if __name__ == "__main__":
    main()
