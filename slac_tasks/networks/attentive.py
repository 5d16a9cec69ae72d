"""Frozen video networks from a folder of `transformers` weights, such as V-JEPA 2 and VideoMAE, under a learned head.

Such a network turns a clip into tokens, one for each cell of space and time. It stays as it is. What is learned is one
query that attends to the tokens, and a linear layer: the attentive probe of V-JEPA (Bardes et al. 2024, "Revisiting
Feature Prediction for Learning Visual Representations from Video"), without its second layer of perceptrons, since our
labels are few (ours). So the pooled tokens are features, and the head is linear as every other.
"""

import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from slac_tasks.errors import NotConfigured
from slac_tasks.networks import folders
from slac_tasks.networks.registry import Architecture, attentive_architecture

_PIXELS = ("video_preprocessor_config.json", "preprocessor_config.json", "processor_config.json")
_FILES: Mapping[str, Sequence[str]] = {
    **folders.SHAPE,
    **folders.WEIGHTS,
    "the mean and deviation of pixels": _PIXELS,
}
_FRAMES, _SIZE, _WIDTH = ("num_frames", "frames_per_clip"), ("image_size", "crop_size"), ("hidden_size",)
"""What configurations call the frames of a clip, their height and width, and the length of a token."""
_WHAT = "training.start"


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


def entry_of_folder(folder: str) -> Architecture:
    """Return the entry of the network in a folder, as its configuration says; no weights are opened.

    Raises:
        NotConfigured: the extra `vlm`, the folder or a file of it is missing, or it holds no network for videos.

    """
    folders.need_transformers(_WHAT)
    path = Path(folder)
    if not path.is_dir():
        raise NotConfigured(
            f"{_WHAT}: is {folder!r}, which is no folder, but training.architecture is attentive; want the folder of "
            "a V-JEPA 2, a VideoMAE or another video network as `save_pretrained` writes it, network and processor"
        )
    folders.need_files(_WHAT, path, _FILES)
    from transformers import AutoConfig

    with folders.reading(_WHAT, path / "config.json"):
        config = AutoConfig.from_pretrained(path, local_files_only=True)  # nosec B615
    frames, size, width = (_number(path, config, names) for names in (_FRAMES, _SIZE, _WIDTH))
    return attentive_architecture(frames, size, width)


def _number(path: Path, config: Any, names: Sequence[str]) -> int:
    found = next((getattr(config, name) for name in names if hasattr(config, name)), None)
    if not isinstance(found, int):
        raise NotConfigured(
            f"{_WHAT}: {path}/config.json, a {config.model_type}, has {json.dumps(found, default=str)} for "
            f"{' or '.join(names)}, want a whole number: a network that takes clips of so many frames of so many pixels"
        )
    return found


def load_attentive(entry: Architecture, folder: str) -> Attentive:
    """Return the network of a folder under a pool that has learned nothing.

    Args:
        entry: what `entry_of_folder` found there.
        folder: the folder.

    Raises:
        NotConfigured: it cannot be read, or makes no tokens of clips.

    """
    path = Path(folder)
    mean, std = folders.normalisation(_WHAT, path, _PIXELS)
    tokens = Tokens(folders.read_network(_WHAT, path), mean, std)
    try:
        backbone = Attentive(tokens)
        shape = tuple(tokens(torch.zeros(1, *entry.shape)).shape)
    except (AttributeError, TypeError, ValueError, RuntimeError, AssertionError) as error:
        raise NotConfigured(
            f"{_WHAT}: {path} holds a {type(tokens.network).__name__}, which does not turn clips into tokens "
            f"({error}); want a V-JEPA 2, a VideoMAE or another with pixel_values (clips, frames, 3, height, width)"
        ) from error
    if len(shape) != 3 or shape[2] != entry.features:
        raise NotConfigured(f"{_WHAT}: {path} makes {shape} of a clip, want (1, tokens, {entry.features})")
    return backbone
