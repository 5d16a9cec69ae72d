"""Trained weights as bytes: equal weights give equal bytes, so a blob's name is a function of what it holds.

Writing or reading weights that are no numbers raises BrokenContract.
"""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from slac_tasks.errors import BrokenContract
from slac_tasks.networks.backbones import under
from slac_tasks.networks.calibration import Calibration
from slac_tasks.networks.registry import Architecture, Classifier, architecture, laid_out


def encode_backbone(entry: Architecture, backbone: nn.Module) -> bytes:
    """Return a backbone's blob; one that is not built from its architecture's name alone brings a `recipe`."""
    return _encode(entry, {**_recipe(backbone), "state": backbone.state_dict()})


def encode_head(
    entry: Architecture, head: nn.Linear, categories: Sequence[str], calibration: Calibration | None = None
) -> bytes:
    """Return a head's blob; its outputs are `categories`, in that order, and this calibration is in its weights."""
    known = {"calibration": [calibration.slope, calibration.offset]} if calibration else {}
    return _encode(entry, {"categories": list(categories), **known, "state": head.state_dict()})


def encode_network(classifier: Classifier, categories: Sequence[str]) -> bytes:
    """Return backbone and head in one safetensors file, under the names that torchvision's network gives them.

    So `load_state_dict` of that network, with as many classes, loads it without a line of ours. Networks of our own
    have the names of the backbone, and `fc` for the head. The metadata `slac` is JSON: categories in the order of the
    outputs, architecture, what a clip becomes before it is seen, and the recipe of a network that has one.
    """
    from safetensors.torch import save

    entry = classifier.entry
    target = under(classifier.backbone)
    known = target.state_dict()
    head = {f"{entry.linear or entry.layer}.{name}": value for name, value in classifier.head.state_dict().items()}
    if entry.torchvision:
        from torchvision.models import get_model

        # A linear map over channels is stored as a convolution by s3d.
        with torch.device("meta"):
            wanted = dict(get_model(entry.torchvision, num_classes=len(categories)).named_parameters())
        head = {name: value.reshape(wanted[name].shape) for name, value in head.items()}
    about = {"architecture": entry.name, "categories": list(categories), "sees": entry.preprocessing}
    about |= _recipe(target)
    # One entry: the order of several is another one in each process.
    return bytes(save(_plain(entry, {**known, **head}), metadata={"slac": json.dumps(about)}))


def decode_network(data: bytes, what: str) -> tuple[Architecture, nn.Module]:
    """Return (entry, frozen backbone in evaluation mode) of what `encode_network` wrote.

    Args:
        data: its bytes.
        what: names it in messages.

    Raises:
        BrokenContract: the bytes are damaged, or of another program's network.
        WrongArguments: its architecture is none of ours.

    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        length = int.from_bytes(data[:8], "little")
        about = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["slac"])
        name = about["architecture"]
        if not isinstance(name, str):
            raise TypeError(f"architecture {str(name)[:60]!r}")
        state = load(data)
    except (ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
        raise BrokenContract(
            f"network {what}: is no file of `slac pretrain`: {type(error).__name__}: {error}"
        ) from error
    entry = architecture(name)
    backbone = entry.build(about["recipe"]) if "recipe" in about else entry.build()
    head = f"{entry.layer}."
    blob = {"state": {name: value for name, value in state.items() if not name.startswith(head)}}
    _load(under(backbone), entry, blob)
    return entry, laid_out(backbone).eval().requires_grad_(False)


def _recipe(backbone: nn.Module) -> dict[str, Any]:
    return {"recipe": backbone.recipe} if hasattr(backbone, "recipe") else {}


def decode_backbone(entry: Architecture, data: bytes) -> nn.Module:
    """Return the frozen backbone of a blob, in evaluation mode.

    Raises:
        BrokenContract: the blob is damaged, or of another architecture.

    """
    blob = _decode(data, entry)
    backbone = entry.build(blob["recipe"]) if "recipe" in blob else entry.build()
    _load(backbone, entry, blob)
    return laid_out(backbone).eval().requires_grad_(False)


def decode_head(entry: Architecture, data: bytes) -> tuple[nn.Linear, list[str]]:
    """Return (frozen head, the categories of its outputs) of a blob.

    Raises:
        BrokenContract: the blob is damaged, or of another architecture.

    """
    blob = _decode(data, entry)
    head = nn.Linear(entry.features, len(blob["categories"]))
    _load(head, entry, blob)
    return head.eval().requires_grad_(False), blob["categories"]


def decode_calibration(entry: Architecture, data: bytes) -> Calibration:
    """Return the calibration that is in the weights of a head."""
    slope, offset = _decode(data, entry)["calibration"]
    return Calibration(slope=slope, offset=offset)


def decode_classifier(entry: Architecture, backbone: bytes, head: bytes) -> tuple[Classifier, list[str]]:
    """Return (frozen classifier, the categories of its outputs) of two blobs."""
    outputs, categories = decode_head(entry, head)
    classifier = Classifier(entry, len(categories), decode_backbone(entry, backbone))
    classifier.head = outputs
    return classifier.eval(), categories


def _load(module: nn.Module, entry: Architecture, blob: dict[str, Any]) -> None:
    try:
        module.load_state_dict(blob["state"])
    except (RuntimeError, KeyError) as error:
        raise BrokenContract(f"weights of {entry.name}: do not fit it: {error}") from error
    _check_numbers(entry, blob["state"])


def _check_numbers(entry: Architecture, state: Mapping[str, Tensor]) -> None:
    """Refuse a network that says NaN of every clip; one that was trained to it shall not join, nor be used.

    Raises:
        BrokenContract: a weight is NaN or infinite.

    """
    for name, weights in state.items():
        if not torch.isfinite(weights).all():
            raise BrokenContract(f"weights of {entry.name}: {name} holds NaN or infinity, want numbers")


def _encode(entry: Architecture, blob: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    torch.save({"architecture": entry.name, **blob, "state": _plain(entry, blob["state"])}, buffer)
    return buffer.getvalue()


def _plain(entry: Architecture, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the same tensors in one order and one layout, which show in the bytes of a file."""
    _check_numbers(entry, state)
    # `contiguous()` would not do: it leaves the strides of dimensions of length 1 as they are.
    return {
        name: torch.empty(state[name].shape, dtype=state[name].dtype).copy_(state[name].detach())
        for name in sorted(state)
    }


def _decode(data: bytes, entry: Architecture) -> dict[str, Any]:
    try:
        blob = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        found = blob["architecture"]
    except Exception as error:  # a damaged pickle raises almost anything
        raise BrokenContract(f"weights of {entry.name}: are damaged: {type(error).__name__}: {error}") from error
    if found != entry.name:
        raise BrokenContract(f"weights: belong to {found}, want {entry.name}")
    return dict(blob)
