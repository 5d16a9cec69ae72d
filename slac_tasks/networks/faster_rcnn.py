"""torchvision's Faster R-CNN as a counter of people; weights from a file or from the hub."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision import models

from slac_tasks.errors import BrokenContract, NotConfigured
from slac_tasks.given.folders import path_of
from slac_tasks.networks.inference import device as device_of

PERSON = 1
"""COCO's number of people."""
SCORE = 0.8
"""A box below this score is not counted (ours; the paper names none)."""

_BATCH = {"cuda": 8, "cpu": 1}
"""Frames that the network is given at a time; on processors a batch is no faster and takes its memory many times."""
_EPS: Mapping[str, float] = {"fasterrcnn_resnet50_fpn": 0.0}
"""torchvision runs these weights with this term in the batch norms."""
_COUNTER_OF_STEPS = ".num_batches_tracked"
"""Training's own; torchvision's files of frozen batch norms lack it, others hold it."""


@dataclass(frozen=True, kw_only=True)
class FasterRcnn:
    """A network with weights, on its device."""

    network: nn.Module
    where: torch.device
    weights: str
    """16 hex digits of the SHA-256 of its tensors."""

    @classmethod
    def load(cls, builder: str, weights: str, device: str) -> "FasterRcnn":
        """Return the network.

        Args:
            builder: torchvision's name of the network.
            weights: path of a state dict with COCO's 91 classes; empty asks the hub.
            device: `auto`, `cpu` or `cuda`.

        Raises:
            NotConfigured: there is no such file, the hub is out of reach, or there is no such device.
            BrokenContract: the file holds something else than weights of this network.

        """
        where = device_of(device)
        network = models.get_model(builder, weights=None, weights_backbone=None)
        state = _read(path_of(weights)) if weights else _from_hub(builder)
        _fill(network, state, f"weights of {builder} from {weights or 'the hub'}")
        digest = _digest(network)
        if builder in _EPS:
            for module in network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eps = _EPS[builder]
        return cls(network=network.eval().to(where), where=where, weights=digest)

    def count(self, images: Sequence[NDArray[np.uint8]]) -> list[int]:
        """Return how many people are on each image; RGB, each (h, w, 3)."""
        size = _BATCH[self.where.type]
        found: list[int] = []
        for begin in range(0, len(images), size):
            batch = [torch.from_numpy(np.ascontiguousarray(image)) for image in images[begin : begin + size]]
            with torch.inference_mode():
                results = self.network([image.to(self.where).permute(2, 0, 1).float() / 255 for image in batch])
            found += [int(((each["labels"] == PERSON) & (each["scores"] >= SCORE)).sum()) for each in results]
        return found


def _read(path: Path) -> Any:
    if not path.is_file():
        raise NotConfigured(f"proposal.people_weights: no file {path}; want a state dict there, or '' to ask the hub")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or foreign pickle raises almost anything
        raise BrokenContract(
            f"proposal.people_weights: cannot read {path}: {type(error).__name__}; want a state dict"
        ) from error


def _from_hub(builder: str) -> Any:
    weights = models.get_model_weights(builder).DEFAULT
    try:
        return weights.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong hash is a RuntimeError
        raise NotConfigured(
            f"weights of {builder}: the hub is out of reach ({error}); set proposal.people_weights to a copy of "
            f"{weights.url}, or proposal.people to hog_faces, which downloads nothing"
        ) from error


def _fill(network: nn.Module, state: Any, what: str) -> None:
    """Load a state dict that fits name by name and shape by shape."""
    wanted = _shapes(network.state_dict())
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise BrokenContract(f"{what}: found {type(state).__name__}, want a state dict of {len(wanted)} tensors")
    found = _shapes(state)
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        name = wrong[0]
        raise BrokenContract(
            f"{what}: {len(wrong)} of {len(wanted)} tensors do not fit; the first is {name}, found "
            f"{found.get(name, 'none')}, want {wanted.get(name, 'none')}"
        )
    network.load_state_dict(state, strict=False)


def _digest(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(name.encode())
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _shapes(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items() if not name.endswith(_COUNTER_OF_STEPS)}
