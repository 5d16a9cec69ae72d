"""Which proposals of a network people are asked about. The file is ActivityNet's `results` json.

    {"version": "...", "results": {"<video>": [{"label": "<class>", "score": 0.93, "segment": [12.5, 31.0]}]}}

A video goes by its video_id, by its source's name, by that name with `v_` before it, or by that of its file without
folder and ending; a label is a category's key or its display name. What cannot be asked is set aside with its reason,
and holds up no other line. Of proposals that overlap as much as people's ends must, the one with the highest score is
asked: the others are about the same.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import Any

from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.given import cells, documents
from slac_tasks.given.words import fault_of, printable
from slac_tasks.model import content_hash
from slac_tasks.storage.datasets.segmenting import SegmentRow
from slac_tasks.storage.manifests import Drop
from slac_tasks.verification.segments.deciding import Ends, tiou

SHORTEST_SEC = 0.2
"""A shorter proposal shows nobody an action: five frames at 25 a second."""


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """One line of a file."""

    place: str
    """Where it stands, for people: `video v_x, segment 2`."""
    video: str
    label: str
    score: float
    ends: Ends


@dataclass(frozen=True, kw_only=True)
class AskableVideo:
    """A video of a category that people may be asked about; columns of the dataset videos."""

    video_id: str
    source_id: str
    split: str
    proxy_256: str
    fps: float
    duration_sec: float


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much is asked."""

    score_least: float
    """Proposals of a lower score are not asked."""
    video_most: int
    """Proposals of one category that are asked about one video, those of the highest score."""
    tiou_same: float
    """Proposals that overlap so much are about the same."""
    votes_wanted: int
    """Answers wanted at first about each."""


class _Odd(Exception):
    """A value is not what the format promises."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def read(path: Path) -> tuple[list[Proposed], list[Drop]]:
    """Return (the proposals of a file, the lines that are none).

    Raises:
        WrongArguments: the file cannot be read.
        BrokenContract: it is no JSON with `results`.

    """
    try:
        document = documents.read(path, "proposals")
    except OSError as error:
        raise WrongArguments(f"proposals {path}: cannot be read: {error.strerror}") from error
    results = document.get("results") if isinstance(document, Mapping) else None
    if not isinstance(results, Mapping):
        raise BrokenContract(f"proposals {path}: want an object with `results`, which holds a list for each video")
    found: list[Proposed] = []
    drops: list[Drop] = []
    for place, video, line in _lines(results):
        try:
            found.append(_checked(place, video, line))
        except _Odd as odd:
            drops.append(_drop(place, odd))
    return found, drops


def _lines(results: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for video, lines in results.items():
        if not isinstance(lines, list):
            yield f"video {video!r}", video, lines
            continue
        for number, line in enumerate(lines, start=1):
            yield f"video {video!r}, segment {number}", video, line


def _checked(place: str, video: str, line: Any) -> Proposed:
    """Return the proposal of a line.

    Raises:
        _Odd: it is none.

    """
    if not isinstance(line, Mapping):
        raise _Odd("line", f"is {str(line)[:60]}, want an object with label, score and segment")
    times = line.get("segment")
    if not isinstance(times, list) or len(times) != 2:
        raise _Odd("segment", f"segment is {str(times)[:60]}, want two times in seconds")
    start, end = (
        _number("segment", f"{name} of the segment", value) for name, value in zip(("start", "end"), times, strict=True)
    )
    if start < 0 or end <= start:
        raise _Odd("segment", f"segment runs from {start:g} to {end:g}, want 0 or more and an end after the start")
    try:
        label = cells.text(line.get("label"))
    except cells.Unclear as error:
        raise _Odd("label", f"label {error}") from error
    if label is None or not label.strip() or fault_of(label):
        raise _Odd("label", f"label is {str(label)[:60]!r}, want the key or the name of a category")
    return Proposed(
        place=place,
        video=video,
        label=label.strip(),
        score=_number("score", "score", line.get("score")),
        ends=(start, end),
    )


def _number(reason: str, what: str, value: Any) -> float:
    try:
        found = cells.number(value)
    except cells.Unclear as error:
        raise _Odd(reason, f"{what} {error}") from error
    if found is None or not math.isfinite(found):
        raise _Odd(reason, f"{what} is {value!r}, want a number")
    return found


def categories_of(names: Mapping[str, str]) -> Callable[[str], str | None]:
    """Return what finds the category of a label.

    Args:
        names: display name of each category, by its key.

    """
    known = {name.casefold(): key for key, name in names.items()} | {key: key for key in names}
    return lambda label: known.get(label) or known.get(label.casefold())


class Videos:
    """The videos of one category by all names that a file may give them. A name that two videos share names none."""

    def __init__(self, videos: Iterable[AskableVideo]) -> None:
        self._by_name: dict[str, AskableVideo | None] = {}
        found = {video.video_id: video for video in videos}
        for video in found.values():
            for name in {video.source_id, f"v_{video.source_id}", PurePath(video.source_id).stem}:
                self._by_name[name] = video if name not in self._by_name else None
        self._by_name |= found

    def find(self, name: str) -> AskableVideo | None:
        """Return the video of this name."""
        return self._by_name.get(name)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the platform holds, against which proposals are checked."""

    category_of: Callable[[str], str | None]
    """Finds the category of a label."""
    videos: Mapping[str, Videos]
    """Admitted videos, by category."""
    asked: Mapping[tuple[str, str], Sequence[Ends]]
    """Ends of the segments that are in the queue already, and those that people gave them, by (category, video_id)."""
    is_withdrawn: Callable[[AskableVideo], bool]


def askable(
    proposed: Sequence[Proposed], origin: str, known: Known, limits: Limits
) -> tuple[list[SegmentRow], list[Drop]]:
    """Return (the segments to ask about, the proposals that are not asked).

    Args:
        proposed: lines of a file.
        origin: who proposed them.
        known: what they are checked against.
        limits: how much is asked.

    """
    rows: list[SegmentRow] = []
    drops: list[Drop] = []
    taken: dict[tuple[str, str], list[Ends]] = defaultdict(list)
    for key, before in known.asked.items():
        taken[key] += before
    counts: dict[tuple[str, str], int] = defaultdict(int)
    # The highest score first, then the order of the file: of two that are about the same the surer one is asked.
    for line in sorted(proposed, key=lambda one: -one.score):
        try:
            category, video, ends = _placed(line, known, limits)
            key = (category, video.video_id)
            _refuse_the_same(ends, taken[key], limits)
            if counts[key] >= limits.video_most:
                raise _Odd("too many", f"{limits.video_most} of a higher score are asked about its video")
        except _Odd as odd:
            drops.append(_drop(line.place, odd))
            continue
        counts[key] += 1
        taken[key].append(ends)
        rows.append(_row(line, category, video, ends, origin, limits))
    return rows, drops


def _drop(place: str, odd: _Odd) -> Drop:
    return Drop(item=printable(place), reason=odd.reason, detail=printable(str(odd))[:300])


def _placed(line: Proposed, known: Known, limits: Limits) -> tuple[str, AskableVideo, Ends]:
    """Return the category, the video and the ends of a proposal.

    Raises:
        _Odd: one of them is none that people may be asked about.

    """
    category = known.category_of(line.label)
    if category is None:
        raise _Odd("label", f"label {line.label[:60]!r} is no category, want the key or the name of a registered one")
    video = known.videos[category].find(line.video) if category in known.videos else None
    if video is None:
        raise _Odd("video", f"{line.video[:60]!r} is not admitted for {category}, want a video_id or a source's name")
    if known.is_withdrawn(video):
        raise _Odd("withdrawn", f"video {video.video_id} was withdrawn")
    if line.score < limits.score_least:
        raise _Odd("low score", f"score is {line.score:g}, want {limits.score_least:g} or more")
    start, end = line.ends[0], min(line.ends[1], video.duration_sec)
    if end - start < SHORTEST_SEC:
        found = f"is of {max(0.0, end - start):.2f} s in a video of {video.duration_sec:g} s"
        raise _Odd("too short", f"{found}, want {SHORTEST_SEC:g} s or more")
    return category, video, (start, end)


def _refuse_the_same(ends: Ends, taken: Iterable[Ends], limits: Limits) -> None:
    for other in taken:
        if tiou(ends, other) >= limits.tiou_same:
            raise _Odd("the same", f"overlaps {other[0]:g} to {other[1]:g}, which is asked, by {tiou(ends, other):.2f}")


def queue_records(rows: Iterable[SegmentRow], round_: str) -> list[dict[str, object]]:
    """Return what is put into the queue of segments, as sql/queries/queue_segment.sql takes it."""
    return [{**asdict(row), "round": round_} for row in rows]


def _row(line: Proposed, category: str, video: AskableVideo, ends: Ends, origin: str, limits: Limits) -> SegmentRow:
    start, end = ends
    return SegmentRow(
        segment_id=content_hash("segment", category, video.video_id, *(str(round(one * 1e6)) for one in ends)),
        category=category, video_id=video.video_id, split=video.split, start_sec=start, end_sec=end, score=line.score,
        origin=origin, proxy_256=video.proxy_256, fps=video.fps, duration_sec=video.duration_sec,
        votes_wanted=limits.votes_wanted, place=line.place,
    )  # fmt: skip
