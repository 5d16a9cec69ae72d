"""Folders of `transformers`: networks of other people, as `save_pretrained` writes them or the hub holds them.

Each function is told which setting names the folder, so that its refusal names that setting. Nothing is downloaded.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from slac_tasks.errors import NotConfigured

SHAPE: Mapping[str, Sequence[str]] = {"the network's shape": ("config.json",)}
WEIGHTS: Mapping[str, Sequence[str]] = {"its weights": ("*.safetensors", "pytorch_model*.bin")}
_PIXELS = ("image_mean", "image_std")
_NO_SHAPE = ("transformers_version", "architectures", "dtype")
"""What a configuration says of the file and not of the network."""


def need_transformers(what: str, instead: str = "") -> None:
    """Check that the package is there, without its import.

    Raises:
        NotConfigured: it is not.

    """
    if find_spec("transformers") is None:
        raise NotConfigured(
            f"{what}: needs the package transformers, which is not installed on this machine; install the extra `vlm` "
            f"(uv pip install 'slac[vlm]'){instead}"
        )


def need_files(what: str, path: Path, files: Mapping[str, Sequence[str]]) -> None:
    """Check that a folder holds one file at least of each kind.

    Args:
        what: the setting that names the folder.
        path: the folder.
        files: patterns of names, by what such a file holds.

    Raises:
        NotConfigured: one is missing.

    """
    for kind, names in files.items():
        if not any(any(path.glob(name)) for name in names):
            raise NotConfigured(f"{what}: folder {path} lacks {kind}: want {' or '.join(names)} there")


def normalisation(what: str, path: Path, names: Sequence[str]) -> tuple[Sequence[float], Sequence[float]]:
    """Return mean and deviation of pixels in 0 to 1, three numbers each, from the first of these files that is there.

    Raises:
        NotConfigured: no file is there, or it says nothing of them.

    """
    for name in names:
        if (path / name).is_file():
            try:
                told = json.loads((path / name).read_text(encoding="utf-8"))
                told = told.get("video_processor", told.get("image_processor", told))
                mean, std = (torch.tensor(told[key], dtype=torch.float32).expand(3).tolist() for key in _PIXELS)
            except (ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
                raise NotConfigured(f"{what}: {path / name} lacks {' and '.join(_PIXELS)}, want numbers") from error
            return mean, std
    raise NotConfigured(f"{what}: folder {path} lacks {' or '.join(names)}")


@contextmanager
def reading(what: str, path: Path) -> Iterator[None]:
    """Have transformers read a file or a folder in the block.

    Raises:
        NotConfigured: it cannot be read.

    """
    try:
        yield
    except Exception as error:  # it raises almost anything on what is damaged or foreign
        raise NotConfigured(f"{what}: cannot read {path}: {type(error).__name__}: {error}") from error


def read_network(what: str, path: Path) -> Any:
    """Return the network of a folder, in evaluation mode, its tensors in the precision of the file.

    Raises:
        NotConfigured: it cannot be read, or lacks tensors.

    """
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    with reading(what, path):
        # A folder of this machine: nothing is downloaded, so there is no revision to pin.
        network, found = AutoModel.from_pretrained(  # nosec B615
            path, local_files_only=True, output_loading_info=True
        )
    if found["missing_keys"]:
        lacking = sorted(found["missing_keys"])
        raise NotConfigured(f"{what}: the weights in {path} lack {len(lacking)} tensors, such as {lacking[0]}")
    return network.eval()


def recipe_of(network: Any) -> str:
    """Return what `network_of` needs to build a network again: its configuration, as JSON."""
    shape = network.config.to_diff_dict()
    told = {name: shape[name] for name in sorted(shape) if name not in _NO_SHAPE}
    return json.dumps({"model_type": network.config.model_type, **told}, sort_keys=True)


def network_of(what: str, recipe: str) -> Any:
    """Return the network of a recipe with random weights, float32.

    Raises:
        NotConfigured: the extra `vlm` is missing.

    """
    need_transformers(what)
    from transformers import AutoConfig, AutoModel

    shape = json.loads(recipe)
    config = AutoConfig.for_model(shape.pop("model_type"), **shape)
    return AutoModel.from_config(config, dtype=torch.float32)
