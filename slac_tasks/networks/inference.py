"""Frozen networks at work: as fast as the device multiplies, and smaller batches when memory runs out."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from slac_tasks.children import processors
from slac_tasks.errors import NotConfigured, Temporary
from slac_tasks.networks.forms import Form, run
from slac_tasks.networks.registry import Architecture
from slac_tasks.video.frames import Pixels


def precision(where: torch.device, setting: str = "auto") -> torch.dtype:
    """Return the type in which a frozen network multiplies.

    `auto` is bfloat16 on every device that multiplies it in hardware: 1.4 to 2.9 times as fast as float32 on the
    processors it was measured on, and scores move by less than 0.02.
    """
    if setting != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[setting]
    has = torch.cuda.is_bf16_supported() if where.type == "cuda" else torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.bfloat16 if has else torch.float32


CPU_BATCH = 8
"""Clips at a time on processors: more are no faster there, and their activations take memory."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _LARGEST = -1, -3, 2**31 - 1


@cache
def keep_freed_memory() -> None:
    """Let the C library keep the memory of a layer's output for the next layer, where the library is glibc.

    It would give every block over 32 MiB back to the kernel and have it zeroed page by page again: a third of the
    time of r2plus1d_18 on the processors it was measured on. The process holds its peak until it ends.
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(_M_MMAP_THRESHOLD, _LARGEST)
        mallopt(_M_TRIM_THRESHOLD, _LARGEST)


@dataclass(kw_only=True)
class Extractor:
    """A frozen backbone, the device it is on, and the batch that fits there."""

    entry: Architecture
    form: Form
    where: torch.device
    batch: int
    """Clips at a time; halved, for good, when memory runs out."""
    dtype: torch.dtype

    @property
    def preprocessing(self) -> str:
        """What becomes of a clip before and in the network, in a line that scores carry."""
        return f"{self.entry.preprocessing}, {str(self.dtype).removeprefix('torch.')}"

    def features(self, pixels: Pixels) -> Tensor:
        """Return the features (n, features), float32 on the CPU, of pixels (n, frames, h, w, 3), row for row.

        Raises:
            Temporary: memory does not suffice for a single clip.

        """
        parts = []
        for begin in range(0, len(pixels), self.batch):
            part = pixels[begin : begin + self.batch]
            # Clips of a training set are mapped read-only, which torch cannot express.
            clips = torch.from_numpy(part if part.flags.writeable else np.array(part))
            parts.append(self.on_device(clips.to(self.where)).cpu())
        return torch.cat(parts) if parts else torch.empty(0, self.entry.features)

    def on_device(self, clips: Tensor) -> Tensor:
        """Return the features (n, features), float32, of clips (n, frames, h, w, 3) on the device; both stay there.

        Raises:
            Temporary: memory does not suffice for a single clip.

        """
        parts: list[Tensor] = []
        start = 0
        while start < len(clips):
            taken = clips[start : start + self.batch]
            try:
                parts.append(run(self.entry, self.form, taken, self.dtype))
            except (torch.OutOfMemoryError, MemoryError) as error:
                if len(taken) == 1:
                    raise Temporary(
                        f"classifier {self.entry.name}: out of memory for one clip on {self.where}"
                    ) from error
                self.batch = (len(taken) + 1) // 2
                torch.cuda.empty_cache()
            else:
                start += len(taken)
        return torch.cat(parts) if len(parts) != 1 else parts[0]


def device(setting: str) -> torch.device:
    """Return where networks run: `auto` takes the GPU when there is one.

    Raises:
        NotConfigured: `cuda` is asked for and absent.

    """
    if setting == "auto":
        setting = "cuda" if torch.cuda.is_available() else "cpu"
    if setting == "cuda":
        if not torch.cuda.is_available():
            raise NotConfigured("setting device: is 'cuda', but this machine has no GPU; want 'auto' or 'cpu'")
        torch.backends.cudnn.deterministic = True
    return torch.device(setting)


def devices(setting: Sequence[str], kind: str) -> Sequence[str]:
    """Return the devices on which processes run networks, one on each.

    Args:
        setting: their names; empty: all cards, or the processors where there is none.
        kind: the setting `device`.

    Raises:
        NotConfigured: one is absent, or they are of several kinds.

    """
    where = device(kind)
    cards = torch.cuda.device_count() if where.type == "cuda" else 0
    known = [f"cuda:{card}" for card in range(cards)] or [where.type]
    if strange := sorted(set(setting) - set(known)):
        raise NotConfigured(f"setting scoring.devices: {', '.join(strange)}; want of {', '.join(known)}")
    return setting or known


def occupy(name: str, processes: int = 1) -> None:
    """Let `cuda` mean this device here; on processors, take as many threads as so many processes may have each."""
    where = torch.device(name)
    if where.type == "cuda":
        torch.cuda.set_device(where)
    elif processes > 1:
        torch.set_num_threads(max(1, torch.get_num_threads() // processes))


def device_name(where: torch.device) -> str:
    """Return what a measured rate holds for: the card, if any, and the processors that feed it."""
    return f"{torch.cuda.get_device_name(where)}, {_processors()}" if where.type == "cuda" else _processors()


def _processors() -> str:
    """Return the name of this machine's processors, and how many of them this process may use."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else 'unknown processors'}, {processors()} processors"
