"""What moves the weights: rates by layer, their rise and fall, and the moving average that is handed on."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from slac_tasks.networks.registry import Classifier
from slac_tasks.training.ranks import Ranks

LEAST_RATE = 1e-3
"""Share of the highest rate with which the last step learns."""


def factor(step: int, steps: int, warmup: float) -> float:
    """Return the share of the highest rate at a step: a straight rise, then half a cosine down to `LEAST_RATE`."""
    rise = max(1, round(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    done = (step - rise) / max(1, steps - rise)
    return LEAST_RATE + (1 - LEAST_RATE) * (1 + math.cos(math.pi * done)) / 2


def groups(classifier: Classifier, *, rate: float, weight_decay: float, layer_decay: float) -> list[dict[str, Any]]:
    """Return AdamW's groups of the weights that are trained.

    The head learns at `rate`, each layer below at `layer_decay` of the one above. Biases and what scales a
    normalisation are not decayed. A group holds its highest rate as `top`.
    """
    layers = {name: depth for depth, name in enumerate(dict.fromkeys(map(_layer, _named(classifier.backbone))))}
    found: dict[tuple[float, float], list[Tensor]] = {}
    for module, is_head in ((classifier.backbone, False), (classifier.head, True)):
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                above = 0 if is_head else len(layers) - layers[_layer(name)]
                decayed = weight_decay if parameter.ndim > 1 else 0.0
                found.setdefault((rate * layer_decay**above, decayed), []).append(parameter)
    return [
        {"params": parameters, "lr": top, "top": top, "weight_decay": decay}
        for (top, decay), parameters in found.items()
    ]


def _named(module: nn.Module) -> Iterator[str]:
    return (name for name, _ in module.named_parameters())


def _layer(name: str) -> str:
    """Return the layer of a weight: its first name, and the number after it where it is one of a row."""
    first, _, rest = name.partition(".")
    second = rest.partition(".")[0]
    return f"{first}.{second}" if second.isdecimal() else first


class Average:
    """The moving average of the weights, which transfers better than the last ones (ours: `training.average`)."""

    def __init__(self, state: Mapping[str, Tensor], decay: float) -> None:
        self.decay = decay
        self._own = [tensor for tensor in state.values() if tensor.is_floating_point()]
        self._held = [tensor.detach().clone() for tensor in self._own] if decay else []

    def update(self, step: int) -> None:
        """Take in the weights after a step; of the first steps the average is short, so the start is forgotten."""
        if self._held:
            decay = min(self.decay, (1 + step) / (10 + step))
            torch._foreach_lerp_(self._held, self._own, 1 - decay)

    def put(self) -> None:
        """Give the network its average."""
        if self._held:
            torch._foreach_copy_(self._own, self._held)

    def state(self) -> list[Tensor]:
        """Return the average, to be kept."""
        return self._held

    def load(self, state: Sequence[Tensor]) -> None:
        """Go on from an average that was kept."""
        if self._held:
            torch._foreach_copy_(self._held, list(state))


@dataclass(frozen=True)
class _Kept:
    layer: _BatchNorm
    momentum: float


class Norms:
    """Running statistics of batch normalisation: of a step, the mean over its micro-batches on all ranks.

    So they do not depend on how a step is divided: two ranks keep what one keeps that has twice the micro-batches.
    """

    def __init__(self, module: nn.Module) -> None:
        self._layers = [
            _Kept(layer, layer.momentum)
            for layer in module.modules()
            if isinstance(layer, _BatchNorm) and layer.running_mean is not None and layer.momentum is not None
        ]
        self._before: list[Tensor] = []

    @property
    def _running(self) -> list[Tensor]:
        both = ((kept.layer.running_mean, kept.layer.running_var) for kept in self._layers)
        return [cast(Tensor, tensor) for pair in both for tensor in pair]

    def begin(self) -> None:
        """Begin a step, or begin it again."""
        if self._layers and not self._before:
            self._before = [tensor.clone() for tensor in self._running]

    def micro_batch(self, number: int) -> None:
        """Prepare for the n-th micro-batch, from 0: it weighs as much as each of those before it."""
        for kept in self._layers:
            kept.layer.momentum = 1 / (number + 1)

    def end(self, ranks: Ranks) -> None:
        """End a step: take the mean over the ranks into what is kept."""
        running = self._running
        if not running:
            return
        ranks.add(running)
        torch._foreach_div_(running, ranks.world)
        for at, kept in enumerate(self._layers):
            kept.layer.momentum = kept.momentum
            for tensor, before in zip(running[2 * at : 2 * at + 2], self._before[2 * at : 2 * at + 2], strict=True):
                tensor.copy_(torch.lerp(before, tensor, kept.momentum))
        self._before = []
