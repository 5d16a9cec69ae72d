"""Processes that train one network together, in the group of `torch.distributed` that they have joined.

Gradients are summed once a step, in one call, after all micro-batches of all ranks. A reducer that works while
gradients are computed, as DistributedDataParallel has, waits for ever for a rank that ran out of memory in between;
here ranks agree first on whether all have theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """One process among those that train together; alone, every call does nothing."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes and prints."""
        return self.rank == 0

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the ranks; all are of one type and on one device."""
        if self.world > 1 and tensors:
            flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
            distributed.all_reduce(flat)
            at = 0
            for tensor in tensors:
                tensor.copy_(flat[at : at + tensor.numel()].view(tensor.shape))
                at += tensor.numel()

    def any(self, flag: bool, where: torch.device) -> bool:
        """Return whether the flag is set on any rank."""
        if self.world == 1:
            return flag
        found = torch.tensor([float(flag)], device=where)
        self.add([found])
        return bool(found.item())
