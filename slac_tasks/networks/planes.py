"""Video ResNets of torchvision, written anew for a card: the same function of the same weights, some times as fast.

Batch normalisation is folded into the convolution before it. A kernel that spans one frame, or one place through time,
is a convolution of planes, for which a card's library has faster kernels than for volumes; with the channels last, no
value moves for that. Channels are padded with zeros to a multiple of 8, as tensor cores want: those of the pixels too,
since the first convolution is else half of the time of a whole network (measured on an H100).
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import TypeGuard, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.video.resnet import BasicBlock, VideoResNet

_MULTIPLE = 8


class Planes(nn.Module):
    """A frozen video ResNet without its last layer."""

    def __init__(self, network: VideoResNet, *, dtype: torch.dtype, fused: bool) -> None:
        """Take the weights of a network.

        Args:
            network: of basic blocks, in evaluation mode.
            dtype: in which it multiplies.
            fused: convolution, sum and ReLU are one kernel of cuDNN.

        """
        super().__init__()
        self.dtype = dtype
        blocks = [block for number in range(1, 5) for block in getattr(network, f"layer{number}")]
        self.stem = _units(network.stem, fused=fused)
        self.blocks = nn.ModuleList(_Block(block, fused=fused) for block in blocks)
        self.to(dtype).eval().requires_grad_(False)

    @staticmethod
    def fits(network: nn.Module) -> TypeGuard[VideoResNet]:
        """Return whether a network is of the kind that this one replaces."""
        return isinstance(network, VideoResNet) and all(
            isinstance(block, BasicBlock) for number in range(1, 5) for block in getattr(network, f"layer{number}")
        )

    def forward(self, stream: Tensor) -> Tensor:
        """Return features (n, features), float32, of a stream (n, channels, frames, height, width)."""
        x = stream.to(self.dtype).permute(0, 2, 3, 4, 1)
        x = F.pad(x, (0, _whole(x.shape[-1]) - x.shape[-1])).contiguous()
        for unit in self.stem:
            x = unit(x)
        for block in self.blocks:
            x = block(x)
        return x.mean((1, 2, 3), dtype=torch.float32)


class _Block(nn.Module):
    """Two convolutions, or two pairs of them, and the sum with what came in."""

    def __init__(self, block: BasicBlock, *, fused: bool) -> None:
        super().__init__()
        self.units = _units(nn.Sequential(block.conv1, block.conv2), fused=fused)
        self.shortcut = _units(block.downsample, fused=fused)[0] if block.downsample is not None else None

    def forward(self, x: Tensor) -> Tensor:
        kept = x if self.shortcut is None else self.shortcut(x)
        *first, last = self.units
        for unit in first:
            x = unit(x)
        return cast(Tensor, last(x, kept))


class _Unit(nn.Module):
    """A convolution of (n, frames, height, width, channels), its bias, and what follows it.

    Where something is added to the result, a ReLU follows the sum, as at the end of a block.
    """

    def __init__(self, conv: nn.Conv3d, norm: nn.BatchNorm3d | None, *, relu: bool, fused: bool) -> None:
        super().__init__()
        weight = conv.weight.detach().float()
        bias = torch.zeros(len(weight)) if conv.bias is None else conv.bias.detach().float().cpu()
        weight = weight.cpu()
        if norm is not None:
            mean, variance = (cast(Tensor, tensor).cpu() for tensor in (norm.running_mean, norm.running_var))
            scale = norm.weight.detach().cpu() / torch.sqrt(variance + norm.eps)
            weight, bias = weight * scale[:, None, None, None, None], (bias - mean) * scale + norm.bias.detach().cpu()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)
        self.stride = cast(tuple[int, int, int], conv.stride)
        self.padding = cast(tuple[int, int, int], conv.padding)
        self.relu, self.fused = relu, fused

    def pad(self, inputs: int, outputs: int) -> None:
        """Add channels that are zero."""
        weight = self.weight.detach()
        more = (0, 0) * 3 + (0, inputs - weight.shape[1], 0, outputs - weight.shape[0])
        self.weight = nn.Parameter(F.pad(weight, more))
        self.bias = nn.Parameter(F.pad(self.bias.detach(), (0, outputs - len(self.bias))))

    def settle(self) -> None:
        """Choose the kind of convolution, once the weights have their last shape."""
        times, high, wide = self.weight.shape[2:]
        self.kind = "volume"
        if (times, high, wide) == (1, 1, 1) and not any(self.padding):
            self.kind = "point"
            self.weight = nn.Parameter(self.weight.detach().flatten(1))
            return
        if times == 1 and self.stride[0] == 1 and not self.padding[0]:
            self.kind = "space"
            self.weight = nn.Parameter(self.weight.detach().squeeze(2))
        elif (high, wide) == (1, 1) and self.stride[1:] == (1, 1) and not any(self.padding[1:]):
            self.kind = "time"
            self.weight = nn.Parameter(self.weight.detach().squeeze(4))
        layout = torch.channels_last_3d if self.kind == "volume" else torch.channels_last
        self.weight = nn.Parameter(self.weight.detach().contiguous(memory_format=layout))

    def forward(self, x: Tensor, added: Tensor | None = None) -> Tensor:
        if self.kind == "point":
            _, down, right = self.stride
            x = F.linear(x[:, :: self.stride[0], ::down, ::right], self.weight, self.bias)
            return x.relu_() if self.relu else x
        n, frames, high, wide, _ = x.shape
        stride, padding = list(self.stride), list(self.padding)
        if self.kind == "space":
            x, stride, padding = x.flatten(0, 1), stride[1:], padding[1:]
            added = None if added is None else added.flatten(0, 1)
        elif self.kind == "time":
            x, stride, padding = x.flatten(2, 3), [stride[0], 1], [padding[0], 0]
            added = None if added is None else added.flatten(2, 3)
        y = _last(self._convolved(_first(x), stride, padding, None if added is None else _first(added)))
        if self.kind == "space":
            return y.reshape(n, frames, *y.shape[1:])
        return y.reshape(n, -1, high, wide, y.shape[-1]) if self.kind == "time" else y

    def _convolved(self, x: Tensor, stride: list[int], padding: list[int], added: Tensor | None) -> Tensor:
        ones = [1] * len(stride)
        if self.fused and added is not None:
            return torch.cudnn_convolution_add_relu(
                x, self.weight, added, 1.0, self.bias, stride, padding, ones, 1
            )  # fmt: skip
        if self.fused and self.relu:
            return torch.cudnn_convolution_relu(x, self.weight, self.bias, stride, padding, ones, 1)
        convolve = F.conv3d if self.kind == "volume" else F.conv2d
        y = convolve(x, self.weight, self.bias, stride, padding)
        if added is not None:
            return y.add_(added).relu_()
        return y.relu_() if self.relu else y


def _whole(channels: int) -> int:
    """Return the number of channels with those that are added."""
    return -(-channels // _MULTIPLE) * _MULTIPLE


def _first(x: Tensor) -> Tensor:
    """Return (n, ..., channels) as (n, channels, ...): a view."""
    return x.movedim(-1, 1)


def _last(x: Tensor) -> Tensor:
    """Return (n, channels, ...) as (n, ..., channels), its values in that order."""
    return x.movedim(1, -1).contiguous()


def _units(module: nn.Module, *, fused: bool) -> nn.ModuleList:
    """Return the convolutions of a sequence, each with what follows it; channels padded but for the last one's."""
    units = list(_paired(list(_leaves(module)), fused))
    units[0].pad(_whole(units[0].weight.shape[1]), len(units[0].weight))
    for before, after in pairwise(units):
        inner = _whole(len(before.weight))
        before.pad(before.weight.shape[1], inner)
        after.pad(inner, len(after.weight))
    for unit in units:
        unit.settle()
    return nn.ModuleList(units)


def _leaves(module: nn.Module) -> Iterator[nn.Module]:
    if isinstance(module, nn.Sequential):
        for part in module:
            yield from _leaves(part)
    else:
        yield module


def _paired(leaves: list[nn.Module], fused: bool) -> Iterator[_Unit]:
    for at, leaf in enumerate(leaves):
        if isinstance(leaf, nn.Conv3d):
            following = [*leaves[at + 1 : at + 3], None, None]
            norm = following[0] if isinstance(following[0], nn.BatchNorm3d) else None
            relu = isinstance(following[1 if norm is not None else 0], nn.ReLU)
            yield _Unit(leaf, norm, relu=relu, fused=fused)
