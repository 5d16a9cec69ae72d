"""The head that finds segments in dense features: a temporal pyramid in the manner of ActionFormer, of convolutions.

Each level halves time, so that it sees actions of twice the length. At every place of every level the head says which
category is shown and how far its two ends are (ActionFormer, Zhang et al. 2022). At the finest level it says besides
whether each cell shows the category: this curve is what clips of two seconds can teach, and its slopes refine the ends.

Places are counted in cells of the features (`features.Clock`): cell i spans [i, i + 1). Convolutions in place of
attention make the cost linear in the length of a video (ours).
"""

from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_KERNEL = 7
_CLASS_PRIOR = 0.02


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What decides a head's weights, beside what they learned."""

    features: int
    categories: tuple[str, ...]
    width: int = 128
    stem: int = 2
    """Blocks at the finest level."""
    levels: int = 6


class Outputs(NamedTuple):
    """What a head says of a batch of videos; all are logits but `reach`."""

    curve: Tensor
    """(n, cells, categories): whether each cell shows the category."""
    ends: Tensor
    """(n, cells, 2): whether a segment starts, or ends, in the cell."""
    shown: Tensor
    """(n, places, categories): whether the segment around each place of the pyramid shows the category."""
    reach: Tensor
    """(n, places, 2): how far its start and its end are from the place, in cells, above 0."""


class Norm(nn.Module):
    """Layer normalisation over the channels of (n, channels, cells)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape."""
        return cast(Tensor, self.norm(x.transpose(1, 2)).transpose(1, 2))


class Block(nn.Module):
    """Neighbours in time, then channels, each beside a shortcut (ConvNeXt, Liu et al. 2022)."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.time = nn.Conv1d(width, width, _KERNEL, padding=_KERNEL // 2, groups=width)
        self.norm = Norm(width)
        self.channels = nn.Sequential(
            nn.Conv1d(width, 2 * width, 1), nn.GELU(), nn.Dropout(dropout), nn.Conv1d(2 * width, width, 1)
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the same shape; what the mask leaves out stays 0."""
        return cast(Tensor, x + self.channels(self.norm(self.time(x))) * mask)


class Tower(nn.Module):
    """What all levels share: two convolutions and an output."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv1d(width, width, 3, padding=1) for _ in range(2))
        self.norms = nn.ModuleList([Norm(width), Norm(width)])
        self.out = nn.Conv1d(width, outputs, 3, padding=1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return (n, outputs, places)."""
        for layer, norm in zip((self.first, self.second), self.norms, strict=True):
            x = F.relu(norm(layer(x))) * mask
        return cast(Tensor, self.out(x))


class Head(nn.Module):
    """The whole head; `Outputs` of features (n, cells, features), padded to `multiple` cells."""

    mean: Tensor
    scale: Tensor

    def __init__(self, shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        self.shape = shape
        width, outputs = shape.width, len(shape.categories)
        self.register_buffer("mean", torch.zeros(shape.features))
        self.register_buffer("scale", torch.ones(shape.features))
        self.embed = nn.ModuleList(
            [nn.Conv1d(shape.features, width, 3, padding=1), nn.Conv1d(width, width, 3, padding=1)]
        )
        self.embed_norms = nn.ModuleList([Norm(width), Norm(width)])
        self.dropout = nn.Dropout(dropout)
        self.stem = nn.ModuleList([Block(width, dropout) for _ in range(shape.stem)])
        self.halve = nn.ModuleList([nn.Conv1d(width, width, 2, stride=2) for _ in range(shape.levels - 1)])
        self.levels = nn.ModuleList([Block(width, dropout) for _ in range(shape.levels - 1)])
        self.level_norms = nn.ModuleList([Norm(width) for _ in range(shape.levels)])
        self.curve, self.ends = Tower(width, outputs), Tower(width, 2)
        self.shown, self.reach = Tower(width, outputs), Tower(width, 2)
        self.steps = nn.Parameter(torch.zeros(shape.levels))
        prior = torch.logit(torch.tensor(_CLASS_PRIOR)).item()
        for tower in (self.shown, self.ends):
            nn.init.constant_(cast(Tensor, tower.out.bias), prior)

    @property
    def multiple(self) -> int:
        """Cells are padded to a multiple of this number."""
        return int(2 ** (self.shape.levels - 1))

    def padded(self, cells: int) -> int:
        """Return the length to which so many cells are padded."""
        return -(-cells // self.multiple) * self.multiple

    def places(self, cells: int, where: torch.device) -> tuple[Tensor, Tensor]:
        """Return (where each place is, in cells; how many cells it stands for) for a padded length, shape (places,)."""
        middles, spans = [], []
        for level in range(self.shape.levels):
            span, count = 2**level, cells // 2**level
            middles.append((torch.arange(count, device=where) + 0.5) * span)
            spans.append(torch.full((count,), float(span), device=where))
        return torch.cat(middles), torch.cat(spans)

    def masks(self, mask: Tensor) -> list[Tensor]:
        """Return the mask (n, cells) of each level, (n, 1, places); a place counts where its middle is in the video."""
        return [mask[:, None, (2**level) // 2 :: 2**level].float() for level in range(self.shape.levels)]

    def forward(self, features: Tensor, mask: Tensor) -> Outputs:
        """Return what it says of features (n, cells, features), where the mask (n, cells) says which cells exist."""
        masks = self.masks(mask)
        x = ((features - self.mean) / self.scale).transpose(1, 2) * masks[0]
        x = self.dropout(x)
        for layer, norm in zip(self.embed, self.embed_norms, strict=True):
            x = F.relu(norm(layer(x))) * masks[0]
        for block in self.stem:
            x = block(x, masks[0])
        levels = [x]
        for halve, block, own in zip(self.halve, self.levels, masks[1:], strict=True):
            x = block(halve(x) * own, own)
            levels.append(x)
        levels = [norm(level) * own for norm, level, own in zip(self.level_norms, levels, masks, strict=True)]
        shown = [self.shown(level, own) for level, own in zip(levels, masks, strict=True)]
        reach = [
            F.softplus(self.reach(level, own) + step) * 2**number
            for number, (level, own, step) in enumerate(zip(levels, masks, self.steps, strict=True))
        ]
        return Outputs(
            curve=self.curve(levels[0], masks[0]).transpose(1, 2),
            ends=self.ends(levels[0], masks[0]).transpose(1, 2),
            shown=torch.cat(shown, 2).transpose(1, 2),
            reach=torch.cat(reach, 2).transpose(1, 2),
        )
