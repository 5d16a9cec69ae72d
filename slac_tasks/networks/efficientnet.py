"""EfficientNet-Lite0 without its classes: a frame becomes 1,280 features (Tan and Le 2019; Google's Lite variant).

The network is TensorFlow's: no squeeze-and-excitation, ReLU6, and padding that puts the odd pixel behind. Its modules
stand in the order in which a frame passes them, so a state dict in that order fits whatever its names are.
"""

from collections.abc import Mapping
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

FEATURES = 1280

_EPS = 1e-3
_STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
           (1, 3, 1, 6, 320))  # fmt: skip
"""Of each stage: blocks, kernel, stride of the first block, how many times wider a block is inside, and channels."""


class _Same(nn.Conv2d):
    """A convolution that pads as TensorFlow's SAME: ceil(size / stride) out, the odd pixel below and to the right."""

    def forward(self, maps: Tensor) -> Tensor:
        """Return the convolved maps."""
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        down, right = (max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in maps.shape[-2:])
        padded = F.pad(maps, [right // 2, right - right // 2, down // 2, down - down // 2])
        return F.conv2d(padded, self.weight, None, self.stride, 0, 1, self.groups)


def _convolution(channels: int, out: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    same = _Same(channels, out, kernel, stride, groups=groups, bias=False)
    return [same, nn.BatchNorm2d(out, eps=_EPS, momentum=0.01)]


class _Block(nn.Module):
    """An inverted bottleneck: wider, filtered channel by channel, narrow again; added to what came in if that fits."""

    def __init__(self, channels: int, out: int, *, kernel: int, stride: int, wider: int) -> None:
        super().__init__()
        inside = channels * wider
        widen = [*_convolution(channels, inside), nn.ReLU6(inplace=True)] if wider > 1 else []
        each = [*_convolution(inside, inside, kernel, stride, groups=inside), nn.ReLU6(inplace=True)]
        self.layers = nn.Sequential(*widen, *each, *_convolution(inside, out))
        self.adds = stride == 1 and channels == out

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of `out` channels."""
        made = cast(Tensor, self.layers(maps))
        return maps + made if self.adds else made


def efficientnet_lite0() -> nn.Module:
    """Return the network with random weights: RGB (n, 3, h, w) in -1 to 1 becomes features (n, 1280)."""
    channels = 32
    layers: list[nn.Module] = [*_convolution(3, channels, 3, 2), nn.ReLU6(inplace=True)]
    for blocks, kernel, stride, wider, out in _STAGES:
        for number in range(blocks):
            layers.append(_Block(channels, out, kernel=kernel, stride=1 if number else stride, wider=wider))
            channels = out
    layers += [*_convolution(channels, FEATURES), nn.ReLU6(inplace=True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def renamed(network: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors, given in the order of the network, under the network's names; those after its last are left out.

    Their shapes are checked when they are loaded.
    """
    return dict(zip(network.state_dict(), state.values(), strict=False))
