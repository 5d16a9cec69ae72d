"""ActionFormer's published recipe, written anew, as a rival: github.com/happyharrycn/actionformer_release.

Architecture, losses, schedule and soft-NMS are those of its configuration for THUMOS14: two convolutions, two blocks
of windowed attention (19 places), five that halve time; centres within 1.5 strides; focal and DIoU losses; AdamW at
1e-4 with weight decay 0.05, 5 epochs of warm-up, then cosine; a moving average of the weights (0.999); per-category
soft-NMS.

Two things differ. `width` is a flag, since 512 channels on features of 60 numbers would take hours on processors; and a
batch is padded to its longest video, not to 2,304 places, which changes nothing but the time. The external video
classifier of THUMOS14 is left out: our rival has none either.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slac_tasks.localization.detecting import Search, suppressed, surest
from slac_tasks.localization.head import Norm
from slac_tasks.localization.labels import Lesson, in_cells
from slac_tasks.localization.losses import assign, distance, focal
from slac_tasks.localization.spotted import Spotted
from slac_tasks.progress import track
from slac_tasks.training.optimizing import Average
from slac_tasks.training.trainer import seeded

_LEVELS = 6
_WINDOW = 19
_HEADS = 4
_STEM = 2
_DROP = 0.1
_PRIOR = 0.01
_SEARCH = Search(curve=0.0)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The optimisation of configs/thumos_i3d.yaml."""

    width: int = 512
    epochs: int = 45
    warmup_epochs: int = 5
    batch: int = 2
    rate: float = 1e-4
    weight_decay: float = 0.05
    average: float = 0.999
    seed: int = 0


class _DropPath(nn.Module):
    """Stochastic depth with a learned scale of each channel, which starts at 1e-4."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((1, width, 1), 1e-4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.scale * x
        if not self.training:
            return x
        kept = (torch.rand(len(x), 1, 1, device=x.device) >= _DROP).float()
        return x / (1 - _DROP) * kept


class _Block(nn.Module):
    """Windowed attention whose queries, keys and values pass through depthwise convolutions, then an MLP."""

    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.before, self.after = Norm(width), Norm(width)
        self.convolutions = nn.ModuleList(
            [nn.Conv1d(width, width, 3, stride, 1, groups=width, bias=False) for _ in range(3)]
        )
        self.norms = nn.ModuleList([Norm(width) for _ in range(3)])
        self.projections = nn.ModuleList([nn.Conv1d(width, width, 1) for _ in range(3)])
        self.out = nn.Conv1d(width, width, 1)
        self.mlp = nn.Sequential(
            nn.Conv1d(width, 4 * width, 1), nn.GELU(), nn.Dropout(_DROP), nn.Conv1d(4 * width, width, 1),
            nn.Dropout(_DROP),
        )  # fmt: skip
        self.drop = nn.Dropout(_DROP)
        self.skip = nn.MaxPool1d(3, 2, 1) if stride > 1 else nn.Identity()
        self.paths = nn.ModuleList([_DropPath(width), _DropPath(width)])

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return (places, their mask)."""
        own = mask[..., :: self.stride]
        normed = self.before(x)
        query, key, value = (
            project(norm(convolve(normed) * own))
            for project, norm, convolve in zip(self.projections, self.norms, self.convolutions, strict=True)
        )
        out = self.skip(x) * own + self.paths[0](self.drop(self.out(_attention(query, key, value, own))) * own)
        return out + self.paths[1](self.mlp(self.after(out)) * own), own


def _attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Attention of each place to the `_WINDOW` around it; all are (n, channels, places)."""
    n, width, places = query.shape
    at = torch.arange(places, device=query.device)
    near = (at[:, None] - at).abs() <= _WINDOW // 2
    # A place without a neighbour in the video attends to itself; what comes of it is masked.
    allowed = (near & (mask[:, 0, None, :] > 0)) | torch.eye(places, dtype=torch.bool, device=query.device)
    q, k, v = (each.reshape(n, _HEADS, width // _HEADS, places).transpose(2, 3) for each in (query, key, value))
    found = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed[:, None])
    return found.transpose(2, 3).reshape(n, width, places)


class _Tower(nn.Module):
    """Two convolutions and an output, shared by all levels."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Conv1d(width, width, 3, padding=1, bias=False) for _ in range(2)])
        self.norms = nn.ModuleList([Norm(width) for _ in range(2)])
        self.out = nn.Conv1d(width, outputs, 3, padding=1)
        nn.init.zeros_(cast(Tensor, self.out.bias))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = F.relu(norm(layer(x) * mask))
        return cast(Tensor, self.out(x) * mask)


class ActionFormer(nn.Module):
    """The network: features (n, places, features) become (shown, reach) of all places of the pyramid."""

    def __init__(self, features: int, outputs: int, width: int) -> None:
        super().__init__()
        self.embed = nn.ModuleList([nn.Conv1d(inward, width, 3, padding=1, bias=False) for inward in (features, width)])
        self.embed_norms = nn.ModuleList([Norm(width) for _ in range(2)])
        self.stem = nn.ModuleList([_Block(width, 1) for _ in range(_STEM)])
        self.branch = nn.ModuleList([_Block(width, 2) for _ in range(_LEVELS - 1)])
        self.norms = nn.ModuleList([Norm(width) for _ in range(_LEVELS)])
        self.shown, self.reach = _Tower(width, outputs), _Tower(width, 2)
        nn.init.constant_(cast(Tensor, self.shown.out.bias), -math.log((1 - _PRIOR) / _PRIOR))
        self.scales = nn.Parameter(torch.ones(_LEVELS))

    def forward(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (shown, reach in places of the finest level, which places exist)."""
        x, own = features.transpose(1, 2), mask[:, None].float()
        for layer, norm in zip(self.embed, self.embed_norms, strict=True):
            x = F.relu(norm(layer(x) * own))
        for block in self.stem:
            x, own = block(x, own)
        levels, masks = [x], [own]
        for block in self.branch:
            x, own = block(x, own)
            levels.append(x)
            masks.append(own)
        levels = [norm(level) for norm, level in zip(self.norms, levels, strict=True)]
        shown = [self.shown(level, each) for level, each in zip(levels, masks, strict=True)]
        reach = [
            F.relu(scale * self.reach(level, each)) * 2**number
            for number, (level, each, scale) in enumerate(zip(levels, masks, self.scales, strict=True))
        ]
        return torch.cat(shown, 2).transpose(1, 2), torch.cat(reach, 2).transpose(1, 2), torch.cat(masks, 2)[:, 0]


def _places(length: int) -> tuple[Tensor, Tensor]:
    """Return (where each place is, its stride): places stand on the first of the cells that they stand for."""
    middles = [torch.arange(0, length, 2**level, dtype=torch.float32) for level in range(_LEVELS)]
    return torch.cat(middles), torch.cat([torch.full((len(one),), 2.0**level) for level, one in enumerate(middles)])


def _padded(length: int) -> int:
    multiple = int(2 ** (_LEVELS - 1))
    return -(-length // multiple) * multiple


def train(lessons: Sequence[Lesson], outputs: int, recipe: Recipe, where: torch.device) -> ActionFormer:
    """Return the network that has learned from the segments of these videos, in evaluation mode."""
    width = lessons[0].dense.values.shape[1]
    with seeded(recipe.seed):
        network = ActionFormer(width, outputs, recipe.width).to(where)
        grouped = [
            [p for p in network.parameters() if (p.ndim > 1 and 1 not in p.shape[:1]) is many] for many in (True, False)
        ]
        decays = (recipe.weight_decay, 0.0)
        optimizer = torch.optim.AdamW(
            [{"params": own, "weight_decay": decay} for own, decay in zip(grouped, decays, strict=True)], recipe.rate
        )
        average = Average(network.state_dict(), recipe.average)
        # The published loader drops the last batch of an epoch if it is not whole.
        epoch = max(1, len(lessons) // recipe.batch)
        rise, steps = recipe.warmup_epochs * epoch, (recipe.warmup_epochs + recipe.epochs) * epoch
        chance = np.random.default_rng(recipe.seed)
        orders = [chance.permutation(len(lessons)) for _ in range(recipe.warmup_epochs + recipe.epochs)]
        batches = np.concatenate([order[: epoch * recipe.batch].reshape(epoch, -1) for order in orders])
        normalizer = 100.0
        network.train()
        for step in track(range(steps), steps, "ActionFormer's recipe"):
            share = step / rise if step < rise else (1 + math.cos(math.pi * (step - rise) / (steps - rise))) / 2
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate * share
            batch = [lessons[int(at)] for at in batches[step]]
            loss, normalizer = _loss(network, batch, outputs, normalizer, where)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            average.update(step)
    average.put()
    return network.eval()


def _loss(
    network: ActionFormer, batch: Sequence[Lesson], outputs: int, normalizer: float, where: torch.device
) -> tuple[Tensor, float]:
    length = _padded(max(len(lesson.dense.values) for lesson in batch))
    features = torch.stack(
        [F.pad(torch.from_numpy(one.dense.values), (0, 0, 0, length - len(one.dense.values))) for one in batch]
    )
    mask = torch.arange(length) < torch.tensor([len(one.dense.values) for one in batch])[:, None]
    shown, reach, exists = network(features.to(where), mask.to(where))
    middles, strides = _places(length)
    assigned = []
    for lesson in batch:
        ends, categories = in_cells(lesson.spans or (), lesson.dense.clock)
        assigned.append(assign(middles, strides, ends - 0.5, categories, outputs))
    wanted = torch.stack([one.shown for one in assigned]).to(where)
    far = torch.stack([one.reach for one in assigned]).to(where)
    positive = (wanted.sum(2) > 0) & (exists > 0)
    normalizer = 0.9 * normalizer + 0.1 * max(1, int(positive.sum()))
    loss = focal(shown, wanted, exists[..., None].expand_as(shown))
    if positive.any():
        scale = strides.to(where).expand(len(batch), -1)[positive][:, None]
        loss = loss + distance(reach[positive] / scale, far[positive] / scale).sum()
    return loss / normalizer, normalizer


@torch.inference_mode()
def spot(network: ActionFormer, lesson: Lesson) -> Spotted:
    """Return the segments that the network finds in one video."""
    clock, values = lesson.dense.clock, torch.from_numpy(lesson.dense.values)
    length = _padded(len(values))
    mask = (torch.arange(length) < len(values))[None]
    where = network.scales.device
    said = network(F.pad(values, (0, 0, 0, length - len(values)))[None].to(where), mask.to(where))
    shown, reach, exists = (each[0].cpu() for each in said)
    place, category, score = surest(torch.sigmoid(shown) * exists[:, None], _SEARCH)
    middles = _places(length)[0][place] + 0.5
    start = (middles - reach[place, 0]).double().numpy().clip(0)
    end = (middles + reach[place, 1]).double().numpy().clip(max=clock.duration_sec / clock.stride_sec)
    long = end - start > 0.05
    category, start, end = category[long], start[long], end[long]
    kept, lowered = suppressed(category, start, end, score[long], _SEARCH)
    return Spotted(
        category=category[kept], start_sec=start[kept] * clock.stride_sec, end_sec=end[kept] * clock.stride_sec,
        score=lowered,
    )  # fmt: skip
