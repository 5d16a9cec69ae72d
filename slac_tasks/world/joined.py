"""A rehearsal on disk: trimmed videos of a laboratory, joined into untrimmed ones whose truth is known to the frame.

It is a world like the generated one: a source (manifest.jsonl), its truth (truth.jsonl) and settings (slac.toml), so
simulated people, measures and benchmarks read it unchanged.

Series are apart in the splits because of the bytes of the joined videos, and not because of a rule that only
rehearsals have. Admission takes a video's split from the hash of its bytes. Each file ends with a number that no player
reads, and that number is chosen so that the hash lies where all videos of its part lie.
"""

import errno
import hashlib
import itertools
import json
import struct
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path

from slac_tasks.errors import BrokenContract
from slac_tasks.model import media_video_id, split_point
from slac_tasks.progress import print_line, track
from slac_tasks.scratch import Scratch
from slac_tasks.video import confined
from slac_tasks.video.originals import RATES
from slac_tasks.world import disk, joining, presets, truth
from slac_tasks.world.joins import Join, Piece, plan
from slac_tasks.world.rehearsal import Rehearsal
from slac_tasks.world.takes import (
    LEAST_PLAY_SEC,
    MOST_PLAY_SEC,
    POINTS,
    dealt,
    parts_of,
    read_footage,
    rehearsed,
)

SHORT_SIDE = 256
"""Of a joined video, in pixels at most: people are shown no larger one."""
_BOUNDS = confined.Bounds(
    wall_sec=900, cpu_sec=300, memory_bytes=4 << 30, file_bytes=1 << 30, output_bytes=1 << 20
)  # fmt: skip


def make_rehearsal(rehearsal: Rehearsal, into: Path, *, processes: int) -> bool:
    """Write the source and its truth into a folder; return False when they are there already.

    One that was cut off goes on where it stopped.

    Raises:
        BrokenContract: the folder of trimmed videos has nothing to rehearse on, or `into` holds something else.

    """
    into = into.absolute()
    with disk.making(into, rehearsal.stamp()) as wanted:
        if wanted:
            _write(rehearsal, into, processes)
    return wanted


@dataclass(frozen=True, kw_only=True)
class Made:
    """What became of a joined video; kept beside it until all are there."""

    rate: int
    frames: tuple[int, ...]
    """Of each piece that is in it ..."""
    actions: tuple[str, ...]
    """... and what it shows; empty: a held picture."""
    lost: Mapping[str, str]
    """Takes that could not be decoded, and why."""

    def segments(self) -> Iterator[tuple[str, float, float]]:
        """Yield (action, start, end) in seconds of each piece."""
        ends = list(accumulate(self.frames))
        for action, start, end in zip(self.actions, [0, *ends], ends, strict=False):
            yield action, start / self.rate, end / self.rate


def _write(rehearsal: Rehearsal, into: Path, processes: int) -> None:
    footage = read_footage(rehearsal.folder)
    parts = parts_of(footage.takes, rehearsal.seed)
    actions = rehearsed(footage, parts)
    joins = plan(
        dealt(parts, actions, rehearsal.seed), actions, footage.backgrounds,
        seed=rehearsal.seed, videos=rehearsal.videos, wrong=rehearsal.wrong,
    )  # fmt: skip
    others = sorted({take.action for take in footage.takes} - set(actions))
    between = f"; between them alone: {', '.join(others)}" if others else ""
    series = sum(len(part.series) for part in parts)
    print_line(
        f"rehearse: {len(footage.takes)} trimmed videos of {series} series in {len(parts)} parts; "
        f"{len(actions)} classes{between}"
    )
    set_aside = Counter(footage.set_aside)
    made: list[tuple[Join, Made]] = []
    fatal: set[str] = set()
    with ThreadPoolExecutor(max_workers=processes) as pool:
        done = pool.map(partial(_joined, into, fatal), joins)
        for each, result in track(zip(joins, done, strict=True), len(joins), "rehearse: joins videos"):
            if isinstance(result, Made):
                made.append((each, result))
            else:
                set_aside[result] += 1
    lost = {name: why for _, result in made for name, why in result.lost.items()}
    if lost:
        set_aside["cannot be decoded"] = len(lost)
    for reason, count in sorted(set_aside.items()):
        print_line(f"rehearse: set aside {count}: {reason}")
    if not made:
        raise BrokenContract(f"rehearsal {rehearsal.folder}: no video can be decoded; want videos that play")
    disk.write_rows(into / disk.MANIFEST, (_offer(each).line() for each, _ in made))
    disk.write_rows(into / truth.FILE, (_shown(each, result).line() for each, result in made))
    disk.write(into / "slac.toml", presets.rehearsal_settings(into))


def _joined(into: Path, fatal: set[str], each: Join) -> Made | str:
    """Write one video, unless it is there; return what is in it, or the reason why there is none.

    Takes that end the decoder are put into `fatal`, so that no other video tries them.
    """
    target = into / each.location
    beside = target.with_suffix(".json")
    if not (target.exists() and beside.exists()):
        target.parent.mkdir(parents=True, exist_ok=True)
        with Scratch(into) as scratch:
            part = scratch / "joined.mp4"
            result = _join(part, each.pieces, fatal)
            if result is None:
                return "joined video of which nothing can be decoded"
            _settle(part, each.part.point)
            disk.write(beside, json.dumps(asdict(result)))
            part.replace(target)
    kept = json.loads(beside.read_text(encoding="utf-8"))
    return Made(rate=kept["rate"], frames=tuple(kept["frames"]), actions=tuple(kept["actions"]), lost=kept["lost"])


def _join(target: Path, pieces: Sequence[Piece], fatal: set[str]) -> Made | None:
    """Let a confined process join the pieces; return None where none of them can be decoded."""
    alive = [piece for piece in pieces if piece.take.name not in fatal]
    answer = _ask(target, alive)
    if answer is None:
        for piece in {piece.take.name: piece for piece in alive}.values():
            if _ask(target, [piece]) is None:
                fatal.add(piece.take.name)
        alive = [piece for piece in alive if piece.take.name not in fatal]
        answer = _ask(target, alive)
    if answer is None or answer.rate is None:
        return None
    lost = {piece.take.name: "ends the decoder" for piece in pieces if piece.take.name in fatal}
    found: list[tuple[Piece, int]] = []
    for piece, became in zip(alive, answer.pieces, strict=True):
        if isinstance(became, int):
            found.append((piece, became))
        else:
            lost[piece.take.name] = became
    return Made(
        rate=answer.rate,
        frames=tuple(count for _, count in found),
        actions=tuple("" if piece.still_sec else piece.take.action for piece, _ in found),
        lost=lost,
    )


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What `slac_tasks.world.joining` prints."""

    rate: int | None
    pieces: Sequence[int | str]


def _ask(target: Path, pieces: Sequence[Piece]) -> _Answer | None:
    """Run `slac_tasks.world.joining`; return None where a piece ended it.

    Raises:
        OSError: the disk is full.

    """
    order = {
        "target": str(target), "short_side": SHORT_SIDE, "rates": RATES,
        "pieces": [
            {
                "path": str(piece.take.path), "least_sec": LEAST_PLAY_SEC, "most_sec": MOST_PLAY_SEC,
                "still_sec": piece.still_sec,
            }
            for piece in pieces
        ],
    }  # fmt: skip
    script = Path(joining.__file__)
    reads = [script, *{piece.take.path for piece in pieces}]
    ended = confined.run(
        [sys.executable, "-I", str(script), json.dumps(order)], _BOUNDS, reads=reads, writes=target.parent
    )
    if "No space left on device" in ended.said:
        raise OSError(errno.ENOSPC, "No space left on device", str(target.parent))
    if ended.code > 0:
        raise RuntimeError(f"{script}: exit {ended.code}: {ended.said[-2000:]}")
    return _Answer(**json.loads(ended.output)) if ended.code == 0 and ended.over is None else None


def _settle(path: Path, point: int) -> None:
    """Append a box that no player reads, so that admission's hash of the bytes lies in this stretch of [0, 1)."""
    media = hashlib.sha256(path.read_bytes())
    for number in itertools.count():
        box = struct.pack(">I4sQ", 16, b"free", number)
        attempt = media.copy()
        attempt.update(box)
        if int(split_point(media_video_id(attempt.hexdigest())) * POINTS) == point:
            break
    with path.open("ab") as file:
        file.write(box)


def _offer(each: Join) -> disk.Offered:
    return disk.Offered(
        category=each.category, location=each.location, source_id=each.source_id, published_at=each.published_at,
        licence=None,
    )  # fmt: skip


def _shown(each: Join, made: Made) -> truth.Shown:
    segments = list(made.segments())
    return truth.Shown(
        source_id=each.source_id,
        category=each.category,
        duration_sec=sum(made.frames) / made.rate,
        segments=truth.by_action(segment for segment in segments if segment[0]),
        shots=tuple((start, end, None) for _, start, end in segments),
    )
