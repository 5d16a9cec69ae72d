"""What a head is told of its mistakes: which places stand for which segment, and what each of its words costs."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

_RADIUS = 1.5
"""Places so many spans around the middle of a segment stand for it (ActionFormer)."""
_RANGE = 4.0
"""A level stands for segments whose farther end is 2 to 4 spans of it away; the finest for all that are shorter."""
_GAMMA, _ALPHA = 2.0, 0.25


class Assigned(NamedTuple):
    """What the places of one video should say."""

    shown: Tensor
    """(places, categories), 0 to 1."""
    reach: Tensor
    """(places, 2), in cells; means nothing where no category is shown."""


def assign(middles: Tensor, spans: Tensor, ends: Tensor, categories: Tensor, outputs: int) -> Assigned:
    """Say which place stands for which segment: of several the shortest.

    Args:
        middles: where each place is, in cells, shape (places,).
        spans: cells that each stands for, shape (places,).
        ends: of the segments, in cells, shape (segments, 2).
        categories: of the segments, shape (segments,).
        outputs: number of categories.

    """
    if not len(ends):
        return Assigned(middles.new_zeros(len(middles), outputs), middles.new_zeros(len(middles), 2))
    before, after = middles[:, None] - ends[None, :, 0], ends[None, :, 1] - middles[:, None]
    far = torch.maximum(before, after)
    middle = ends.mean(1)
    near = (middles[:, None] - middle).abs() < _RADIUS * spans[:, None]
    inside = torch.minimum(before, after) > 0
    last = spans == spans.max()
    least = torch.where(spans == 1, 0.0, spans * _RANGE / 2)
    most = torch.where(last, torch.inf, spans * _RANGE)
    fits = (far > least[:, None]) & (far <= most[:, None])
    length = (ends[:, 1] - ends[:, 0]).expand(len(middles), -1)
    length = torch.where(near & inside & fits, length, torch.inf)
    shortest, which = length.min(1)
    equal = (length <= shortest[:, None] + 1e-3) & length.isfinite()
    shown = (equal.float() @ F.one_hot(categories, outputs).float()).clamp(max=1)
    rows = torch.arange(len(middles), device=middles.device)
    return Assigned(shown, torch.stack([before[rows, which], after[rows, which]], 1))


def focal(logits: Tensor, wanted: Tensor, known: Tensor) -> Tensor:
    """Return the sum of the focal loss (Lin et al. 2017) over what is known; all have one shape."""
    chance = torch.sigmoid(logits)
    missed = (chance - wanted).abs()
    weight = torch.where(wanted > 0, _ALPHA, 1 - _ALPHA) * missed**_GAMMA * known
    return (F.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * weight).sum()


def nearness(logits: Tensor, wanted: Tensor, known: Tensor) -> Tensor:
    """Return the sum of the quality focal loss (Li et al. 2020) of targets between 0 and 1; all have one shape."""
    missed = (torch.sigmoid(logits) - wanted).abs() ** _GAMMA
    return (F.binary_cross_entropy_with_logits(logits, wanted, reduction="none") * missed * known).sum()


def distance(reach: Tensor, wanted: Tensor) -> Tensor:
    """Return 1 - DIoU (Zheng et al. 2020) of segments around one place: of the ends before and after it, (n, 2)."""
    shared = torch.minimum(reach, wanted).sum(1)
    around = torch.maximum(reach, wanted).sum(1).clamp(min=1e-6)
    union = (reach.sum(1) + wanted.sum(1) - shared).clamp(min=1e-6)
    apart = ((reach[:, 1] - reach[:, 0]) - (wanted[:, 1] - wanted[:, 0])) / 2
    return 1 - shared / union + (apart / around) ** 2
