"""Augmentations of whole batches, on the device that trains: random resized crop, colour, time jitter.

What is drawn for a clip is a function of the seed, the step and the clip's place in the step, and not of the rank or
the micro-batch that it is in. Never mirrored: "turn left" is not "turn right".
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

DRAWS = 9
"""Numbers in [0, 1) that one clip takes."""

_GREY = (0.299, 0.587, 0.114)


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How much a clip may be changed."""

    crop: float = 0.4
    """Least share of the area that a crop shows; 1: no crop."""
    ratio: float = 4 / 3
    """Largest ratio of the crop's sides."""
    brightness: float = 0.3
    contrast: float = 0.3
    saturation: float = 0.3
    frames: float = 1.0
    """Frames by which a clip's time is shifted at most."""
    speed: float = 0.15
    """Share by which a clip is slowed down at most."""

    def __call__(self, clips: Tensor, drawn: Tensor) -> Tensor:
        """Return float (n, frames, h, w, 3), 0 to 255, of uint8 clips of this shape.

        Args:
            clips: as decoded.
            drawn: (n, DRAWS) in [0, 1).

        """
        drawn = drawn.to(clips.device)
        moved = self._in_time(clips, drawn[:, 0], drawn[:, 1])
        cropped = self._cropped(moved.float(), drawn[:, 2:6])
        return self._coloured(cropped, drawn[:, 6:9])

    def _in_time(self, clips: Tensor, shift: Tensor, slow: Tensor) -> Tensor:
        frames = clips.shape[1]
        at = torch.arange(frames, device=clips.device) - (frames - 1) / 2
        at = at * (1 - self.speed * slow[:, None]) + (frames - 1) / 2 + self.frames * (2 * shift[:, None] - 1)
        chosen = at.round().long().clamp(0, frames - 1)
        return clips[torch.arange(len(clips), device=clips.device)[:, None], chosen]

    def _cropped(self, clips: Tensor, drawn: Tensor) -> Tensor:
        if self.crop >= 1:
            return clips
        n, frames, height, width, channels = clips.shape
        area = self.crop + (1 - self.crop) * drawn[:, 0]
        ratio = torch.exp(math.log(self.ratio) * (2 * drawn[:, 1] - 1))
        high, wide = (area / ratio).sqrt().clamp(max=1), (area * ratio).sqrt().clamp(max=1)
        down, right = (1 - high) * (2 * drawn[:, 2] - 1), (1 - wide) * (2 * drawn[:, 3] - 1)
        zero = torch.zeros_like(high)
        where = torch.stack([torch.stack([wide, zero, right], 1), torch.stack([zero, high, down], 1)], 1)
        grid = F.affine_grid(where, [n, 1, height, width], align_corners=False)
        # Every frame of a clip is cropped alike: frames are channels to `grid_sample`.
        planes = clips.permute(0, 1, 4, 2, 3).reshape(n, frames * channels, height, width)
        found = F.grid_sample(planes, grid.to(planes.dtype), padding_mode="border", align_corners=False)
        return found.view(n, frames, channels, height, width).permute(0, 1, 3, 4, 2)

    def _coloured(self, clips: Tensor, drawn: Tensor) -> Tensor:
        bright, contrast, saturation = (
            (1 + reach * (2 * drawn[:, at] - 1)).view(-1, 1, 1, 1, 1)
            for at, reach in enumerate((self.brightness, self.contrast, self.saturation))
        )
        grey = (clips * clips.new_tensor(_GREY)).sum(-1, keepdim=True)
        mean = grey.mean((1, 2, 3, 4), keepdim=True)
        # All three at once: out = mean + c (grey + s (clip - grey) - mean), times b.
        mixed = contrast * saturation * clips + contrast * (1 - saturation) * grey + (1 - contrast) * mean
        return (bright * mixed).clamp(0, 255)
