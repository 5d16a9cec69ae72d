"""Feature backbones that torchvision does not have: frames alone, and small networks for the synthetic world.

A backbone maps a stream (n, channels, frames, height, width) to features (n, features). The small ones have under a
million parameters each and are never the default on real videos (ours).
"""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EveryFrame(nn.Module):
    """A 2D network on each frame; the mean of its features over the frames."""

    def __init__(self, frame_network: nn.Module) -> None:
        super().__init__()
        self.frame_network = frame_network

    def forward(self, stream: Tensor) -> Tensor:
        """Return (n, features) of a stream (n, channels, frames, height, width)."""
        n, channels, frames, height, width = stream.shape
        images = stream.transpose(1, 2).reshape(n * frames, channels, height, width)
        features: Tensor = self.frame_network(images.contiguous(memory_format=torch.channels_last))
        return features.view(n, frames, -1).mean(1)


def under(backbone: nn.Module) -> nn.Module:
    """Return the network whose tensors have torchvision's names: the backbone itself, or what sees each frame."""
    return backbone.frame_network if isinstance(backbone, EveryFrame) else backbone


def small_frame_network(width: int = 16) -> nn.Module:
    """Return a 2D network of four strided stages with `8 x width` features."""
    layers: list[nn.Module] = []
    channels = 3
    for stage, kernel in enumerate((5, 3, 3, 3)):
        out = width * 2**stage
        layers += [
            nn.Conv2d(channels, out, kernel, stride=2, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(inplace=True),
        ]
        channels = out
    return EveryFrame(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()))


def _space_then_time(channels: int, out: int, *, kernel: int = 3, in_time: int = 1, in_space: int = 1) -> nn.Sequential:
    """A 3D convolution split into space and time, as R(2+1)D does (Tran et al., CVPR 2018)."""
    return nn.Sequential(
        nn.Conv3d(
            channels, out, (1, kernel, kernel), (1, in_space, in_space), (0, kernel // 2, kernel // 2), bias=False
        ),
        nn.BatchNorm3d(out),
        nn.ReLU(inplace=True),
        nn.Conv3d(out, out, (3, 1, 1), (in_time, 1, 1), (1, 0, 0), bias=False),
        nn.BatchNorm3d(out),
    )


class _Residual(nn.Module):
    """Two split convolutions beside a shortcut that halves space, and time by `in_time`."""

    def __init__(self, channels: int, out: int, *, in_time: int) -> None:
        super().__init__()
        self.first = _space_then_time(channels, out, in_time=in_time, in_space=2)
        self.second = _space_then_time(out, out)
        self.shortcut = nn.Sequential(nn.Conv3d(channels, out, 1, (in_time, 2, 2), bias=False), nn.BatchNorm3d(out))

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of `out` channels."""
        return F.relu(self.second(F.relu(self.first(maps))) + self.shortcut(maps))


class SmallVideoNetwork(nn.Module):
    """R(2+1)D of three residual stages with `5 x width` features, for 8 frames of 56 pixels."""

    def __init__(self, channels: int, width: int = 12) -> None:
        super().__init__()
        self.stem = nn.Sequential(_space_then_time(channels, width, kernel=5, in_space=2), nn.ReLU(inplace=True))
        self.stages = nn.Sequential(
            _Residual(width, 2 * width, in_time=1),
            _Residual(2 * width, 3 * width, in_time=2),
            _Residual(3 * width, 5 * width, in_time=2),
        )

    def forward(self, stream: Tensor) -> Tensor:
        """Return (n, features) of a stream (n, channels, frames, height, width)."""
        return cast(Tensor, self.stages(self.stem(stream)).mean((2, 3, 4)))
