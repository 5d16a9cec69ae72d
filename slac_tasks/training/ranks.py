"""Processes that train one network together, in the group of `torch.distributed` that they have joined.

Gradients are summed once a step, in one call, after all micro-batches of all ranks. A reducer that works while
gradients are computed, as DistributedDataParallel has, waits for ever for a rank that ran out of memory in between;
here ranks agree first on whether all have theirs.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar, cast

import torch
from torch import Tensor, distributed

from slac_tasks.errors import NotConfigured, Temporary

T = TypeVar("T")


class RanksLost(Temporary):
    """Another rank ended before its time; the one that failed first says why."""


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """One process among those that train together; alone, every call does nothing."""

    rank: int = 0
    world: int = 1
    local: int = 0
    """Number of this rank among those of its machine: which of the machine's cards it takes."""
    local_world: int = 1
    """How many ranks this machine has."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Ranks":
        """Return which rank `torchrun`, or whatever sets its variables, made of this process.

        Raises:
            NotConfigured: a variable is missing or no number.

        """
        if "RANK" not in environ:
            return cls()
        try:
            rank, world = int(environ["RANK"]), int(environ["WORLD_SIZE"])
            local, local_world = int(environ.get("LOCAL_RANK", rank)), int(environ.get("LOCAL_WORLD_SIZE", world))
        except (KeyError, ValueError) as error:
            raise NotConfigured(
                f"RANK is {environ['RANK']!r}: {type(error).__name__} {error} beside it; want the variables of "
                "torchrun (WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT), or none of them"
            ) from error
        return cls(rank=rank, world=world, local=local, local_world=local_world)

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes and prints."""
        return self.rank == 0

    @contextmanager
    def joined(self, meeting: str, where: torch.device) -> Iterator[torch.device]:
        """Belong to the group inside the block; yield this rank's device: its own card where `where` has cards.

        Args:
            meeting: where the ranks find each other, as `torch.distributed` reads it.
            where: the kind of device.

        Raises:
            Temporary: the others do not come.

        """
        if self.world == 1:
            yield where
            return
        if where.type == "cuda":
            where = torch.device("cuda", self.local)
            torch.cuda.set_device(where)
        with self._with_others():
            distributed.init_process_group(
                "nccl" if where.type == "cuda" else "gloo", init_method=meeting, rank=self.rank, world_size=self.world
            )
        try:
            yield where
        finally:
            distributed.destroy_process_group()

    @contextmanager
    def _with_others(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:  # gloo has no class of its own for it
            raise RanksLost(f"rank {self.rank} of {self.world}: lost the others: {error}") from error

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the ranks; all are of one type and on one device."""
        if self.world > 1 and tensors:
            flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
            with self._with_others():
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

    def from_first(self, value: T) -> T:
        """Return the value that the first rank gives."""
        if self.world == 1:
            return value
        values = [value if self.first else None]
        with self._with_others():
            distributed.broadcast_object_list(values)
        (found,) = values
        return cast(T, found)

    def of_all(self, value: T) -> list[T]:
        """Return the values of all ranks, in their order."""
        if self.world == 1:
            return [value]
        values: list[T | None] = [None] * self.world
        with self._with_others():
            distributed.all_gather_object(values, value)
        return cast(list[T], values)


ALONE = Ranks()
"""The only process."""
