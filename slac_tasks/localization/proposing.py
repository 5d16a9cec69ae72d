"""Segments of videos that nobody has cut, from the curve that sparse clips have taught (self-training, ours)."""

import numpy as np
import torch
from torch import Tensor

from slac_tasks.evaluation.measures import Bools
from slac_tasks.localization.detecting import look
from slac_tasks.localization.features import Clock
from slac_tasks.localization.head import Head
from slac_tasks.localization.labels import NO, YES, Span, said_of

_YES = 0.5
"""A cell shows the category where the curve is above."""
_NO = 0.3
"""A cell does not show it where the curve is below."""
_SURE = 0.65
"""A segment is taken where its highest cell is above; in others neither yes nor no is known."""
_LEAST_SEC = 0.7
"""A shorter stretch is no segment."""
_BESIDE_SEC = 0.3
"""Around a segment so much is left open: nobody knows where it ends."""


def propose(head: Head, features: Tensor, labels: Tensor, clock: Clock) -> tuple[list[Span], Tensor]:
    """Return (the segments, where it is known whether a place shows a category, shape (cells, categories)).

    Only categories are looked for of which the video has a clip: of the others nothing is known. What people said of a
    cell overrules the curve.

    Args:
        head: in evaluation mode.
        features: of the video, (cells, features).
        labels: of its cells, as `labels.cell_labels` has them, (cells, categories).
        clock: how they lie on its clock.

    """
    said, _ = look(head, features)
    curve = torch.sigmoid(said.curve[0, : len(features)])
    curve = torch.where(labels == YES, curve.clamp(min=_SURE + 0.01), curve)
    curve = torch.where(labels == NO, curve.clamp(max=_YES - 0.01), curve)
    asked = said_of(labels)
    known = asked | ((curve < _NO) & asked.any(0))
    spans: list[Span] = []
    beside = round(_BESIDE_SEC / clock.stride_sec)
    for category in torch.nonzero(asked.any(0)).flatten().tolist():
        values = curve[:, category].cpu().numpy()
        for first, last in runs(values >= _YES):
            sure = values[first:last].max() >= _SURE and (last - first) * clock.stride_sec >= _LEAST_SEC
            if sure:
                spans.append((category, first * clock.stride_sec, last * clock.stride_sec))
            for at in (first, last):
                known[max(0, at - beside) : at + beside, category] = False
            if not sure:
                known[first:last, category] = False
    return spans, known


def runs(yes: Bools) -> list[tuple[int, int]]:
    """Return (first, last + 1) of each run of trues."""
    edges = np.diff(np.concatenate([[0], yes.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges > 0).tolist(), np.flatnonzero(edges < 0).tolist(), strict=True))
