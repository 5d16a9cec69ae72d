"""Opens the folder of a video network of `transformers`, and puts the pool that learns over it (`attentive`)."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from slac_tasks.errors import NotConfigured
from slac_tasks.given.folders import path_of
from slac_tasks.networks import folders
from slac_tasks.networks.attentive import Attentive, Tokens
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


def entry_of_folder(folder: str) -> Architecture:
    """Return the entry of the network in a folder, as its configuration says; no weights are opened.

    Raises:
        NotConfigured: the extra `vlm`, the folder or a file of it is missing, or it holds no network for videos.

    """
    folders.need_transformers(_WHAT)
    path = path_of(folder)
    if not path.is_dir():
        raise NotConfigured(
            f"{_WHAT}: is {str(path)!r}, which is no folder, but training.architecture is attentive; want the folder "
            "of a V-JEPA 2, a VideoMAE or another video network as `save_pretrained` writes it, network and processor"
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
    path = path_of(folder)
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
