"""Segments from what a head says: the surest places, their ends moved to the slopes of the curve, and soft-NMS."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from slac_tasks.evaluation.measures import Floats, Ints
from slac_tasks.localization.features import Clock
from slac_tasks.localization.head import Head, Outputs
from slac_tasks.localization.spotted import Spotted


@dataclass(frozen=True, kw_only=True)
class Search:
    """How segments are chosen (all values ours but those of soft-NMS, which are ActionFormer's)."""

    least_score: float = 1e-3
    most_places: int = 2000
    most_segments: int = 200
    sigma: float = 0.5
    curve: float = 0.5
    """How much of a segment's score is the curve's: the score is shown^(1 - curve) * curve^curve."""
    refine_sec: float = 1.0
    """An end moves halfway to the borders within so many seconds; 0: it stays."""
    by_video: bool = False
    """Multiply each score with the probability that the whole video shows the category (`video_level`)."""


_SHOWN_PART = 8
"""A video shows a category as surely as its surest eighth does (W-TALC, Paul et al. 2018, section 3.2)."""
_LEAST_SLOPE = 0.5
"""Of all borders near an end together: less says nothing of where it is."""

SEARCH = Search()
"""As segments are chosen unless somebody compares."""


@torch.inference_mode()
def spot(head: Head, features: Tensor, clock: Clock, search: Search = SEARCH) -> Spotted:
    """Return the segments of one video.

    Args:
        head: a head in evaluation mode.
        features: (cells, features), on the head's device.
        clock: how they lie on the video's clock.
        search: how segments are chosen.

    """
    said, mask = look(head, features)
    curve = torch.sigmoid(said.curve[0, : clock.count]).double().cpu().numpy()
    middles, _ = head.places(mask.shape[1], features.device)
    inside = middles < clock.count
    place, category, scores = surest(torch.sigmoid(said.shown[0][inside]), search)
    reach, middle = said.reach[0][inside].double().cpu().numpy()[place], middles[inside].double().cpu().numpy()[place]
    start = (middle - reach[:, 0]).clip(0, clock.count)
    end = (middle + reach[:, 1]).clip(0, clock.count)
    inner = mean_inside(curve, category, start, end)
    scores = scores ** (1 - search.curve) * inner**search.curve
    if search.by_video:
        scores = scores * video_level(curve)[category]
    reach_cells = search.refine_sec / clock.stride_sec
    ends = torch.sigmoid(said.ends[0, : clock.count]).double().cpu().numpy()
    start = refined(border_weights(curve, ends[:, 0], rising=True), category, start, reach_cells)
    end = refined(border_weights(curve, ends[:, 1], rising=False), category, end, reach_cells)
    long = end - start > 0.5
    category, start, end = category[long], start[long], end[long]
    kept, lowered = suppressed(category, start, end, scores[long], search)
    return Spotted(
        category=category[kept], start_sec=start[kept] * clock.stride_sec,
        end_sec=np.minimum(end[kept] * clock.stride_sec, clock.duration_sec), score=lowered,
    )  # fmt: skip


def look(head: Head, features: Tensor) -> tuple[Outputs, Tensor]:
    """Return (what a head says of one video, the mask of its cells)."""
    cells = len(features)
    padded = head.padded(cells)
    mask = torch.arange(padded, device=features.device)[None] < cells
    said: Outputs = head(F.pad(features, (0, 0, 0, padded - cells))[None], mask)
    return said, mask


def surest(shown: Tensor, search: Search) -> tuple[Ints, Ints, Floats]:
    """Return (place, category, score) of the surest of `shown`, (places, categories), 0 to 1, by falling score."""
    score, order = shown.flatten().topk(min(search.most_places, shown.numel()))
    sure = score > search.least_score
    order, count = order[sure], shown.shape[1]
    return (order // count).cpu().numpy(), (order % count).cpu().numpy(), score[sure].double().cpu().numpy()


def mean_inside(curve: Floats, category: Ints, start: Floats, end: Floats) -> Floats:
    """Return the mean of each segment's curve between its ends, given in cells; `curve` is (cells, categories)."""
    summed = np.concatenate([np.zeros((1, curve.shape[1])), np.cumsum(curve, axis=0)])

    def until(at: Floats) -> Floats:
        low = np.floor(at).astype(np.int64).clip(0, len(curve) - 1)
        return np.asarray(summed[low, category] + (at - low) * curve[low, category])

    return np.asarray((until(end) - until(start)) / np.maximum(end - start, 1e-6))


def video_level(curve: Floats) -> Floats:
    """Return how probable it is that a video shows each category, (categories,); `curve` is (cells, categories)."""
    cells = max(1, len(curve) // _SHOWN_PART)
    return np.asarray(np.sort(curve, axis=0)[-cells:].mean(axis=0))


def border_weights(curve: Floats, near: Floats, *, rising: bool) -> Floats:
    """Return how likely a segment begins, or ends, at each border between two cells: (cells + 1, categories).

    Args:
        curve: (cells, categories): its slopes are what clips teach of borders.
        near: how near each cell is to a start, or an end, as the head says, (cells,): what segments teach of them.
        rising: whether these are starts.

    """
    # The border between cell i - 1 and cell i lies at i; a slope is taken over two cells on each side of it.
    padded = np.pad(curve, ((2, 2), (0, 0)), mode="edge")
    slope = padded[2:-1] + padded[3:] - padded[:-3] - padded[1:-2]
    beside = np.pad(near, 1, mode="edge")
    return np.asarray((slope if rising else -slope).clip(0) + (beside[1:] + beside[:-1])[:, None])


def refined(weights: Floats, category: Ints, at: Floats, reach: float) -> Floats:
    """Return ends, halfway moved to the mean of the borders within so many cells, each by its weight.

    Args:
        weights: of each border, (cells + 1, categories).
        category: of each end.
        at: where each end is, in cells.
        reach: cells; 0: an end stays.

    """
    around = np.arange(-int(reach), int(reach) + 1)
    if len(around) == 1:
        return at
    border = np.rint(at).astype(np.int64)[:, None] + around
    inside = (border >= 0) & (border < len(weights))
    weight = weights[border.clip(0, len(weights) - 1), category[:, None]] * inside
    total = weight.sum(1)
    nearest = (weight * border).sum(1) / np.maximum(total, 1e-9)
    return np.asarray(np.where(total > _LEAST_SLOPE, (at + nearest) / 2, at))


def suppressed(category: Ints, start: Floats, end: Floats, score: Floats, search: Search) -> tuple[Ints, Floats]:
    """Return (places of segments, their scores) by falling score; each lowers what overlaps it (Gaussian soft-NMS).

    The ends may be in any unit.
    """
    left = score.copy()
    found: list[tuple[int, float]] = []
    while len(left) and len(found) < search.most_segments:
        best = int(left.argmax())
        if left[best] < search.least_score:
            break
        found.append((best, float(left[best])))
        shared = (np.minimum(end, end[best]) - np.maximum(start, start[best])).clip(0)
        tiou = shared / np.maximum(end - start + end[best] - start[best] - shared, 1e-9)
        left = np.where(category == category[best], left * np.exp(-(tiou**2) / search.sigma), left)
        left[best] = -1
    return np.array([place for place, _ in found], dtype=np.int64), np.array([value for _, value in found])
