"""Losses of a release's labels, as sums: micro-batches and ranks add up to exactly the loss of the whole batch."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class ReleaseLoss:
    """The mean loss of a batch of masked targets: +1, -1, and 0 where nobody knows.

    `binary`: cross-entropy of each known cell; each weighs the same, which accuracy rewards (ours; HACS and SLAC do not
    say how they weigh). `softmax`: cross-entropy of the category that a clip shows, beside a background whose logit is
    0; of a clip that does not show an action it is what the others leave. `both`: the binary part and the cross-entropy
    of the positives among the categories. A positive clip shows one action, so it also says which of the categories is
    the likeliest; on the generated world the sum transferred better than its first part.
    """

    kind: str

    def counts(self, targets: Tensor) -> Tensor:
        """Return float64 (2,): what the two parts of the loss are divided by, over these clips.

        The sum over all clips of a step, on all ranks, is what `__call__` wants.
        """
        asked, shown = targets != 0, (targets > 0).any(1)
        if self.kind == "softmax":
            return torch.stack([asked.any(1).sum(), shown.sum() * 0]).double()
        return torch.stack([asked.sum(), shown.sum() if self.kind == "both" else shown.sum() * 0]).double()

    def __call__(self, logits: Tensor, targets: Tensor, counts: Tensor) -> Tensor:
        """Return the part of a step's mean loss that these clips are."""
        first, second = counts.to(logits.device, logits.dtype).clamp(min=1)
        if self.kind == "softmax":
            return torch.div(_with_background(logits, targets), first)
        known = (targets != 0).to(logits.dtype)
        right = (targets > 0).to(logits.dtype)
        loss: Tensor = F.binary_cross_entropy_with_logits(logits, right, known, reduction="sum") / first
        if self.kind == "both":
            loss = loss - (_shares(right) * logits.log_softmax(1)).sum() / second
        return loss


def _shares(right: Tensor) -> Tensor:
    """Return the categories that a clip shows as shares of 1; all 0 where it shows none."""
    return torch.div(right, right.sum(1, keepdim=True).clamp(min=1))


def _with_background(logits: Tensor, targets: Tensor) -> Tensor:
    likely = torch.cat([logits, logits.new_zeros(len(logits), 1)], 1).log_softmax(1)[:, :-1]
    right = (targets > 0).to(logits.dtype)
    loss = -(_shares(right) * likely).sum()
    # Of a clip that is asked about and shows nothing: the probability that is left beside the action it lacks.
    lacking = ((targets < 0) & ~(targets > 0).any(1, keepdim=True)).to(logits.dtype)
    left = torch.log(-torch.expm1(likely.clamp(max=-1e-6)))
    return loss - (_shares(lacking) * left).sum()


def with_negatives(targets: Tensor, how: str, drawn: Tensor) -> Tensor:
    """Return the targets with the negatives that a network is to learn from.

    Args:
        targets: int8 (n, categories).
        how: `hard`: those of people, who were asked what the committee did not know. `none`: positives alone.
            `random`: instead of people's, each positive clip lacks one other category, drawn by lot.
        drawn: (n,) in [0, 1), what the lot is.

    """
    if how == "hard":
        return targets
    positive = targets.clamp(min=0)
    others = positive == 0
    if how == "none" or not others.any():
        return positive
    # The k-th of the categories that the clip does not show.
    k = (drawn.to(targets.device) * others.sum(1)).long().clamp(min=0)
    chosen = others & (others.cumsum(1) == k[:, None] + 1) & (positive > 0).any(1, keepdim=True)
    return positive - chosen.to(targets.dtype)
