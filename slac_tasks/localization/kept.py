"""A head that has learned, as bytes: with what it needs to look at a video, and what taught it."""

import io
from dataclasses import asdict, dataclass
from typing import Any

import torch

from slac_tasks.errors import BrokenContract
from slac_tasks.localization.features import STRIDE_FRAMES
from slac_tasks.localization.head import Head, Shape

_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class About:
    """What is known of a head beside its weights."""

    architecture: str
    """Name in the registry of the network whose features it reads."""
    backbone: str
    """Content hash of that network's weights."""
    taught: str
    """What taught it, in a sentence."""
    stride_frames: int = STRIDE_FRAMES


def encode(head: Head, about: About) -> bytes:
    """Return a head's bytes."""
    buffer = io.BytesIO()
    state = {name: value.detach().cpu() for name, value in head.state_dict().items()}
    torch.save({"version": _VERSION, "about": asdict(about), "shape": asdict(head.shape), "state": state}, buffer)
    return buffer.getvalue()


def decode(data: bytes, what: str) -> tuple[Head, About]:
    """Return (the head in evaluation mode, what is known of it).

    Args:
        data: what `encode` returned.
        what: names it in messages.

    Raises:
        BrokenContract: it is damaged, or of another version.

    """
    try:
        blob: dict[str, Any] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        if blob["version"] != _VERSION:
            raise BrokenContract(f"localizer {what}: is of version {blob['version']}, want {_VERSION}")
        head = Head(Shape(**{**blob["shape"], "categories": tuple(blob["shape"]["categories"])}))
        head.load_state_dict(blob["state"])
        return head.eval(), About(**blob["about"])
    except BrokenContract:
        raise
    except Exception as error:  # a damaged pickle raises almost anything
        raise BrokenContract(f"localizer {what}: is damaged: {type(error).__name__}: {error}") from error
