"""Benchmarks and results from files: what is judged, and what is set aside, each with its place and reason.

A benchmark is read from published lists (`slac_tasks.annotations`: ActivityNet, HACS Segments, THUMOS14, MultiTHUMOS,
Charades and the others), detections from the json of ActivityNet's results:

    {"version": "...", "results": {"<id>": [{"label": "Dodgeball", "score": 0.9, "segment": [5.4, 11.6]}]}}

A detection that cannot be judged is set aside and counted, and holds up no other: one of a video that the benchmark
does not name, of a label that it does not have, without a finite score, or without a length. So is a segment of the
truth without a length; one that a list names twice is there twice, as ActivityNet's script has it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from slac_tasks.annotations.opened import Opened
from slac_tasks.annotations.reading import read
from slac_tasks.annotations.rows import OddRow, RawRow, Row, checked, odd
from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.given import cells, documents
from slac_tasks.localization.segments import Benchmark, Detections, detections, segments
from slac_tasks.model import Split
from slac_tasks.progress import counted

AMBIGUOUS = frozenset({"Ambiguous", "-1"})
"""The names by which THUMOS14's lists call stretches of which the annotators were not sure."""
_PREFIX = "v_"
"""The ids of YouTube begin so in some layouts of ActivityNet, and not in others."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A benchmark as its files hold it."""

    benchmark: Benchmark
    others: frozenset[str]
    """Names of videos of its other splits."""
    odd: tuple[OddRow, ...]
    """Lines that were set aside, and lines that were taken with a remark."""


def benchmark(paths: Sequence[Path], split: Split | None = None, name: str | None = None) -> Judged:
    """Read what is true.

    Args:
        paths: lists that are read as one.
        split: which part of it; None: all.
        name: the format; without it each file's own is found.

    Raises:
        WrongArguments: a file is not there or of no known format, or there is no segment in this split.
        BrokenContract: a file is not what its format promises as a whole.

    """
    published = read(paths, name, repeated=True)
    own = [row for row in published.rows if split is None or row.split == split]
    labelled = [row for row in own if row.label is not None and row.positive and row.start_sec is not None]
    actions = [row for row in labelled if row.label not in AMBIGUOUS]
    if not actions:
        found = ", ".join(sorted({str(row.split or "unknown") for row in published.rows})) or "no video"
        raise WrongArguments(
            f"truth {', '.join(map(str, paths))}: no segment {f'in the split {split}' if split else 'at all'}, of "
            f"{published}; splits found: {found}"
        )
    videos = tuple(dict.fromkeys(row.video for row in own))
    categories = tuple(sorted({row.label or "" for row in actions}))
    durations = {row.video: row.duration_sec for row in own if row.duration_sec is not None}
    return Judged(
        benchmark=Benchmark(
            videos=videos, categories=categories,
            duration_sec=np.array([durations.get(video, np.nan) for video in videos], dtype=np.float64),
            truth=segments(list(_numbered(actions, videos, categories))),
            ambiguous=segments(list(_numbered((row for row in labelled if row.label in AMBIGUOUS), videos, ()))),
        ),
        others=frozenset(row.video for row in published.rows) - set(videos), odd=published.odd,
    )  # fmt: skip


def _numbered(
    rows: Iterable[Row], videos: Sequence[str], categories: Sequence[str]
) -> Iterator[tuple[int, int, float, float]]:
    of_video = {video: number for number, video in enumerate(videos)}
    of_category = {category: number for number, category in enumerate(categories)}
    for row in rows:
        assert row.start_sec is not None
        assert row.end_sec is not None
        yield of_video[row.video], of_category.get(row.label or "", 0), row.start_sec, row.end_sec


@dataclass(frozen=True, kw_only=True)
class Results:
    """What a network found."""

    found: Detections
    odd: tuple[OddRow, ...]
    """Detections that were set aside."""


def results(path: Path, judged: Judged) -> Results:
    """Read detections.

    Raises:
        WrongArguments: the file is not there.
        BrokenContract: it is no json of results, or holds no detection that can be judged.

    """
    file = Opened(path)
    by_video = file.document.get("results") if isinstance(file.document, Mapping) else None
    if isinstance(by_video, documents.Twice) or not isinstance(by_video, Mapping):
        shown = f"begins with {file.first[:60]!r}" if by_video is None else f"found {str(by_video)[:60]}"
        raise BrokenContract(f"results {path}: {shown}, want an object `results` of videos by name")
    numbers = _numbers_of(judged.benchmark.videos)
    others = {_bare(name) for name in judged.others}
    categories = {category: number for number, category in enumerate(judged.benchmark.categories)}
    rows, odds = [], []
    for video, detection, place in _raw(by_video):
        if isinstance(detection, OddRow):
            odds.append(detection)
            continue
        number = numbers.get(video, numbers.get(_bare(video)))
        if number is None:
            reason = ("another split", "is in another split of the truth") if _bare(video) in others else (
                "unknown video", "is no video of the truth")  # fmt: skip
            odds.append(odd(place, reason[0], f"video {video!r} {reason[1]}"))
            continue
        found = _judged(detection, place, number, categories)
        if isinstance(found, OddRow):
            odds.append(found)
        else:
            rows.append(found)
    if odds and not rows:
        raise BrokenContract(
            f"results {path}: none of {counted(len(odds), 'detection')} can be judged ({reasons(odds)}); the first: "
            f"{odds[0].place}: {odds[0].detail}"
        )
    return Results(found=detections(rows), odd=tuple(odds))


def _raw(by_video: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any] | OddRow, str]]:
    """Yield (video, detection, place); what is no detection is odd."""
    for video, found in by_video.items():
        place = f"video {video!r}"
        if isinstance(found, documents.Twice):
            yield video, odd(place, "named twice", f"is there {len(found.values)} times, want once"), place
        elif not isinstance(found, list):
            yield video, odd(place, "detections", f"is {str(found)[:60]}, want a list of detections"), place
        else:
            for number, each in enumerate(found, start=1):
                where = f"{place}, detection {number}"
                if isinstance(each, Mapping):
                    yield video, each, where
                else:
                    wrong = f"is {str(each)[:60]}, want an object with label, score and segment"
                    yield video, odd(where, "detections", wrong), where


def _judged(
    detection: Mapping[str, Any], place: str, video: int, categories: Mapping[str, int]
) -> tuple[int, int, float, float, float] | OddRow:
    """Return the row of a detection, or why it cannot be judged."""
    times = detection.get("segment")
    if not isinstance(times, list) or len(times) != 2:
        return odd(place, "segment", f"segment is {str(times)[:60]}, want two times in seconds")
    row = checked(RawRow(place=place, video=str(video), label=detection.get("label"), start=times[0], end=times[1]))
    if isinstance(row, OddRow):
        return row
    category = categories.get(row.label or "")
    if category is None:
        return odd(place, "unknown label", f"label {row.label!r} is none of the {len(categories)} of the truth")
    try:
        score = cells.number(detection.get("score"))
    except cells.Unclear as error:
        return odd(place, "score", f"score {error}")
    if score is None or not np.isfinite(score):
        return odd(place, "score", f"score is {detection.get('score')!r}, want a finite number")
    assert row.start_sec is not None
    assert row.end_sec is not None
    return video, category, row.start_sec, row.end_sec, score


def gone(path: Path, judged: Judged) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], int]:
    """Return which videos a list names as missing, shape (videos,), and how many of its names are no videos.

    Args:
        path: one id in a line, or a csv of which the first column holds them, as HACS's missing list.
        judged: the benchmark.

    Raises:
        WrongArguments: it is not there, or names none of the videos.
        BrokenContract: it is no text.

    """
    names = list(dict.fromkeys(line.split(",")[0].strip().strip('"') for _, line in Opened(path).lines))
    if names and names[0].casefold() in ("video_id", "id", "video", "youtube_id"):
        names = names[1:]
    numbers = _numbers_of(judged.benchmark.videos)
    found = [numbers.get(name, numbers.get(_bare(name))) for name in names]
    known = [number for number in found if number is not None]
    if names and not known:
        raise WrongArguments(f"missing {path}: names {len(names):,} videos, of which the truth has none: {names[:3]}")
    result = np.zeros(len(judged.benchmark.videos), dtype=bool)
    result[known] = True
    return result, len(found) - len(known)


def reasons(odds: Collection[OddRow]) -> str:
    """Return how many rows there are of each reason, in words."""
    return ", ".join(f"{count:,} {reason}" for reason, count in sorted(Counter(one.reason for one in odds).items()))


def _bare(name: str) -> str:
    return name.removeprefix(_PREFIX)


def _numbers_of(videos: Iterable[str]) -> dict[str, int]:
    """Return the number of each video by its name, and by its name without `v_`."""
    numbers = {video: number for number, video in enumerate(videos)}
    return {_bare(video): number for video, number in numbers.items()} | numbers
