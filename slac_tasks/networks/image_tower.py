"""The half of an image-text network (`image_text`) that sees: the backbone of that member."""

from collections.abc import Sequence
from copy import copy
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slac_tasks.networks import folders


class ImageTower(nn.Module):
    """The half of the network that sees: RGB in 0 to 1 becomes embeddings of length 1."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: Any, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.network = _seeing_half(network)
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1))

    @property
    def recipe(self) -> str:
        """What `image_tower` needs to build it again, as its blob keeps it."""
        return folders.recipe_of(self.network)

    def forward(self, stream: Tensor) -> Tensor:
        """Return (n, features) of a stream (n, 3, frames, height, width): the mean over the frames."""
        n, channels, frames, height, width = stream.shape
        images = (stream.transpose(1, 2).reshape(n * frames, channels, height, width) - self.mean) / self.std
        found = F.normalize(embedding(self.network.get_image_features(pixel_values=images)), dim=-1)
        return F.normalize(found.view(n, frames, -1).mean(1), dim=-1)


def image_tower(recipe: str) -> nn.Module:
    """Return the seeing half with random weights.

    Raises:
        NotConfigured: the extra `vlm` is missing.

    """
    return ImageTower(folders.network_of("weights of image_text", recipe), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def _seeing_half(network: Any) -> Any:
    """Return a network that shares its modules with `network` and lacks those that read."""
    half = copy(network)
    half._modules = {name: module for name, module in network._modules.items() if not name.startswith("text")}
    half._parameters = {name: one for name, one in network._parameters.items() if not name.startswith("logit")}
    return half


def embedding(found: Any) -> Tensor:
    """Return the tensor in an answer of transformers, which some versions wrap."""
    return cast(Tensor, getattr(found, "pooler_output", found))
