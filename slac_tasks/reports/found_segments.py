"""The page of `slac localize`: plays each video, with what was found in it as coloured stretches of its bar."""

from collections.abc import Sequence
from dataclasses import dataclass

from slac_tasks.localization.results import FoundRow
from slac_tasks.reports.charts import COLOURS
from slac_tasks.reports.html import document


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One video of the page."""

    name: str
    media: str
    """Path of the file that a browser plays, from the page."""
    duration_sec: float
    rows: Sequence[FoundRow]
    """By time; no two of one category overlap."""


def page(videos: Sequence[Shown], about: str) -> str:
    """Return the page.

    Args:
        videos: what was found.
        about: which network and head found it, in a sentence.

    """
    categories = sorted({row.category for video in videos for row in video.rows})
    colours = {category: number % COLOURS for number, category in enumerate(categories)}
    return document("found_segments.html", about=about, videos=videos, lanes=_lanes, colours=colours)


def _lanes(rows: Sequence[FoundRow]) -> dict[str, list[FoundRow]]:
    """Return the segments of each category, which share a line."""
    found: dict[str, list[FoundRow]] = {}
    for row in sorted(rows, key=lambda row: (row.category, row.start_sec)):
        found.setdefault(row.category, []).append(row)
    return found
