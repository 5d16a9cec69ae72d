"""What a training has come to, kept by the number of steps that were done: one that was cut off goes on from there."""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch

from slac_tasks.scratch import Scratch


class Keeps(Protocol):
    """Where files are kept, by the number of steps that were done; it may be sent to other processes."""

    def of(self, *part: str) -> "Keeps":
        """Return where those of one part of the work are kept."""

    def write(self, step: int, path: Path) -> None:
        """Keep the file at `path`."""

    def newest(self) -> Iterator[tuple[int, bytes]]:
        """Yield those that are whole, the newest first."""

    def done(self) -> None:
        """Delete those of this part: what it was to come to is kept elsewhere."""


def keep(keeps: Keeps, step: int, state: Mapping[str, Any]) -> None:
    """Keep the state after so many steps: tensors, numbers and text, in lists and dicts."""
    with Scratch() as folder:
        path = folder / "state.pt"
        with path.open("wb") as file:  # given a path, it takes a full disk for a bug of its own
            torch.save(dict(state), file)
        keeps.write(step, path)


def decoded(state: bytes) -> dict[str, Any]:
    """Return a state as `keep` was given it, on the processor."""
    found: dict[str, Any] = torch.load(io.BytesIO(state), map_location="cpu", weights_only=True)
    return found
