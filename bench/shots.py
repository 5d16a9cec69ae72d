"""Shot boundaries, ours and PySceneDetect's: `python -m bench.shots [--quick]`.

Generated videos with known cuts, fades through black and dissolves (12 frames), encoded, read as `fetch` reads them.
Three real ones, looked at frame by frame, are added where the folder of shared videos stands beside the project. A cut
counts as found within 0.15 s, a fade or dissolve within 0.75 s; whatever else is found is false. The last line is one
JSON object.
"""

import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np

from bench.harness import Bench, Figures, Seed
from bench.harness.costs import now
from bench.harness.places import shared
from bench.harness.tables import table
from bench.harness.videos import proxy
from slac_tasks.collect.settings import Collect
from slac_tasks.video import shots
from slac_tasks.world import film, scene
from slac_tasks.world.catalogue import SIZES, categories

DISSOLVE_FRAMES = 12
TOLERANCE_SEC = {"cut": 0.15, "fade": 0.75, "dissolve": 0.75}
LIMITS = Collect(min_duration_sec=0.5)
REAL = {
    # Seen on contact sheets of four frames a second, cuts frame by frame.
    "psd_fades.mp4": (("fade", 3.36), ("fade", 6.72)),
    "nasa_13013.mp4": (("dissolve", 5.5), ("cut", 8.08)),
    "cosmos_video30s.mp4": (
        ("dissolve", 3.3), ("fade", 8.6), ("cut", 11.92), ("fade", 14.2), ("fade", 15.9), ("fade", 19.75),
        ("cut", 21.79), ("cut", 23.88), ("cut", 25.42), ("fade", 26.2), ("cut", 27.96),
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is looked at."""

    videos: Annotated[int, "generated videos"] = 60
    seconds: Annotated[float, "length of a generated video"] = 40.0
    real: Annotated[int, "real videos, at most"] = len(REAL)
    seed: Seed = 77


@dataclass(frozen=True, kw_only=True)
class Video:
    """One video as the detectors see it, and where its shots change."""

    truth: Sequence[tuple[str, float]]
    fps: int
    small: np.ndarray


@dataclass(kw_only=True)
class Tally:
    """What a detector found."""

    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOLERANCE_SEC, 0))
    missed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TOLERANCE_SEC, 0))
    false: int = 0
    seconds: float = 0.0

    def f1(self, *kinds: str) -> float:
        """Return F1 over some kinds of boundary; every false one counts."""
        hits = sum(self.found[kind] for kind in kinds)
        return 2 * hits / max(1, 2 * hits + self.false + sum(self.missed[kind] for kind in kinds))


def drawn(script: scene.Script, dissolves: set[int]) -> Iterator[np.ndarray]:
    """Yield the frames of a script; the shots of `dissolves` come out of the one before."""
    reels = [list(reel) for reel in _reels(script)]
    for number in dissolves:
        before, after = reels[number - 1], reels[number]
        for step in range(DISSOLVE_FRAMES):
            share = (step + 1) / (DISSOLVE_FRAMES + 1)
            place = step - DISSOLVE_FRAMES
            before[place] = cv2.addWeighted(before[place], 1 - share, after[0], share, 0)
    return itertools.chain.from_iterable(reels)


def _reels(script: scene.Script) -> Iterator[Iterator[np.ndarray]]:
    frames = film.frames(script)
    for shot in script.shots:
        yield itertools.islice(frames, round(shot.end_sec * scene.FPS) - round(shot.start_sec * scene.FPS))


def generated(size: Size, number: int, folder: Path, *, gradual: bool) -> Video:
    """Return a generated video: with hard cuts alone, or with fades and dissolves among them."""
    actions = categories(SIZES["demo"])
    script = scene.write_script((size.seed, number), size.seconds, actions[number % len(actions)], actions)
    rng = np.random.default_rng((5, number))
    if not gradual:
        script = replace_fades(script)
    dissolves: set[int] = set()
    truth = []
    for place, (before, shot) in enumerate(itertools.pairwise(script.shots), start=1):
        kind = "fade" if before.fades or shot.fades else "cut"
        if gradual and kind == "cut" and rng.random() < 0.3:
            kind = "dissolve"
            dissolves.add(place)
        truth.append((kind, shot.start_sec))
    path = folder / f"generated-{number}.mp4"
    film.encode(path, drawn(script, dissolves))
    return read(path, truth, folder)


def replace_fades(script: scene.Script) -> scene.Script:
    """Return the script with hard cuts alone."""
    return replace(script, shots=tuple(replace(shot, fades=False) for shot in script.shots))


def read(path: Path, truth: Sequence[tuple[str, float]], folder: Path) -> Video:
    """Return a video as `fetch` hands it to the detector."""
    made = proxy(path, folder / path.stem, LIMITS)
    return Video(truth=truth, fps=made.fps, small=np.array(made.small))


def judge(videos: Sequence[Video], detector: str) -> Tally:
    """Run a detector over videos and compare with the truth."""
    tally = Tally()
    for video in videos:
        began = now()
        found = {frame / video.fps for frame in shots.DETECTORS[detector](video.small, video.fps)}
        tally.seconds += (now() - began).own_sec
        for kind, at_sec in video.truth:
            near = [f for f in found if abs(f - at_sec) <= TOLERANCE_SEC[kind]]
            if near:
                found.discard(min((abs(f - at_sec), f) for f in near)[1])
                tally.found[kind] += 1
            else:
                tally.missed[kind] += 1
        tally.false += len(found)
    return tally


def measure(size: Size, folder: Path) -> Figures:
    """Let both detectors look at the same videos."""
    half = size.videos // 2
    sets = {
        "cuts": [generated(size, number, folder, gradual=False) for number in range(half)],
        "gradual": [generated(size, number, folder, gradual=True) for number in range(half, size.videos)],
    }
    if real := shared("videos"):
        sets["real"] = [read(real / name, truth, folder) for name, truth in itertools.islice(REAL.items(), size.real)]
    tallies = {
        (name, detector): judge(videos, detector) for name, videos in sets.items() for detector in shots.DETECTORS
    }
    minutes = {name: sum(len(video.small) / video.fps for video in videos) / 60 for name, videos in sets.items()}
    heads = {"videos": "", "detector": "", **dict.fromkeys(TOLERANCE_SEC, ""), "false": "", "F1": ".3f"}
    print(table({**heads, "ms per min": ".0f"}, [
        (name, detector, *(f"{tally.found[kind]}/{tally.found[kind] + tally.missed[kind]}" for kind in TOLERANCE_SEC),
         tally.false, tally.f1(*TOLERANCE_SEC), 1000 * tally.seconds / minutes[name])
        for (name, detector), tally in tallies.items()
    ]))  # fmt: skip
    return {
        "f1_cuts": tallies["cuts", "histogram"].f1("cut"),
        "f1_fades": tallies["gradual", "histogram"].f1(*TOLERANCE_SEC),
        "f1_scenedetect": tallies["gradual", "pyscenedetect"].f1(*TOLERANCE_SEC),
        "f1_cuts_scenedetect": tallies["cuts", "pyscenedetect"].f1("cut"),
        "f1_real": tallies["real", "histogram"].f1(*TOLERANCE_SEC) if real else None,
        "f1_real_scenedetect": tallies["real", "pyscenedetect"].f1(*TOLERANCE_SEC) if real else None,
        "scale": size.videos * size.seconds / (Size().videos * Size().seconds),
    }


BENCH = Bench(
    name="shots", doc=__doc__, measure=measure,
    full=Size(), quick=Size(videos=8), tiny=Size(videos=2, seconds=20.0, real=1),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
