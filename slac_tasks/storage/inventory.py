"""Everything that the store holds: each dataset is listed once, and each manifest is read once."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from slac_tasks.errors import BrokenContract
from slac_tasks.progress import track
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets

_READERS = 8
"""Manifests read at the same time: they are small, and each waits for the store."""


@dataclass(frozen=True, kw_only=True)
class Unread:
    """A generation whose manifest is no manifest, or was altered."""

    address: str
    generation: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The generations of all datasets, superseded ones too."""

    datasets: Datasets
    manifests: tuple[Manifest, ...]
    """In the order of their address and generation."""
    unread: tuple[Unread, ...] = ()

    @classmethod
    def take(cls, datasets: Datasets, declared: Iterable[Dataset[Any]]) -> "Inventory":
        """Read the manifests of these datasets, in their version and the one before."""
        both = [one for dataset in declared for one in (dataset, dataset.upgrade and dataset.upgrade.previous) if one]
        own = [replace(one, upgrade=None) for one in both]
        wanted = [
            (dataset, keys, number, number == numbers[-1])
            for dataset in own
            for keys, numbers in datasets.generations(dataset)
            for number in numbers
        ]

        def read(one: tuple[Dataset[Any], dict[str, str], int, bool]) -> Manifest | Unread:
            dataset, keys, number, is_newest = one
            try:
                if is_newest:
                    # Compared with the pointer, and the pointer is mended where its writer died before it.
                    return datasets.need(dataset, **keys)
                return datasets.generation(dataset, keys, f"g{number:04d}")
            except BrokenContract as failure:
                return Unread(address=dataset.address(keys), generation=number, reason=str(failure))

        with ThreadPoolExecutor(_READERS) as pool:
            found = list(track(pool.map(read, wanted), len(wanted), "manifests read"))
        return cls(
            datasets=datasets,
            manifests=tuple(one for one in found if isinstance(one, Manifest)),
            unread=tuple(one for one in found if isinstance(one, Unread)),
        )

    def every(self, dataset: Dataset[Any]) -> list[Manifest]:
        """Return every generation of a dataset's partitions that readers accept, in the order of their writing."""
        own = (one for one in self.manifests if one.dataset == dataset.name and one.version in dataset.readable)
        return sorted((replace(one, declared=dataset) for one in own), key=lambda manifest: manifest.written_at)

    def by_partition(self, dataset: Dataset[Any]) -> dict[tuple[str, ...], list[Manifest]]:
        """Return what `every` does by the values of the partition's keys, in the order of `dataset.keys`."""
        found: dict[tuple[str, ...], list[Manifest]] = {}
        for manifest in self.every(dataset):
            found.setdefault(tuple(manifest.keys[key] for key in dataset.keys), []).append(manifest)
        return found

    def current(self, dataset: Dataset[Any]) -> list[Manifest]:
        """Return what readers see of a dataset's partitions, in the order in which they were written.

        They see nothing of a partition whose newest manifest cannot be read.
        """
        hidden = {one.address: one.generation for one in self.unread}
        found = [
            max(generations, key=lambda one: (one.version, one.generation))
            for generations in self.by_partition(dataset).values()
        ]
        seen = [newest for newest in found if newest.generation > hidden.get(newest.address, 0)]
        return sorted(seen, key=lambda manifest: manifest.written_at)
