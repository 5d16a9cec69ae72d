"""Frozen networks that look at whole videos: of the registry, of a file that `pretrain` wrote, or of other people."""

import json
import os
from pathlib import Path

from torch import nn

from slac_tasks.errors import WrongArguments
from slac_tasks.networks.attentive import MeanTokens
from slac_tasks.networks.forms import plain
from slac_tasks.networks.inference import CPU_BATCH, Extractor, device, keep_freed_memory, precision
from slac_tasks.networks.registry import ATTENTIVE, Architecture
from slac_tasks.networks.settings import Scoring
from slac_tasks.networks.starting import starting_backbone, starting_entry
from slac_tasks.networks.weights import decode_network


def frozen(entry: Architecture, backbone: nn.Module, where: str, settings: Scoring) -> Extractor:
    """Return a backbone that is ready to look at videos.

    Args:
        entry: what it is.
        backbone: its weights.
        where: the setting `device`.
        settings: batch and precision; no setting changes what a feature means.

    Raises:
        NotConfigured: the device is absent.

    """
    on = device(where)
    batch = settings.batch
    if on.type == "cpu":
        keep_freed_memory()
        batch = min(batch, CPU_BATCH)
    network = backbone.to(on).eval().requires_grad_(False)
    dtype = precision(on, "float32" if entry.is_exact else settings.precision)
    return Extractor(entry=entry, form=plain(network), where=on, batch=batch, dtype=dtype)


def of_registry(name: str, start: str) -> tuple[Architecture, nn.Module]:
    """Return (entry, backbone) of a name in the registry.

    Args:
        name: of the registry; or `attentive`, for the network of the folder `start` as it is: its features are the
            mean of its tokens, since nothing has taught a pool to read them.
        start: `hub`, `package`, `random`, or a folder of weights, as for `training.start`.

    Raises:
        NotConfigured: the weights cannot be had.
        WrongArguments: no entry has this name.

    """
    entry = starting_entry(name, start)
    backbone, _ = starting_backbone(entry, start)
    return entry, MeanTokens(backbone) if name == ATTENTIVE else backbone


def of_file(path: Path) -> tuple[Architecture, nn.Module]:
    """Return (entry, backbone) of the file `<hash>.safetensors` that `slac pretrain` writes, or of a folder with one.

    Raises:
        WrongArguments: there is no such file, or several, or it cannot be read.
        BrokenContract: the file is damaged, or of something else.

    """
    found = sorted(path.glob("*.safetensors")) if os.path.isdir(path) else [path]
    if len(found) != 1 or not os.path.isfile(found[0]):
        names = json.dumps([each.name for each in found])
        raise WrongArguments(f"network {path}: holds {names}, want one file .safetensors as `slac pretrain` writes it")
    try:
        return decode_network(found[0].read_bytes(), str(found[0]))
    except OSError as error:
        raise WrongArguments(f"network {found[0]}: cannot be read: {error.strerror}") from error
