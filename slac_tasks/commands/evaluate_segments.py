"""Judge the segments that a network found, by the rules of ActivityNet or of THUMOS14's toolkit.

slac evaluate segments results.json --truth activity_net.json --split validation
slac evaluate segments results.json --truth anet_anno_action.json --truth video_info.csv --split validation
slac evaluate segments results.json --truth test_Annotation.csv --rules thumos14 --categories
slac evaluate segments results.json --truth HACS_segments.json --split validation --missing missing.csv

Prints mAP at each tIoU, average recall against the number of proposals, why detections are wrong, what is missed, and
with --categories each category. Intervals are of 95 % and resample the videos. The truth may be lists of ActivityNet,
HACS Segments, THUMOS14, MultiTHUMOS or Charades; the results are the json of ActivityNet. What cannot be judged is set
aside and counted by reason, and the first of it is printed.

With --missing the score is that of the videos that are still there. It has a second interval, which holds what the
whole benchmark would have given if videos were lost by chance.
"""

import argparse
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from slac_tasks.annotations.readers import READERS
from slac_tasks.annotations.rows import OddRow
from slac_tasks.errors import WrongArguments
from slac_tasks.evaluation.intervals import Measured
from slac_tasks.evaluation.measures import Bools
from slac_tasks.given.words import printable
from slac_tasks.localization.average_precision import RULES, matched
from slac_tasks.localization.diagnosis import KINDS, Depth, Part, by_depth, costs, kinds, sensitivity
from slac_tasks.localization.judging import OfCategory, Scores, of_categories, of_whole, scores
from slac_tasks.localization.reading import Judged, Results, benchmark, gone, reasons, results
from slac_tasks.localization.recall import recall
from slac_tasks.localization.segments import part
from slac_tasks.model import Split
from slac_tasks.progress import counted, print_line

_FIRST = 3
"""So many lines that were set aside are printed."""
_DEPTHS = (1, 3, 5, 10)
"""How many detections of a category the table of kinds looks at, in numbers of its segments."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    rules = "; ".join(f"{each.name}: {each.help}" for each in RULES.values())
    parser.add_argument("results", type=Path, help="json of ActivityNet's results")
    parser.add_argument("--truth", action="append", required=True, type=Path, help="list of segments; may be repeated")
    parser.add_argument("--format", choices=sorted(READERS), help="format of the truth; default: what it holds decides")
    parser.add_argument("--split", choices=[str(split) for split in Split], help="part of the truth; default: all")
    parser.add_argument("--rules", choices=sorted(RULES), default="activitynet", help=rules)
    parser.add_argument("--tiou", action="append", type=float, help="threshold instead of the rules'; may be repeated")
    parser.add_argument("--missing", type=Path, help="list of videos that are gone: one id in a line, or HACS's csv")
    parser.add_argument("--categories", action="store_true", help="print each category too")
    parser.add_argument("--json", action="store_true", help="print all as one JSON object")


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that is known of some results."""

    rules: str
    videos: int
    """Of the benchmark, those that are gone included."""
    gone: int
    segments: int
    detections: int
    scores: Scores
    whole: Measured
    """The average mAP with the interval that holds what the whole benchmark would have given."""
    lost_categories: tuple[str, ...]
    """Of which no segment is left."""
    depths: tuple[Depth, ...]
    costs: Mapping[str, float]
    sensitivity: tuple[Part, ...]
    categories: tuple[OfCategory, ...]


def main(arguments: argparse.Namespace) -> None:
    """Print what the results are worth."""
    thresholds = _thresholds(arguments.tiou)
    truth = benchmark(arguments.truth, Split(arguments.split) if arguments.split else None, arguments.format)
    found = results(arguments.results, truth)
    missing, unknown = gone(arguments.missing, truth) if arguments.missing else (None, 0)
    _print_odd("truth", truth.odd)
    _print_odd("results", found.odd)
    if unknown:
        print_line(
            f"evaluate segments: missing: {counted(unknown, 'name is no video', 'names are no videos')} of the truth"
        )
    made = report(truth, found, arguments.rules, thresholds, missing)
    if arguments.json:
        print(json.dumps(asdict(made), indent=1, allow_nan=False))
    else:
        print("\n".join(render(made, categories=arguments.categories)))


def _thresholds(given: Sequence[float] | None) -> np.ndarray | None:
    for value in given or ():
        if not 0 < value <= 1:
            raise WrongArguments(f"--tiou {value:g}: want a number above 0 and up to 1")
    return np.array(sorted(set(given))) if given else None


def report(
    truth: Judged, found: Results, rules: str, thresholds: np.ndarray | None = None, missing: Bools | None = None
) -> Report:
    """Return what results are worth.

    Raises:
        WrongArguments: no segment is left, since all of their videos are gone.

    """
    absent = np.zeros(len(truth.benchmark.videos), dtype=bool) if missing is None else missing
    left = truth.benchmark.surviving(absent)
    if not len(left.truth):
        raise WrongArguments(
            f"missing: {absent.sum():,} of {counted(len(absent), 'video')} gone, and no segment is left"
        )
    detected = part(found.found, ~absent[found.found.video])
    judged = matched(left, detected, RULES[rules], thresholds)
    scored = scores(judged, recall(left, detected), absent)
    lost = np.setdiff1d(np.unique(truth.benchmark.truth.category), judged.present)
    of_kinds = kinds(judged)
    return Report(
        rules=rules, videos=len(absent), gone=int(absent.sum()), segments=len(left.truth), detections=len(detected),
        scores=scored, whole=of_whole(scored.average, int(absent.sum()), len(absent)),
        lost_categories=tuple(left.categories[category] for category in lost.tolist()),
        depths=tuple(each for each in by_depth(judged, of_kinds) if each.depth in _DEPTHS),
        costs=costs(judged, of_kinds), sensitivity=tuple(sensitivity(judged)), categories=tuple(of_categories(judged)),
    )  # fmt: skip


def render(made: Report, *, categories: bool) -> Iterator[str]:
    """Yield the lines of the tables."""
    there = made.videos - made.gone
    yield (
        f"{counted(there, 'video')}, {counted(made.segments, 'segment')} of "
        f"{counted(len(made.categories), 'category')}, {counted(made.detections, 'detection')}, rules of {made.rules}"
    )
    yield f"{'':<34}{'value':>8}{'low':>8}{'high':>8}"
    for threshold, one in made.scores.at:
        yield _row(f"mAP at tIoU {threshold:.2f}", one)
    yield _row("average mAP", made.scores.average)
    for number, one in made.scores.recalls:
        yield _row(f"AR at {number:.0f} proposals a video", one)
    yield _row("area under AR against AN", made.scores.area)
    if made.gone:
        yield from _of_missing(made)
    yield from _of_kinds(made)
    yield from _of_parts(made.sensitivity)
    if categories:
        yield f"\n{'category':<34}{'segments':>10}{'detections':>12}{'AP':>8}{'low':>8}{'high':>8}"
        for each in made.categories:
            yield f"{each.name:<34}{each.segments:>10,}{each.detections:>12,}" + _numbers(each.precision)


def _of_missing(made: Report) -> Iterator[str]:
    there = made.videos - made.gone
    yield f"\n{made.gone:,} of {counted(made.videos, 'video')} gone: the score is that of the other {there:,}."
    if made.lost_categories:
        without = counted(len(made.lost_categories), "category has", "categories have")
        yield f"{without} no segment left: {', '.join(made.lost_categories[:5])}"
    yield _row("whole, if lost by chance", made.whole)


def _of_kinds(made: Report) -> Iterator[str]:
    first = made.scores.at[0][0]
    yield f"\n{f'shares at tIoU {first:.2f}':<34}" + "".join(f"{name:>14}" for name in KINDS)
    for each in made.depths:
        name = f"surest {each.depth} x segments"
        yield f"{name:<34}" + "".join(f"{share:>14.3f}" for share in each.shares)
    costs = "".join(f"{made.costs[name]:>14.4f}" for name in KINDS if name in made.costs)
    yield f"{'average mAP it costs':<34}{'':>14}{costs}"


def _of_parts(parts: Sequence[Part]) -> Iterator[str]:
    yield f"\n{'segments':<34}{'number':>8}{'missed':>8}{'AP, normalised':>16}"
    for each in parts:
        unit = "s" if each.what == "length" else "of the video"
        name = each.what if each.what == "all" else f"{each.what} {each.low:.3g} to {each.high:.3g} {unit}"
        yield f"{name:<34}{each.segments:>8,}" + (
            f"{each.missed:>8.3f}{each.precision:>16.4f}" if each.missed is not None else f"{'-':>8}{'-':>16}"
        )


def _row(name: str, one: Measured) -> str:
    return f"{name:<34}" + _numbers(one)


def _numbers(one: Measured) -> str:
    value = math.nan if one.value is None else one.value
    return f"{value:>8.4f}{one.low:>8.4f}{one.high:>8.4f}"


def _print_odd(what: str, odds: Sequence[OddRow]) -> None:
    """Print what was set aside, and what was taken with a remark."""
    for taken, words in ((False, "set aside"), (True, "taken all the same")):
        some = [each for each in odds if each.taken == taken]
        for each in some[: 0 if taken else _FIRST]:
            print_line(printable(f"evaluate segments: {what}: set aside {each.place}: {each.reason}: {each.detail}"))
        if some:
            print_line(f"evaluate segments: {what}: {words}: {reasons(some)}")
