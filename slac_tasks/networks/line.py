"""Batches on their way through the networks of one device.

On a card, copies, networks and what is done with their results overlap: pixels go through buffers on the card that take
turns, on a stream of their own; all networks read the same buffer; results are fetched when later batches are under
way. Nothing waits for the card but the place that needs a result, and a batch that is three ahead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from slac_tasks.model import View
from slac_tasks.networks.inference import Extractor
from slac_tasks.video.frames import Pixels
from slac_tasks.video.ring import clip_shape

_BUFFERS = 3


class Result(Protocol):
    """Features of a batch that may still be computed."""

    def features(self) -> Mapping[str, Tensor]:
        """Return them by backbone: (n, features), float32 on the CPU."""


class Line(Protocol):
    """What batches are given to."""

    ahead: int
    """Batches that are given before the results of the first one are asked for."""

    def give(self, pixels: Mapping[View, Pixels], backbones: Sequence[str]) -> Result:
        """Let backbones look at a batch; its pixels may be overwritten afterwards.

        Raises:
            Temporary: memory does not suffice for a single clip.

        """

    def close(self) -> None:
        """Let go of the memory that was pinned."""


@dataclass(frozen=True)
class _Known:
    found: Mapping[str, Tensor]

    def features(self) -> Mapping[str, Tensor]:
        return self.found


class OnProcessors:
    """Batch after batch: the networks need all processors for each."""

    ahead = 0

    def __init__(self, extractors: Mapping[str, Extractor]) -> None:
        self._extractors = extractors

    def give(self, pixels: Mapping[View, Pixels], backbones: Sequence[str]) -> Result:
        """Let backbones look at a batch, now."""
        own = {name: self._extractors[name] for name in backbones}
        return _Known({name: one.features(pixels[one.entry.view]) for name, one in own.items()})

    def close(self) -> None:
        """Do nothing: no memory is pinned."""


@dataclass(frozen=True)
class _UnderWay:
    count: int
    found: Mapping[str, Tensor]
    """In pinned memory."""
    done: "torch.cuda.Event"

    def features(self) -> Mapping[str, Tensor]:
        self.done.synchronize()
        return {name: tensor[: self.count].clone() for name, tensor in self.found.items()}


@dataclass(kw_only=True)
class _Buffer:
    """Memory on the card for one batch, and what says when it may be read and written."""

    pixels: dict[View, Tensor]
    free: "torch.cuda.Event"
    """Its last reader is done."""
    copied: "torch.cuda.Event"


class OnCard:
    """Batches of one size, the last one filled up with whatever lay there, so that shapes never change."""

    ahead = _BUFFERS - 1

    def __init__(self, extractors: Mapping[str, Extractor], batch: int, memory: NDArray[np.uint8] | None) -> None:
        """Take the buffers.

        Args:
            extractors: the networks on the card, by backbone.
            batch: clips at a time.
            memory: where batches lie before; it is pinned, so that the card reads it without a copy in between.

        """
        self._extractors, self._batch = extractors, batch
        (self._where,) = {one.where for one in extractors.values()}
        self._copies = torch.cuda.Stream(self._where)  # type: ignore[no-untyped-call]
        self._buffers = [
            _Buffer(
                pixels={
                    view: torch.zeros(batch, *clip_shape(view), dtype=torch.uint8, device=self._where)
                    for view in {one.entry.view for one in extractors.values()}
                },
                free=_event(),
                copied=_event(),
            )
            for _ in range(_BUFFERS)
        ]
        self._given = 0
        self._pinned = memory if memory is not None and _pin(memory) else None

    def give(self, pixels: Mapping[View, Pixels], backbones: Sequence[str]) -> Result:
        """Queue the copy of a batch and the networks that read it."""
        buffer = self._buffers[self._given % _BUFFERS]
        self._given += 1
        count = 0
        with torch.cuda.stream(self._copies):
            self._copies.wait_event(buffer.free)
            for view, clips in pixels.items():
                count = len(clips)
                held = torch.from_numpy(clips)
                buffer.pixels[view][:count].copy_(held if held.is_pinned() else held.pin_memory(), non_blocking=True)
            buffer.copied.record(self._copies)
        own = torch.cuda.current_stream(self._where)
        own.wait_event(buffer.copied)
        found = {}
        for name in backbones:
            one = self._extractors[name]
            features = one.on_device(buffer.pixels[one.entry.view])
            found[name] = torch.empty(features.shape, pin_memory=True).copy_(features, non_blocking=True)
        buffer.free.record(own)
        done = _event()
        done.record(own)
        # Only the copy is waited for: whoever gave the pixels may write the next ones in their place.
        buffer.copied.synchronize()
        return _UnderWay(count, found, done)

    def close(self) -> None:
        """Let go of the memory that was pinned, once nothing reads it."""
        if self._pinned is not None:
            torch.cuda.synchronize(self._where)
            _driver().cudaHostUnregister(self._pinned.ctypes.data)
            self._pinned = None


def line_of(extractors: Mapping[str, Extractor], batch: int, memory: NDArray[np.uint8] | None) -> Line:
    """Return the line of the device on which these networks are; the arguments are those of `OnCard`."""
    on_card = any(one.where.type == "cuda" for one in extractors.values())
    return OnCard(extractors, batch, memory) if on_card else OnProcessors(extractors)


def _pin(memory: NDArray[np.uint8]) -> bool:
    """Pin memory that is shared with other processes; where the system allows none, batches are copied once more."""
    return int(_driver().cudaHostRegister(memory.ctypes.data, memory.nbytes, 0)) == 0


def _driver() -> Any:
    return torch.cuda.cudart()  # type: ignore[no-untyped-call]


def _event() -> "torch.cuda.Event":
    return torch.cuda.Event()  # type: ignore[no-untyped-call]
