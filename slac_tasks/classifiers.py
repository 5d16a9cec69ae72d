"""The registry of classifiers: what each sees, how its backbone is built, and where its weights start.

A classifier is a backbone (a network that maps a clip to features, frozen once trained) and a linear head with one
sigmoid output per category. The committee's members and the pretrained network are chosen here by name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models import video

from slac_tasks.errors import NotConfigured, WrongArguments
from slac_tasks.networks import EveryFrame, SmallVideoNetwork, small_frame_network


class Kind(StrEnum):
    """What a classifier can tell actions apart by; a committee has one of each at least."""

    FRAME = "frame"
    VIDEO = "video"
    MOTION = "motion"


class Stream(StrEnum):
    """What a backbone is given of a clip."""

    CENTRE = "centre"
    """The middle frame, RGB: 3 channels, 1 frame."""
    RGB = "rgb"
    """All frames: 3 channels."""
    DIFF = "diff"
    """Each frame minus the one before (0 for the first): 3 channels; nothing that stands still is visible."""
    RGB_DIFF = "rgb+diff"
    """Both: 6 channels."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """One entry of the registry."""

    name: str
    kind: Kind
    stream: Stream
    frames: int
    """Frames decoded from a clip, evenly spaced; members with the same frames and size share one decode."""
    size: int
    """Height and width of a decoded frame in pixels."""
    features: int
    """Length of the backbone's output."""
    build: Callable[[], nn.Module]
    """Make the backbone with random weights."""
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """Subtracted from RGB in 0 to 1."""
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """RGB is divided by it after that."""
    hub: str = ""
    """Name of torchvision's weights for this backbone; empty where there are none and it starts at random."""

    @property
    def shape(self) -> tuple[int, int]:
        """(frames, size): what a clip is decoded to."""
        return self.frames, self.size


def _headless(build: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    def backbone() -> nn.Module:
        network = build()
        network.fc = nn.Identity()
        return network

    return backbone


def _frame_resnet18() -> nn.Module:
    return EveryFrame(_headless(lambda: models.resnet18(weights=None))())


_KINETICS = {"mean": (0.43216, 0.394666, 0.37645), "std": (0.22803, 0.22145, 0.216989)}
_IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def _video(
    name: str, network: Callable[..., nn.Module], hub: str, kind: Kind = Kind.VIDEO, stream: Stream = Stream.RGB
) -> Architecture:
    return Architecture(
        name=name, kind=kind, stream=stream, frames=16, size=112, features=512, hub=hub,
        build=_headless(lambda: network(weights=None)), **_KINETICS,
    )  # fmt: skip


def _small(name: str, kind: Kind, stream: Stream, features: int, build: Callable[[], nn.Module]) -> Architecture:
    return Architecture(name=name, kind=kind, stream=stream, frames=8, size=56, features=features, build=build)


REGISTRY: Mapping[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            name="frame_resnet18", kind=Kind.FRAME, stream=Stream.CENTRE, frames=16, size=112, features=512,
            build=_frame_resnet18, hub="ResNet18_Weights.IMAGENET1K_V1", **_IMAGENET,
        ),
        _video("r3d_18", video.r3d_18, "R3D_18_Weights.KINETICS400_V1"),
        _video("mc3_18", video.mc3_18, "MC3_18_Weights.KINETICS400_V1"),
        _video("r2plus1d_18", video.r2plus1d_18, "R2Plus1D_18_Weights.KINETICS400_V1"),
        _video("motion_r3d_18", video.r3d_18, "R3D_18_Weights.KINETICS400_V1", Kind.MOTION, Stream.DIFF),
        _small("small_frame", Kind.FRAME, Stream.CENTRE, 128, small_frame_network),
        _small("small_3d", Kind.VIDEO, Stream.RGB_DIFF, 60, lambda: SmallVideoNetwork(6)),
        _small("small_motion", Kind.MOTION, Stream.DIFF, 60, lambda: SmallVideoNetwork(3)),
    )
}  # fmt: skip
"""Every classifier by name. To add one: write its entry here, and its network in `networks` if torchvision has none."""


def architecture(name: str) -> Architecture:
    """Return the entry called `name`.

    Raises:
        WrongArguments: there is none.

    """
    if name not in REGISTRY:
        raise WrongArguments(f"classifier {name!r}: unknown, want one of {', '.join(REGISTRY)}")
    return REGISTRY[name]


def committee(names: Sequence[str]) -> list[Architecture]:
    """Return the members of a committee.

    Raises:
        WrongArguments: one is unknown or stands twice, or a kind is missing: members that see the same make the same
            mistakes, and their disagreement says nothing.

    """
    members = [architecture(name) for name in names]
    missing = set(Kind) - {member.kind for member in members}
    if missing or len(set(names)) != len(names):
        raise WrongArguments(
            f"setting committee.members: {', '.join(names)}; want different ones, and one at least of each kind: "
            f"{', '.join(Kind)}"
        )
    return members


def to_stream(entry: Architecture, clips: Tensor) -> Tensor:
    """Return what a backbone sees of clips: uint8 (n, frames, h, w, 3) becomes float (n, channels, frames, h, w)."""
    if entry.stream is Stream.CENTRE:
        clips = clips[:, clips.shape[1] // 2, None]
    low = torch.tensor(entry.mean, device=clips.device)
    scale = torch.tensor(entry.std, device=clips.device)
    rgb = ((clips.float() / 255 - low) / scale).permute(0, 4, 1, 2, 3)
    if entry.stream in (Stream.DIFF, Stream.RGB_DIFF):
        change = torch.zeros_like(rgb)
        # Doubled: neighbouring frames differ little, and both halves of the stream should weigh alike.
        change[:, :, 1:] = 2 * (rgb[:, :, 1:] - rgb[:, :, :-1])
        rgb = change if entry.stream is Stream.DIFF else torch.cat([rgb, change], 1)
    return rgb.contiguous(memory_format=torch.channels_last_3d)


def laid_out(backbone: nn.Module) -> nn.Module:
    """Return the same network with its kernels channels-last, the order in which convolutions run fastest."""
    flat = any(isinstance(module, nn.Conv2d) for module in backbone.modules())
    return backbone.to(memory_format=torch.channels_last if flat else torch.channels_last_3d)


class Classifier(nn.Module):
    """A backbone and a linear head: one logit per category."""

    def __init__(self, entry: Architecture, outputs: int, backbone: nn.Module | None = None) -> None:
        super().__init__()
        self.entry = entry
        self.backbone = backbone or laid_out(entry.build())
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(entry.features, outputs)

    def forward(self, stream: Tensor) -> Tensor:
        """Return logits (n, outputs) of a stream (n, channels, frames, height, width)."""
        return cast(Tensor, self.head(self.dropout(self.backbone(stream))))


def starting_backbone(entry: Architecture, pretrained: str) -> tuple[nn.Module, bool]:
    """Return (a backbone to train from, whether its weights were pretrained).

    Args:
        entry: the architecture.
        pretrained: `random`, `hub` (torchvision's weights; those of ours that have none start at random), or a
            folder that holds <name>.pt: a state dict of the backbone, with or without torchvision's last layer.

    Raises:
        NotConfigured: the weights cannot be had.

    """
    backbone = laid_out(entry.build())
    if pretrained == "random" or (pretrained == "hub" and not entry.hub):
        return backbone, False
    state = _hub_state(entry) if pretrained == "hub" else _folder_state(entry, Path(pretrained))
    state = {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
    target = backbone.frame_network if isinstance(backbone, EveryFrame) else backbone
    try:
        target.load_state_dict(state)
    except RuntimeError as error:
        raise NotConfigured(f"weights of {entry.name}: do not fit its backbone: {error}") from error
    return backbone, True


def _hub_state(entry: Architecture) -> dict[str, Tensor]:
    weights = models.get_weight(entry.hub)
    try:
        return dict(weights.get_state_dict(progress=False, check_hash=True))
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong hash is a RuntimeError
        raise NotConfigured(
            f"weights of {entry.name}: the hub is out of reach ({error}); put {weights.url} into a folder as "
            f"{entry.name}.pt and set committee.pretrained to that folder, or to 'random' to start from nothing"
        ) from error


def _folder_state(entry: Architecture, folder: Path) -> dict[str, Tensor]:
    path = folder / f"{entry.name}.pt"
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # a damaged pickle raises almost anything
        raise NotConfigured(
            f"weights of {entry.name}: cannot read {path}: {type(error).__name__}; want a state dict there, or "
            "committee.pretrained = 'hub' or 'random'"
        ) from error
