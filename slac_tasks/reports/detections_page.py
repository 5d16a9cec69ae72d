"""What the network of a release finds in whole videos, as a page of its own: a line for each category."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from slac_tasks.reports.html import document
from slac_tasks.storage.datasets.segmenting import DetectionRow


@dataclass(frozen=True, kw_only=True)
class Line:
    """What was found of one category."""

    category: str
    looked_at: int
    """Videos that could be read."""
    with_some: int
    """Those of them in which something was found."""
    segments: int
    length_sec: float | None
    """Median length of a segment; None: there is none."""
    score: float | None
    """Median score of a segment."""
    surest: DetectionRow | None


def line_of(category: str, looked_at: int, rows: Iterable[DetectionRow]) -> Line:
    """Return the line of a category.

    Args:
        category: its key.
        looked_at: videos that could be read.
        rows: its segments.

    """
    found = list(rows)
    return Line(
        category=category, looked_at=looked_at, with_some=len({row.video_id for row in found}), segments=len(found),
        length_sec=median(row.end_sec - row.start_sec for row in found) if found else None,
        score=median(row.score for row in found) if found else None,
        surest=max(found, key=lambda row: row.score, default=None),
    )  # fmt: skip


def page(release: str, lines: Sequence[Line]) -> str:
    """Return the page."""
    return document("detections.html", release=release, lines=lines)
