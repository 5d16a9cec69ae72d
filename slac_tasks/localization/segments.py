"""Segments as columns: what a benchmark says that its videos show when, and what a network found in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from slac_tasks.evaluation.measures import Bools, Floats, Ints

_Places: TypeAlias = Ints | Bools


@dataclass(frozen=True, kw_only=True, eq=False)
class Segments:
    """Stretches of videos, each with a category; all columns have shape (segments,)."""

    video: Ints
    """Number of the video in its benchmark."""
    category: Ints
    """Number of the category in its benchmark."""
    start_sec: Floats
    end_sec: Floats
    """Never before the start; a segment may have no length."""

    def __post_init__(self) -> None:
        for name, column in vars(self).items():
            if column.shape != (len(self),):
                raise ValueError(f"column {name} has shape {column.shape}, want ({len(self)},)")
        if not (self.end_sec >= self.start_sec).all():
            place = int(np.flatnonzero(~(self.end_sec >= self.start_sec))[0])
            raise ValueError(
                f"segment {place} starts at {self.start_sec[place]} and ends at {self.end_sec[place]}, want an end "
                "that is not before the start"
            )

    def __len__(self) -> int:
        return len(self.video)

    @property
    def length_sec(self) -> Floats:
        """Length of each, in seconds."""
        return self.end_sec - self.start_sec


@dataclass(frozen=True, kw_only=True, eq=False)
class Detections(Segments):
    """Segments that a network found."""

    score: Floats
    """Higher is surer; any finite numbers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Benchmark:
    """What is known of some videos."""

    videos: tuple[str, ...]
    """Names of all videos, those without a segment too."""
    categories: tuple[str, ...]
    """Names of all categories with a segment; the measures are means over them."""
    duration_sec: Floats
    """Length of each video, NaN where it is not known, shape (videos,)."""
    truth: Segments
    ambiguous: Segments
    """Stretches of which the annotators were not sure; `category` is 0. THUMOS14 has them."""

    def surviving(self, gone: Bools) -> "Benchmark":
        """Return the benchmark without the videos that are gone, shape (videos,); videos keep their numbers."""
        parts = {name: part(getattr(self, name), ~gone[getattr(self, name).video]) for name in ("truth", "ambiguous")}
        return replace(self, **parts)


def part(segments: Any, places: _Places) -> Any:
    """Return some rows of segments or detections, as the same kind of columns."""
    return type(segments)(**{name: column[places] for name, column in vars(segments).items()})


def segments(rows: Sequence[tuple[int, int, float, float]]) -> Segments:
    """Return the columns of rows of (video, category, start, end)."""
    columns = _columns(rows, 4)
    return Segments(
        video=columns[0].astype(np.int64), category=columns[1].astype(np.int64), start_sec=columns[2],
        end_sec=columns[3],
    )  # fmt: skip


def detections(rows: Sequence[tuple[int, int, float, float, float]]) -> Detections:
    """Return the columns of rows of (video, category, start, end, score)."""
    columns = _columns(rows, 5)
    return Detections(
        video=columns[0].astype(np.int64), category=columns[1].astype(np.int64), start_sec=columns[2],
        end_sec=columns[3], score=columns[4],
    )  # fmt: skip


def _columns(rows: Sequence[tuple[float, ...]], width: int) -> NDArray[np.float64]:
    return np.ascontiguousarray(np.array(rows, dtype=np.float64).reshape(len(rows), width).T)
