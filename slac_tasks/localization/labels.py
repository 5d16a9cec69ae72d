"""What a head learns from: sparse clips, segments, or both, as numbers for each cell and each place of the pyramid."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from slac_tasks.localization.features import Clock, Dense

YES, NO = 1, -1
"""What people said of a cell."""
OTHER = -2
"""A cell shows another category, and so, most likely, not this one: nobody was asked."""

_BORDER_CELLS = 1.5

Span = tuple[int, float, float]
"""Category, start and end in seconds."""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A sparse label: a stretch, mostly of two seconds, of which people said whether it shows a category."""

    category: int
    start_sec: float
    end_sec: float
    positive: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesson:
    """One video to learn from."""

    dense: Dense
    clips: tuple[Clip, ...] = ()
    spans: tuple[Span, ...] | None = None
    """All segments of the video; None: nobody has cut all of it."""
    known: tuple[Span, ...] = ()
    """Segments of such a video whose ends people gave; there may be others in it."""


def cell_labels(lesson: Lesson, categories: int) -> Tensor:
    """Return YES, NO, OTHER and 0 (not known) for each cell and category, int8, shape (cells, categories).

    All cells of a positive clip show the category, all of a negative clip do not (Clips of people, not of a frame,
    so a clip may be up to half wrong: `world.truth.MIN_OVERLAP_SEC`). Segments say it of every cell, and overrule.
    """
    clock = lesson.dense.clock
    labels = torch.zeros(clock.count, categories, dtype=torch.int8)
    shown = [(clip.category, clip.start_sec, clip.end_sec) for clip in lesson.clips if clip.positive]
    for _, start_sec, end_sec in (*shown, *lesson.known):
        labels[_cells(clock, start_sec, end_sec)] = OTHER
    # Yes overrules no where clips overlap: a clip that is answered no may end in the action.
    for clip in sorted(lesson.clips, key=lambda clip: clip.positive):
        labels[_cells(clock, clip.start_sec, clip.end_sec), clip.category] = YES if clip.positive else NO
    for category, start_sec, end_sec in lesson.known:
        labels[_cells(clock, start_sec, end_sec), category] = YES
    if lesson.spans is not None:
        labels[:] = NO
        for category, start_sec, end_sec in lesson.spans:
            labels[_cells(clock, start_sec, end_sec), category] = YES
    return labels


def said_of(labels: Tensor) -> Tensor:
    """Return where people said something."""
    return (labels == YES) | (labels == NO)


def _cells(clock: Clock, start_sec: float, end_sec: float) -> slice:
    """Return the cells whose middles lie inside."""
    first = int(np.ceil(start_sec / clock.stride_sec - 0.5 - 1e-6))
    last = int(np.ceil(end_sec / clock.stride_sec - 0.5 - 1e-6))
    return slice(max(0, first), max(0, last))


def borders(ends: Tensor, cells: int) -> Tensor:
    """Return how near each cell is to a start, and to an end, 0 to 1, shape (cells, 2); `ends` is (segments, 2).

    Nobody cuts a video to the frame, so a border is spread over its neighbours (label smoothing, ours).
    """
    middles = torch.arange(cells) + 0.5
    if not len(ends):
        return torch.zeros(cells, 2)
    away = (middles[:, None, None] - ends.cpu()).abs().amin(1)
    return (1 - away / _BORDER_CELLS).clamp(min=0)


def in_cells(spans: Sequence[Span], clock: Clock) -> tuple[Tensor, Tensor]:
    """Return (ends in cells, shape (spans, 2); categories, shape (spans,))."""
    ends = torch.tensor([[start, end] for _, start, end in spans], dtype=torch.float32).reshape(-1, 2)
    return ends / clock.stride_sec, torch.tensor([category for category, _, _ in spans], dtype=torch.long)
