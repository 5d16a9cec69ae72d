"""Segments that were found in somebody's videos, as files that others read: ActivityNet's `results` and a table."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from slac_tasks.given.words import fault_of, printable
from slac_tasks.localization.spotted import Spotted
from slac_tasks.model import content_hash
from slac_tasks.outputs import whole

_DIGITS = 3
_MOST_BYTES = 230
"""Of a name: a file's has 255, of which endings and a number take some."""


@dataclass(frozen=True, kw_only=True)
class FoundRow:
    """One segment of one video."""

    video: str
    """Name of the video in all files."""
    category: str
    start_sec: float
    """On the video's own clock, from its first picture."""
    end_sec: float
    score: float
    """0 to 1; of two segments of one category the higher is surer."""


@dataclass(frozen=True, kw_only=True)
class FoundVideo:
    """What was found in one video."""

    name: str
    path: str
    """As it was given."""
    duration_sec: float
    rows: tuple[FoundRow, ...]
    """By falling score."""

    def of_categories(self, wanted: Sequence[str]) -> "FoundVideo":
        """Return it with what was found of these categories, or of all where none is named."""
        return replace(self, rows=tuple(row for row in self.rows if not wanted or row.category in wanted))


def rows_of(name: str, spotted: Spotted, categories: Sequence[str], wanted: Sequence[str] = ()) -> tuple[FoundRow, ...]:
    """Return what was found as rows; only of the wanted categories, where some are named."""
    columns = zip(spotted.category, spotted.start_sec, spotted.end_sec, spotted.score, strict=True)
    rows = (
        FoundRow(
            video=name, category=categories[int(category)], start_sec=round(float(start), _DIGITS),
            end_sec=round(float(end), _DIGITS), score=round(float(score), 5),
        )
        for category, start, end, score in columns
    )  # fmt: skip
    return tuple(row for row in rows if not wanted or row.category in wanted)


def names_of(paths: Sequence[Path]) -> list[str]:
    """Return a name for each video: its file's without the suffix, with a number where several share it."""
    names: dict[str, None] = {}
    for path in paths:
        own = name_of(path.stem)
        name, number = own, 2
        while name in names:
            name, number = f"{own}-{number}", number + 1
        names[name] = None
    return list(names)


def name_of(word: str) -> str:
    """Return a word as the name of a video in all files, and of files of its own.

    What no line of a text file can hold is escaped: bytes that are not UTF-8, and line breaks of all kinds. A slash is
    none of a name, and one that is too long for a file ends in a hash.
    """
    line = word.replace("/", "_")
    line = printable(line) if fault_of(line) or line.splitlines() != [line] else line
    if len(line.encode()) <= _MOST_BYTES:
        return line
    return f"{line.encode()[: _MOST_BYTES - 17].decode(errors='ignore')}-{content_hash(line)}"


def write_json(videos: Sequence[FoundVideo], path: Path, version: str) -> None:
    """Write ActivityNet's file of results, which its scripts and those of HACS and OpenTAD judge."""
    results = {
        video.name: [
            {"label": row.category, "score": row.score, "segment": [row.start_sec, row.end_sec]} for row in video.rows
        ]
        for video in videos
    }
    text = json.dumps({"version": version, "results": results, "external_data": {}}, ensure_ascii=False, indent=1)
    with whole(path) as part:
        part.write_text(text + "\n", encoding="utf-8")


def write_csv(videos: Sequence[FoundVideo], path: Path) -> None:
    """Write a line for each segment."""
    with whole(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [each.name for each in fields(FoundRow)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in _rows(videos))


def _rows(videos: Sequence[FoundVideo]) -> Iterator[FoundRow]:
    for video in videos:
        yield from video.rows


def apart(rows: Sequence[FoundRow], least_score: float) -> list[FoundRow]:
    """Return what people are shown: the surest segments that no surer one of their category overlaps, by time.

    The files hold every segment, as benchmarks want them; several of them may stand for one action.
    """
    shown: list[FoundRow] = []
    for row in sorted(rows, key=lambda row: -row.score):
        clear = all(
            other.category != row.category or other.end_sec <= row.start_sec or other.start_sec >= row.end_sec
            for other in shown
        )
        if row.score >= least_score and clear:
            shown.append(row)
    return sorted(shown, key=lambda row: (row.start_sec, row.category))
