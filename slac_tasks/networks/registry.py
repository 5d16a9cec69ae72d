"""The registry of classifiers: what each sees, how its backbone is built, and who holds weights to start from.

A classifier is a backbone (a network that maps a clip to features, frozen once trained) and a linear head with one
sigmoid output per category. The committee's members and the pretrained network are chosen here by name.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TypedDict, cast

import torch
from torch import Tensor, nn

from slac_tasks.errors import WrongArguments
from slac_tasks.given.words import wanted
from slac_tasks.model import View
from slac_tasks.networks import efficientnet
from slac_tasks.networks.attentive import attentive_backbone
from slac_tasks.networks.backbones import EveryFrame, SmallVideoNetwork, small_frame_network
from slac_tasks.networks.flow import flow_pixels
from slac_tasks.networks.image_tower import image_tower
from slac_tasks.networks.packaged import EFFICIENTNET_LITE0, Packaged
from slac_tasks.networks.words import IMAGE_TEXT


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
    FLOW = "flow"
    """Optical flow from each frame to the next (see slac_tasks.networks.flow): 3 channels."""


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How fast a network is pretrained (AdamW)."""

    fresh: float = 1e-3
    """Highest learning rate from random weights, at `batch` clips in a step; with others it grows as their root."""
    tuned: float = 2e-4
    """The same from pretrained weights."""
    batch: int = 32
    weight_decay: float = 0.05
    layer_decay: float = 0.75
    """From pretrained weights, each layer learns at so much of the rate of the one above it (Bao et al., BEiT)."""
    warmup: float = 0.1
    """Share of the steps in which the rate rises."""
    crop: float = 0.4
    """Least share of a frame's area that a random crop shows."""


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
    build: Callable[..., nn.Module]
    """Make the backbone with random weights; where its blob holds a recipe beside the tensors, from that text."""
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """Subtracted from RGB in 0 to 1."""
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """RGB is divided by it after that."""
    layer: str = "fc"
    """Name of torchvision's last layer, which the backbone lacks."""
    linear: str = ""
    """Name of the weights of the last linear map in torchvision's network, where `layer` holds more than that map."""
    is_exact: bool = False
    """Runs in one precision whatever the settings say: its scores hang on small differences of features."""
    is_frozen: bool = False
    """Its backbone never learns, but for the part `pool`."""
    hub: str = ""
    """Name of torchvision's weights for this backbone; empty where there are none."""
    rates: Rates = Rates()
    """How fast it is pretrained on a release."""
    package: Packaged | None = None
    """The package that holds weights for this backbone, its tensors in the order of the network; None: none does."""

    def __reduce__(self) -> "tuple[Callable[[str], Architecture], tuple[str]]":
        # Between processes an entry travels as its name.
        return architecture, (self.name,)

    @property
    def view(self) -> View:
        """What a clip is decoded to."""
        return View(self.frames, self.size)

    @property
    def torchvision(self) -> str:
        """Name of torchvision's network with this backbone; empty: it has none."""
        return self.hub.partition("_Weights")[0].lower()

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """What the backbone is given of one clip: (channels, frames, height, width)."""
        frames = 1 if self.stream is Stream.CENTRE else self.frames
        return 6 if self.stream is Stream.RGB_DIFF else 3, frames, self.size, self.size

    @property
    def preprocessing(self) -> str:
        """Everything that happens to a clip before the backbone, in a line; scores carry it."""
        return f"{self.view} {self.stream} mean {self.mean} std {self.std}"


def _headless(network: str, layer: str = "fc") -> Callable[[], nn.Module]:
    """Return a builder of torchvision's network of this name without its last `layer`."""

    def backbone() -> nn.Module:
        from torchvision.models import get_model  # two seconds, which networks of our own do without

        made: nn.Module = get_model(network, weights=None)
        setattr(made, layer, nn.Identity())
        return made

    return backbone


def _every_frame(network: str, layer: str = "fc") -> Callable[[], nn.Module]:
    headless = _headless(network, layer)
    return lambda: EveryFrame(headless())


class _Norm(TypedDict):
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


_TRANSFORMER = Rates(fresh=3e-4, tuned=1e-4)
_POOL = Rates(fresh=1e-3, tuned=1e-3, weight_decay=0.01, layer_decay=1.0)
"""What lies under the pool does not learn, so pretrained weights slow nothing down (ours)."""
_SMALL = Rates(fresh=8e-3, tuned=1e-3, weight_decay=0.02, layer_decay=1.0, warmup=0.2, crop=0.7)
"""Tried on the generated world; the others are those of the networks' papers, brought to this batch."""

_KINETICS: _Norm = {"mean": (0.43216, 0.394666, 0.37645), "std": (0.22803, 0.22145, 0.216989)}
_IMAGENET: _Norm = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
_LITE: _Norm = {"mean": (127 / 255, 127 / 255, 127 / 255), "std": (128 / 255, 128 / 255, 128 / 255)}
_PLAIN: _Norm = {"mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}
_MVIT: _Norm = {"mean": (0.45, 0.45, 0.45), "std": (0.225, 0.225, 0.225)}


def _video(
    name: str, hub: str, *, kind: Kind = Kind.VIDEO, stream: Stream = Stream.RGB, size: int = 112,
    features: int = 512, layer: str = "fc", linear: str = "", norm: _Norm | None = None, rates: Rates = Rates(),
) -> Architecture:  # fmt: skip
    return Architecture(
        name=name, rates=rates, kind=kind, stream=stream, frames=16, size=size, features=features, layer=layer,
        linear=linear,
        hub=f"{hub}_Weights.KINETICS400_V1", build=_headless(hub.lower(), layer), **(norm or _KINETICS),
    )  # fmt: skip


def _frame(name: str, hub: str, *, size: int, features: int, layer: str = "fc") -> Architecture:
    return Architecture(
        name=name, kind=Kind.FRAME, stream=Stream.CENTRE, frames=16, size=size, features=features,
        hub=f"{hub}_Weights.IMAGENET1K_V1", layer=layer, build=_every_frame(hub.lower(), layer), **_IMAGENET,
    )  # fmt: skip


def _small(name: str, kind: Kind, stream: Stream, features: int, build: Callable[[], nn.Module]) -> Architecture:
    return Architecture(
        name=name, kind=kind, stream=stream, frames=8, size=56, features=features, build=build, rates=_SMALL
    )


REGISTRY: Mapping[str, Architecture] = {
    architecture.name: architecture
    for architecture in (
        _frame("frame_resnet18", "ResNet18", size=112, features=512),
        _frame("frame_resnet50", "ResNet50", size=224, features=2048),
        Architecture(
            name="frame_efficientnet_lite0", kind=Kind.FRAME, stream=Stream.RGB, frames=3, size=224,
            features=efficientnet.FEATURES, package=EFFICIENTNET_LITE0, **_LITE,
            build=lambda: EveryFrame(efficientnet.efficientnet_lite0()),
        ),
        _video("r3d_18", "R3D_18"),
        _video("mc3_18", "MC3_18"),
        _video("r2plus1d_18", "R2Plus1D_18"),
        _video("s3d", "S3D", size=224, features=1024, layer="classifier", linear="classifier.1"),
        _video("mvit_v2_s", "MViT_V2_S", size=224, features=768, layer="head", linear="head.1",
               norm=_MVIT, rates=_TRANSFORMER),
        # Trained at 224 pixels, but it takes any size, and at 112 it shares the decode of the others.
        _video("swin3d_t", "Swin3D_T", features=768, layer="head", norm=_IMAGENET,
               rates=_TRANSFORMER),
        _video("motion_r3d_18", "R3D_18", kind=Kind.MOTION, stream=Stream.DIFF),
        _video("flow_r3d_18", "R3D_18", kind=Kind.MOTION, stream=Stream.FLOW, norm=_PLAIN),
        _small("small_frame", Kind.FRAME, Stream.CENTRE, 128, small_frame_network),
        _small("small_3d", Kind.VIDEO, Stream.RGB_DIFF, 60, lambda: SmallVideoNetwork(6)),
        _small("small_motion", Kind.MOTION, Stream.DIFF, 60, lambda: SmallVideoNetwork(3)),
    )
}  # fmt: skip
"""Every classifier by name. To add one: write its entry here, and its network in `networks` if torchvision has none."""


_IMAGE_TEXT_FRAMES = 3
_IMAGE_TEXT_NAME = re.compile(rf"{IMAGE_TEXT}:{_IMAGE_TEXT_FRAMES}x(\d+):(\d+)")


def image_text_architecture(size: int, features: int) -> Architecture:
    """Return the entry of an image-text network; its name says what it sees and gives, the rest is in its blob."""
    return Architecture(
        name=f"{IMAGE_TEXT}:{_IMAGE_TEXT_FRAMES}x{size}:{features}", kind=Kind.FRAME, stream=Stream.RGB,
        frames=_IMAGE_TEXT_FRAMES, size=size, features=features, build=image_tower, is_exact=True,
        mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0),
    )  # fmt: skip


ATTENTIVE = "attentive"
"""A frozen video network of a folder that the settings name, under a pool and a head that learn."""
_ATTENTIVE_NAME = re.compile(rf"{ATTENTIVE}:(\d+)x(\d+):(\d+)")


def attentive_architecture(frames: int, size: int, width: int) -> Architecture:
    """Return the entry of a frozen video network; its name says what it sees and gives, the rest is in its blob."""
    return Architecture(
        name=f"{ATTENTIVE}:{frames}x{size}:{width}", kind=Kind.VIDEO, stream=Stream.RGB, frames=frames, size=size,
        features=width, build=attentive_backbone, is_exact=True, is_frozen=True, rates=_POOL, mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
    )  # fmt: skip


def architecture(name: str) -> Architecture:
    """Return the entry called `name`.

    Raises:
        WrongArguments: there is none.

    """
    if found := _IMAGE_TEXT_NAME.fullmatch(name):
        return image_text_architecture(int(found[1]), int(found[2]))
    if found := _ATTENTIVE_NAME.fullmatch(name):
        return attentive_architecture(int(found[1]), int(found[2]), int(found[3]))
    if name not in REGISTRY:
        raise WrongArguments(f"classifier {name!r}: unknown, {wanted(name, REGISTRY)}")
    return REGISTRY[name]


def committee(names: Sequence[str]) -> Sequence[str]:
    """Return the names of a committee's members once they are checked.

    Raises:
        WrongArguments: one is unknown or stands twice, or a kind is missing: members that see the same make the same
            mistakes, and their disagreement says nothing.

    """
    kinds = {Kind.FRAME if name == IMAGE_TEXT else _member(name).kind for name in names}
    if kinds != set(Kind) or len(set(names)) != len(names):
        raise WrongArguments(
            f"setting committee.members: {', '.join(names)}; want different ones, and one at least of each kind: "
            f"{', '.join(Kind)}"
        )
    return names


def _member(name: str) -> Architecture:
    if name not in REGISTRY:
        raise WrongArguments(f"classifier {name!r}: unknown, {wanted(name, (*REGISTRY, IMAGE_TEXT))}")
    return REGISTRY[name]


@cache
def _norm(values: tuple[float, float, float], where: torch.device) -> Tensor:
    """Return three numbers on a device. To bring them there waits for all that the device still has to do."""
    with torch.inference_mode(False):
        return torch.tensor(values, device=where)


def to_stream(entry: Architecture, clips: Tensor) -> Tensor:
    """Return what a backbone sees of clips: uint8 (n, frames, h, w, 3) becomes float (n, channels, frames, h, w)."""
    if entry.stream is Stream.CENTRE:
        clips = clips[:, clips.shape[1] // 2, None]
    elif entry.stream is Stream.FLOW:
        clips = flow_pixels(clips)
    low, scale = _norm(entry.mean, clips.device), _norm(entry.std, clips.device)
    rgb = ((clips.float() / 255 - low) / scale).permute(0, 4, 1, 2, 3)
    if entry.stream in (Stream.DIFF, Stream.RGB_DIFF):
        change = torch.zeros_like(rgb)
        # Doubled: neighbouring frames differ little, and both halves of the stream should weigh alike.
        change[:, :, 1:] = 2 * (rgb[:, :, 1:] - rgb[:, :, :-1])
        rgb = change if entry.stream is Stream.DIFF else torch.cat([rgb, change], 1)
    return rgb.contiguous(memory_format=torch.channels_last_3d)


def laid_out(backbone: nn.Module) -> nn.Module:
    """Return the same network with its kernels in the order in which they run fastest: channels-last.

    But not where some see one channel each: an H100 trained mvit_v2_s at 56 clips/s as it is, at 38 so.
    """
    modules = list(backbone.modules())
    if any(isinstance(module, nn.Conv3d) and module.groups > 1 for module in modules):
        return backbone
    flat = any(isinstance(module, nn.Conv2d) for module in modules)
    return backbone.to(memory_format=torch.channels_last if flat else torch.channels_last_3d)


class Classifier(nn.Module):
    """A backbone and a linear head: one logit per category."""

    def __init__(self, entry: Architecture, outputs: int, backbone: nn.Module | None = None) -> None:
        super().__init__()
        self.entry = entry
        self.backbone = backbone or laid_out(entry.build())
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(entry.features, outputs)

    def freeze(self) -> None:
        """Leave the backbone as it is, but for the pool of one that never learns as a whole."""
        self.backbone.requires_grad_(False).eval()
        if self.entry.is_frozen:
            self.backbone.get_submodule("pool").requires_grad_(True)

    def own_state(self) -> dict[str, Tensor]:
        """Return the state without that of the network which never learns."""
        given = "backbone.tokens." if self.entry.is_frozen else None
        return {name: one for name, one in self.state_dict().items() if not (given and name.startswith(given))}

    def forward(self, stream: Tensor) -> Tensor:
        """Return logits (n, outputs) of a stream (n, channels, frames, height, width)."""
        return cast(Tensor, self.head(self.dropout(self.backbone(stream))))
