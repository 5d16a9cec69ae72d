"""What a stage is given, and how it says that it has finished."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from slac_tasks.config import Config
from slac_tasks.errors import NotConfigured, SlacError, Temporary, WrongArguments
from slac_tasks.procedure import STAGES
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import Store, open_store

if TYPE_CHECKING:
    import pyarrow as pa

    from slac_tasks.storage.ledger import Ledger
    from slac_tasks.storage.tables import Dataset, Datasets, Drop, Manifest


def say(line: str) -> None:
    """Print one line for people, at once. The last line of a stage is its result."""
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One call of one stage: its partition, its settings and the edges that it may use."""

    stage: str
    config: Config
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    categories: tuple[str, ...] = ()
    given: Mapping[str, str] = field(default_factory=dict)
    """The values of the stage's other flags, by name."""
    remake: bool = False
    """Write a next generation although the dataset is finished."""

    @cached_property
    def store(self) -> Store:
        """The object store."""
        return open_store(self.config.store_url, self.environ)

    @cached_property
    def datasets(self) -> "Datasets":
        """The datasets in the store."""
        from slac_tasks.storage.tables import Datasets

        return Datasets(self.store)

    @cached_property
    def ledger(self) -> "Ledger":
        """The ledger in Postgres, for stages that open no media."""
        if not STAGES[self.stage].ledger:
            raise NotConfigured(f"stage {self.stage}: opens media, so it holds no ledger password")
        return open_ledger(self.environ)

    def key(self, name: str) -> str:
        """Return the value of a flag that this stage cannot do without.

        Raises:
            WrongArguments: it was not given.

        """
        if name not in self.given:
            raise WrongArguments(f"stage {self.stage}: --{name} is missing")
        return self.given[name]

    def finished(
        self,
        dataset: "Dataset",
        keys: Mapping[str, str],
        *,
        inputs: Iterable["Manifest"] = (),
        sections: tuple[str, ...] = (),
    ) -> "Manifest | None":
        """Return the current manifest if there is nothing to do, and say so; None when the stage must work.

        A dataset made from older inputs or settings is stale: that is said, and it stands until `--remake`.
        """
        manifest = self.datasets.manifest(dataset, **keys)
        if manifest is None or self.remake:
            return None
        where = f"{manifest.address} g{manifest.generation:04d}"
        differing = [name for name, made in _made_from(inputs).items() if manifest.made_from.get(name) != made] + [
            section
            for section, values in self.config.digest(sections).items()
            if manifest.made_by["settings"].get(section, values) != values
        ]
        if differing:
            say(f"{self.stage}: {where} is stale, made from an older {', '.join(differing)}; --remake makes it again")
        else:
            say(f"{self.stage}: {where} finished already, {manifest.rows} rows")
        return manifest

    def finish(
        self,
        dataset: "Dataset",
        tables: "Iterable[pa.Table]",
        keys: Mapping[str, str],
        *,
        inputs: Iterable["Manifest"] = (),
        sections: tuple[str, ...] = (),
        drops: Iterable["Drop"] = (),
        weights: Mapping[str, str] = MappingProxyType({}),
    ) -> "Manifest":
        """Write the next generation of a dataset and say what it holds.

        `weights` names networks that made it and that no input names: their content hashes, by name.
        """
        manifest = self.datasets.write(
            dataset,
            tables,
            keys=keys,
            stage=self.stage,
            settings=self.config.digest(sections),
            made_from={**_made_from(inputs), **weights},
            drops=drops,
        )
        dropped = ", ".join(f"{count} {reason}" for reason, count in manifest.dropped.items())
        say(f"{self.stage}: wrote {manifest.address} g{manifest.generation:04d}, {manifest.rows} rows"
            + (f"; dropped {dropped}" if dropped else ""))  # fmt: skip
        return manifest

    def record(self, manifest: "Manifest") -> None:
        """Tell the ledger of a generation that exists in the store; one that it knows already stays as it is."""
        self.ledger.run(
            "record_dataset",
            address=manifest.address,
            generation=manifest.generation,
            manifest_sha256=manifest.sha256,
            row_count=manifest.rows,
        )

    def each_category(self, work: Callable[[str], None]) -> None:
        """Do `work` for every category of this job; one that fails does not hold up the others.

        Raises:
            SlacError: at the end, the failure that a retry could cure if there is one, else the first.

        """
        if not self.categories:
            raise WrongArguments(f"stage {self.stage}: --category is missing")
        failures: list[SlacError] = []
        for category in self.categories:
            try:
                work(category)
            except SlacError as failure:
                say(f"{self.stage}: category {category} failed: {failure}")
                failures.append(failure)
        if failures:
            retryable = [failure for failure in failures if isinstance(failure, Temporary)]
            raise (retryable or failures)[0]


def _made_from(inputs: Iterable["Manifest"]) -> dict[str, str]:
    return {manifest.address: f"g{manifest.generation:04d}:{manifest.sha256}" for manifest in inputs}
