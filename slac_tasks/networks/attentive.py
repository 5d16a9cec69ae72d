"""Frozen video networks from a folder of `transformers` weights, such as V-JEPA 2 and VideoMAE, under a learned head.

Such a network turns a clip into tokens, one for each cell of space and time. It stays as it is. What is learned is one
query that attends to the tokens, and a linear layer: the attentive probe of V-JEPA (Bardes et al. 2024, "Revisiting
Feature Prediction for Learning Visual Representations from Video"), without its second layer of perceptrons, since our
labels are few (ours). So the pooled tokens are features, and the head is linear as every other.
"""

import inspect
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from slac_tasks.networks import folders


class Tokens(nn.Module):
    """A frozen network: RGB in 0 to 1 becomes tokens. It multiplies in bfloat16 on every device, and never learns."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: Any, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        if hasattr(network, "predictor"):  # V-JEPA predicts masked tokens with it; nothing here is masked
            network.predictor = None
        self.network = network.to(torch.bfloat16).requires_grad_(False)
        asks = inspect.signature(network.forward).parameters
        self._pixels = "pixel_values_videos" if "pixel_values_videos" in asks else "pixel_values"
        self._asks = {"skip_predictor": True} if "skip_predictor" in asks else {}
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))
        self.train(False)

    def train(self, mode: bool = True) -> "Tokens":
        """Stay in evaluation mode, whatever a training loop wants: nothing is dropped of what is frozen."""
        return super().train(False)

    def forward(self, stream: Tensor) -> Tensor:
        """Return tokens (n, tokens, width), float32, of a stream (n, 3, frames, height, width)."""
        mean, std = self.mean.view(3, 1, 1, 1), self.std.view(3, 1, 1, 1)
        clips = ((stream - mean) / std).transpose(1, 2).contiguous().to(torch.bfloat16)
        # Without autocast: a layer that it runs in float32 would meet weights in bfloat16.
        with torch.no_grad(), torch.autocast(stream.device.type, enabled=False):
            found = self.network(**{self._pixels: clips}, **self._asks)
        return cast(Tensor, found.last_hidden_state.float())


class Pool(nn.Module):
    """One learned query that attends to tokens; features are the normalised sum of it and what it found."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.empty(1, 1, width))
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        nn.init.trunc_normal_(self.query, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return features (n, width) of tokens (n, tokens, width)."""
        query, known = self.query.expand(len(tokens), -1, -1), self.before(tokens)
        found, _ = self.attention(query, known, known, need_weights=False)
        return cast(Tensor, self.after(query + found)[:, 0])


class Attentive(nn.Module):
    """Frozen tokens, and the pool that learns to read them."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.tokens = tokens
        self.pool = self.fresh_pool()

    def fresh_pool(self) -> Pool:
        """Return a pool that has learned nothing."""
        config = self.tokens.network.config
        return Pool(config.hidden_size, config.num_attention_heads)

    @property
    def recipe(self) -> str:
        """What `attentive_backbone` needs to build it again, as its blob keeps it."""
        return folders.recipe_of(self.tokens.network)

    def forward(self, stream: Tensor) -> Tensor:
        """Return features (n, width) of a stream (n, 3, frames, height, width)."""
        return cast(Tensor, self.pool(self.tokens(stream)))


class MeanTokens(nn.Module):
    """The mean of frozen tokens: features of a network whose pool has learned nothing."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.tokens = backbone.get_submodule("tokens")

    def forward(self, stream: Tensor) -> Tensor:
        """Return features (n, width) of a stream (n, 3, frames, height, width)."""
        return cast(Tensor, self.tokens(stream).mean(1))


def attentive_backbone(recipe: str) -> nn.Module:
    """Return a backbone with random weights.

    Raises:
        NotConfigured: the extra `vlm` is missing.

    """
    network = folders.network_of("weights of an attentive network", recipe)
    return Attentive(Tokens(network, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
