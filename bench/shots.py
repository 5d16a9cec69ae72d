"""Shot boundaries, ours and PySceneDetect's: `python -m bench.shots [--quick]`.

Generated videos with known cuts, fades through black and dissolves (12 frames), encoded, read as `fetch` reads them.
Three real ones, looked at frame by frame, are added where the folder of shared videos stands beside the project. A cut
counts as found within 0.15 s, a fade or dissolve within 0.75 s; whatever else is found is false. The last line is one
JSON object.
"""

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from slac_tasks.collect.settings import Collect
from slac_tasks.video import originals, shots
from slac_tasks.world import film, scene
from slac_tasks.world.catalogue import SIZES, categories

VIDEOS, QUICK_VIDEOS, SECONDS, DISSOLVE_FRAMES = 60, 8, 40.0, 12
TOLERANCE_SEC = {"cut": 0.15, "fade": 0.75, "dissolve": 0.75}
REAL_FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "videos"
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


def generated(seed: int, *, gradual: bool) -> Video:
    """Return a generated video: with hard cuts alone, or with fades and dissolves among them."""
    actions = categories(SIZES["demo"])
    script = scene.write_script((77, seed), SECONDS, actions[seed % len(actions)], actions)
    rng = np.random.default_rng((5, seed))
    if not gradual:
        script = replace_fades(script)
    dissolves: set[int] = set()
    truth = []
    for number, (before, shot) in enumerate(itertools.pairwise(script.shots), start=1):
        kind = "fade" if before.fades or shot.fades else "cut"
        if gradual and kind == "cut" and rng.random() < 0.3:
            kind = "dissolve"
            dissolves.add(number)
        truth.append((kind, shot.start_sec))
    with tempfile.TemporaryDirectory(prefix="slac-bench-") as name:
        path = Path(name) / "video.mp4"
        film.encode(path, drawn(script, dissolves))
        return read(path, truth)


def replace_fades(script: scene.Script) -> scene.Script:
    """Return the script with hard cuts alone."""
    return replace(script, shots=tuple(replace(shot, fades=False) for shot in script.shots))


def read(path: Path, truth: Sequence[tuple[str, float]]) -> Video:
    """Return a video as `fetch` hands it to the detector."""
    limits = Collect(min_duration_sec=0.5)
    with tempfile.TemporaryDirectory(prefix="slac-bench-") as name:
        proxy = originals.make_proxy(path, Path(name), originals.probe(path, limits), limits)
        return Video(truth=truth, fps=proxy.fps, small=np.array(proxy.small))


def judge(videos: Sequence[Video], detector: str) -> Tally:
    """Run a detector over videos and compare with the truth."""
    tally = Tally()
    for video in videos:
        began = time.process_time()
        found = {frame / video.fps for frame in shots.DETECTORS[detector](video.small, video.fps)}
        tally.seconds += time.process_time() - began
        for kind, at_sec in video.truth:
            near = [f for f in found if abs(f - at_sec) <= TOLERANCE_SEC[kind]]
            if near:
                found.discard(min(near, key=lambda f, at=at_sec: abs(f - at)))
                tally.found[kind] += 1
            else:
                tally.missed[kind] += 1
        tally.false += len(found)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.shots", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_VIDEOS} generated videos instead of {VIDEOS}")
    arguments = parser.parse_args()
    count = QUICK_VIDEOS if arguments.quick else VIDEOS
    sets = {
        "cuts": [generated(seed, gradual=False) for seed in range(count // 2)],
        "gradual": [generated(seed, gradual=True) for seed in range(count // 2, count)],
    }
    if REAL_FOLDER.is_dir():
        sets["real"] = [read(REAL_FOLDER / name, truth) for name, truth in REAL.items()]
    else:
        print("no shared videos beside the project: generated ones alone")
    heads = f"{'cuts':>9}{'fades':>9}{'dissolves':>11}{'false':>7}{'F1':>7}{'ms per min':>12}"
    print(f"{'videos':<10}{'detector':<16}{heads}")
    tallies: dict[tuple[str, str], Tally] = {}
    for name, videos in sets.items():
        minutes = sum(len(video.small) / video.fps for video in videos) / 60
        for detector in shots.DETECTORS:
            tally = tallies[name, detector] = judge(videos, detector)
            of = [f"{tally.found[kind]}/{tally.found[kind] + tally.missed[kind]}" for kind in TOLERANCE_SEC]
            speed = 1000 * tally.seconds / minutes
            print(f"{name:<10}{detector:<16}{of[0]:>9}{of[1]:>9}{of[2]:>11}{tally.false:>7}{tally.f1(*TOLERANCE_SEC):>7.3f}"
                  f"{speed:>12.0f}")  # fmt: skip
    figures = {
        "f1_cuts": tallies["cuts", "histogram"].f1("cut"),
        "f1_fades": tallies["gradual", "histogram"].f1(*TOLERANCE_SEC),
        "f1_scenedetect": tallies["gradual", "pyscenedetect"].f1(*TOLERANCE_SEC),
        "f1_cuts_scenedetect": tallies["cuts", "pyscenedetect"].f1("cut"),
        "f1_real": tallies["real", "histogram"].f1(*TOLERANCE_SEC) if "real" in sets else None,
        "f1_real_scenedetect": tallies["real", "pyscenedetect"].f1(*TOLERANCE_SEC) if "real" in sets else None,
        "scale": count / VIDEOS,
    }
    print(json.dumps({"bench": "shots", "figures": figures}))


if __name__ == "__main__":
    main()
