"""Mutations of real files through `slac fetch`: `python -m bench.fuzz [--quick] [--videos FOLDER] [--mutations N]`.

Every file in the folder gives mutations: bytes overwritten, runs cut out, doubled or zeroed, ends cut off, fields of
the header set to extremes. None may stop the batch, leave a process or leave a temporary file; each must end as a row
or as a drop with a reason. Without a folder, small originals in six containers are made. The last line is one JSON
object.
"""

import itertools
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from bench.harness import Bench, Figures, Seed
from bench.harness.costs import now
from bench.harness.tables import table
from bench.harness.videos import ffmpeg
from slac_tasks.collect.settings import Collect, Fetch
from slac_tasks.config import Config
from slac_tasks.job import Job
from slac_tasks.scratch import Scratch
from slac_tasks.stages import fetch
from slac_tasks.storage.datasets import CANDIDATES, FETCHED
from slac_tasks.storage.datasets.collecting import CandidateRow

WINDOW = "2026-01-05"
_BATCH = 200
_MADE = {
    "h264.mp4": ("libx264", "-movflags", "+faststart"),
    "h264.mkv": ("libx264",),
    "h264.ts": ("libx264",),
    "mpeg4.avi": ("mpeg4",),
    "mpeg1.mpg": ("mpeg1video",),
    "vp8.webm": ("libvpx", "-cpu-used", "8"),
}


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is mutated."""

    mutations: Annotated[int, "mutations"] = 10_000
    videos: Annotated[Path | None, "folder of real files; without it, made ones"] = None
    most_bytes: Annotated[int, "larger files of the folder are left out"] = 100_000
    seconds: Annotated[float, "no batch starts after this long"] = float("inf")
    seed: Seed = 0


def originals(folder: Path) -> list[Path]:
    """Make small originals: 2.2 s of 96 x 64 in six containers."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (codec, *more) in _MADE.items():
        source = ("-f", "lavfi", "-i", "testsrc2=s=96x64:r=25:d=2.2", "-pix_fmt", "yuv420p")
        ffmpeg(*source, "-c:v", codec, *more, str(folder / name))
    return sorted(folder / name for name in _MADE)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return the bytes with one to four things wrong; the header is hit as often as all the rest."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        most = len(changed) if chance.random() < 0.5 else min(len(changed), 1024)
        if most < 16:
            break
        at, length = chance.randrange(most - 8), min(len(changed), chance.choice((1, 4, 64, 1000)))
        kind = chance.randrange(6)
        if kind == 0:
            changed[at : at + length] = chance.randbytes(length)
        elif kind == 1:
            del changed[at : at + length]
        elif kind == 2:
            changed[at:at] = changed[at : at + length]
        elif kind == 3:
            changed[at : at + length] = bytes(length)
        elif kind == 4:
            changed[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\1"))
        else:
            del changed[chance.randrange(len(changed)) :]
    return bytes(changed)


def mutations(files: Sequence[Path], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes) of `count` mutations, the same for the same seed."""
    originals = [(path.name, path.read_bytes()) for path in files]
    for number in range(count):
        name, data = originals[number % len(originals)]
        yield f"{number:05d}-{name}", mutated(data, random.Random(f"{seed}/{number}"))


def fetch_all(found: Sequence[tuple[str, bytes]], folder: Path) -> Counter[str]:
    """Run the stage over these files; return how many were kept and how many dropped, by reason.

    Raises:
        RuntimeError: a process, a temporary file or an unaccounted file is left.

    """
    places = {name: folder / name for name in ("videos", "temporary", "scratch", "store")}
    for place in places.values():
        place.mkdir(parents=True)
    config = Config(
        store_url=str(places["store"]), collect=Collect(sources=(str(places["videos"]),)),
        fetch=Fetch(scratch=str(places["scratch"])),
    )  # fmt: skip
    rows = []
    for number, (name, data) in enumerate(found):
        path = places["videos"] / name
        path.write_bytes(data)
        rows.append(
            CandidateRow(
                candidate_id=f"{number:016x}", source=str(places["videos"]), source_id=name, location=str(path)
            )
        )
    job = Job(stage="fetch", config=config, environ={}, categories=("fuzz",), given={"window": WINDOW})
    keys = {"category": "fuzz", "window": WINDOW}
    table = CANDIDATES.table(rows)
    job.datasets.write(CANDIDATES, [table], keys=keys, stage="bench", settings={}, made_from={})
    before, tempfile.tempdir = tempfile.tempdir, str(places["temporary"])
    try:
        fetch.run(job)
    finally:
        tempfile.tempdir = before
    made = job.datasets.need(FETCHED, **keys)
    left = [str(path) for name in ("temporary", "scratch") for path in places[name].rglob("*") if path.is_file()]
    if left or (alive := _using(folder)) or made.rows + len(made.drops) != len(found):
        raise RuntimeError(f"left: files {left}, processes {alive}; {made.rows} rows and {len(made.drops)} drops")
    return Counter({"kept": made.rows, **made.dropped})


def _using(folder: Path) -> list[str]:
    """Return the command lines that name the folder: every process that fetch starts does."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it ended meanwhile
            continue
        if str(folder) in line:
            lines.append(line)
    return lines


def measure(size: Size, folder: Path) -> Figures:
    """Fetch mutations, batch after batch."""
    files = originals(folder / "originals")
    if size.videos:
        files += sorted(
            path for path in size.videos.iterdir()
            if path.is_file() and path.suffix != ".csv" and 0 < path.stat().st_size <= size.most_bytes
        )  # fmt: skip
    began, outcomes, run = now(), Counter[str](), 0
    found = mutations(files, size.mutations, size.seed)
    while run < size.mutations and (now() - began).wall_sec < size.seconds:
        batch = list(itertools.islice(found, min(_BATCH, size.mutations - run)))
        with Scratch(folder) as made:
            outcomes += fetch_all(batch, made)
        run += len(batch)
    print(table({"outcome": "", "files": ""}, outcomes.most_common()))
    return {
        "mutations": run, "files": len(files), "kept": outcomes["kept"], "dropped": run - outcomes["kept"],
        "stopped_batches": 0, "leaks": 0, "per_second": run / (now() - began).wall_sec, "scale": run / Size().mutations,
    }  # fmt: skip


BENCH = Bench(
    name="fuzz", doc=__doc__, measure=measure,
    full=Size(), quick=Size(mutations=100), tiny=Size(mutations=12),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
