"""Where a backbone's weights start: torchvision's hub, an installed package, a folder, or nothing."""

from pathlib import Path

import torch
from torch import Tensor, nn

from slac_tasks.errors import NotConfigured
from slac_tasks.given.folders import path_of
from slac_tasks.networks.attentive_folder import entry_of_folder, load_attentive
from slac_tasks.networks.backbones import under
from slac_tasks.networks.efficientnet import renamed
from slac_tasks.networks.packaged import Packaged
from slac_tasks.networks.registry import ATTENTIVE, Architecture, architecture, laid_out


def package_of(entry: Architecture, pretrained: str) -> Packaged | None:
    """Return the package from which a backbone starts under this setting of `committee.pretrained`, if from one."""
    asked = pretrained == "package" or (pretrained == "hub" and not entry.hub)
    return entry.package if asked else None


def starting_entry(name: str, start: str) -> Architecture:
    """Return the entry of a name in the registry, or, of `attentive`, that of the network in the folder `start`.

    Raises:
        NotConfigured: the folder holds no such network.
        WrongArguments: no entry has this name.

    """
    return entry_of_folder(start) if name == ATTENTIVE else architecture(name)


def starting_backbone(entry: Architecture, pretrained: str) -> tuple[nn.Module, bool]:
    """Return (a backbone to train from, whether its weights were pretrained).

    Args:
        entry: the architecture.
        pretrained: `package` (weights that an installed package holds), `hub` (torchvision's weights; those of a
            package where torchvision has none), `random`, or a folder that holds <name>.pt: a state dict of the
            backbone, with or without torchvision's last layer. A backbone for which nobody holds weights starts at
            random; a folder must hold them. For an attentive network, the folder of `starting_entry`.

    Raises:
        NotConfigured: the weights cannot be had.

    """
    if entry.is_frozen:
        return laid_out(load_attentive(entry, pretrained)), True
    backbone = laid_out(entry.build())
    target = under(backbone)
    if pretrained == "random":
        return backbone, False
    if pretrained not in ("hub", "package"):
        state = _folder_state(entry, path_of(pretrained))
    elif pretrained == "hub" and entry.hub:
        state = _hub_state(entry)
    elif package := package_of(entry, pretrained):
        state = renamed(target, torch.load(package.path(), map_location="cpu", weights_only=True))
    else:
        return backbone, False
    state = {name: tensor for name, tensor in state.items() if not name.startswith(f"{entry.layer}.")}
    try:
        target.load_state_dict(state)
    except RuntimeError as error:
        raise NotConfigured(f"weights of {entry.name}: do not fit its backbone: {error}") from error
    return backbone, True


def _hub_state(entry: Architecture) -> dict[str, Tensor]:
    from torchvision.models import get_weight

    weights = get_weight(entry.hub)
    try:
        return dict(weights.get_state_dict(progress=False, check_hash=True))
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong hash is a RuntimeError
        raise NotConfigured(
            f"weights of {entry.name}: the hub is out of reach ({error}); put {weights.url} into a folder as "
            f"{entry.name}.pt and set committee.pretrained to that folder, to 'package' with "
            "frame_efficientnet_lite0 among the members, or to 'random' to start from nothing"
        ) from error


def _folder_state(entry: Architecture, folder: Path) -> dict[str, Tensor]:
    path = folder / f"{entry.name}.pt"
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # a damaged pickle raises almost anything
        raise NotConfigured(
            f"weights of {entry.name}: cannot read {path}: {type(error).__name__}; want a state dict there, or "
            "committee.pretrained = 'hub', 'package' or 'random'"
        ) from error
