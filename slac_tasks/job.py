"""What a stage is given, and the one way in which it makes a dataset.

    with job.partition(CLIPS, {"category": category, "window": window}, inputs=[videos]) as made:
        if not made.finished:
            made.write(clips_of(...))

Nothing is written before the block has ended without a failure; the manifest is written last.

A stage that works for long writes shards inside the block, and a run after a kill takes them up again:

    shard = made.shard("00007", of=[clip.clip_id for clip in clips])
    if not shard.is_done:
        shard.write(scores_of(clips))
"""

import json
import os
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from slac_tasks.config import Config
from slac_tasks.errors import NotConfigured, WrongArguments, is_bug, may_pass
from slac_tasks.model import content_hash, moment
from slac_tasks.procedure import STAGES
from slac_tasks.progress import counted, print_line
from slac_tasks.storage.ledger import open_ledger
from slac_tasks.storage.objects import Media, open_store
from slac_tasks.storage.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

    from slac_tasks.storage.checkpoints import Checkpoints
    from slac_tasks.storage.declarations import Dataset
    from slac_tasks.storage.ledger import Ledger
    from slac_tasks.storage.manifests import Drop, Manifest
    from slac_tasks.storage.shards import Shard, Shards
    from slac_tasks.storage.tables import Datasets

R = TypeVar("R")
V = TypeVar("V")


@dataclass(kw_only=True)
class Partition(Generic[R]):
    """One partition of a dataset while a stage makes it."""

    dataset: "Dataset[R]"
    keys: Mapping[str, str]
    finished: "Manifest | None"
    """The current manifest where there is nothing to do; else None."""
    inputs: "list[Manifest]"
    """What it is made from; a stage may add what it learns of inside the block."""
    weights: dict[str, str] = field(default_factory=dict)
    """Networks that shaped it and that no input names: their content hashes, by name."""
    drops: "list[Drop]" = field(default_factory=list)
    """What was set aside, with reasons."""
    rows: list[R] = field(default_factory=list)
    tables: "list[Iterable[pa.Table]]" = field(default_factory=list)
    """Tables that are made one by one while they are written, when the block ends."""
    shards: "Shards[R]"
    """Pieces that are in the store before the block ends."""
    checkpoints: "Checkpoints"
    """What a stage that learns goes on from after a kill; deleted when the partition is finished."""
    written: "Manifest | None" = None

    @property
    def manifest(self) -> "Manifest":
        """The manifest of the partition, after the block or where it was finished before."""
        manifest = self.finished or self.written
        assert manifest is not None, "the block has not ended"
        return manifest

    def write(self, rows: Iterable[R]) -> None:
        """Add rows; all of them become one part."""
        self.rows.extend(rows)

    def write_tables(self, tables: "Iterable[pa.Table]") -> None:
        """Add tables, each of which becomes one part; they may be made while they are written."""
        self.tables.append(tables)

    def shard(self, name: str, *, of: Iterable[str]) -> "Shard[R]":
        """Open a piece of this partition that outlives a kill.

        Rows of shards come first in the partition, in the order in which the shards are opened.

        Args:
            name: its place in the partition.
            of: what decides its rows, beside the inputs and the settings of the partition: the items of which it is
                made, and how. A shard that was made of anything else is not taken up.

        """
        return self.shards.open(name, of)

    def all_tables(self) -> "Iterator[pa.Table]":
        """Yield everything that was added; one empty table where nothing was."""
        yield from self.shards.tables(self.drops)
        for tables in self.tables:
            yield from tables
        if self.rows or not (self.tables or self.shards.opened):
            yield self.dataset.table(self.rows)


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
    remakes: tuple[str, ...] = ()
    """The same for some partitions alone: values of their keys, such as `judo/2026-01-05`."""
    met: set[str] = field(default_factory=set, repr=False, compare=False)
    """Those of `remakes` that named a partition of this call."""
    follow: bool = False
    """Make again what was made from other rows than its inputs hold now."""
    explain: bool = False
    """Print the evidence for what the stage would decide, and decide nothing."""
    estimate: bool = False
    """Print what the work will take on this machine, and do none of it."""
    began: float = field(default_factory=time.monotonic, init=False, repr=False, compare=False)
    """When the command began, by the monotonic clock: before its stage was imported."""

    @cached_property
    def store(self) -> Store:
        """The object store."""
        return open_store(self.config.store_url, self.environ, writes=True)

    @property
    def media(self) -> Media:
        """What opens media objects, here and in the processes that decode."""
        return Media(self.config.store_url, self.environ)

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
        opened = open_ledger(self.environ)
        opened.need_session()
        return opened

    def key(self, name: str) -> str:
        """Return the value of a flag that this stage cannot do without.

        Raises:
            WrongArguments: it was not given.

        """
        if name not in self.given:
            raise WrongArguments(f"stage {self.stage}: --{name} is missing")
        return self.given[name]

    @contextmanager
    def partition(
        self,
        dataset: "Dataset[R]",
        keys: Mapping[str, str],
        *,
        inputs: "Iterable[Manifest]" = (),
        newer: Sequence[str] = (),
        again: bool = False,
    ) -> Iterator[Partition[R]]:
        """Make one partition of a dataset: write it when the block ends, once, the manifest last.

        `finished` of what the block is given says that there is nothing to do: the partition exists and none of
        `--remake`, `--follow` and `--retry` concerns it. One made from other inputs or settings is stale: that is
        printed, and it stands. `newer` names what else has changed since it was made, beside its inputs: for that too
        `--follow` makes it again. `again` makes it again in any case: the caller knows that its inputs are others.
        The sections of the settings that shape the dataset are those that `procedure.STAGES` declares. Either way the
        ledger's copy of the manifest is refreshed.

        Of two processes that make the same partition at once, one writes it. A stage with the ledger's password has the
        partition for itself: another one is refused before it starts. Where two without it did the same work, the one
        that is finished later writes nothing.

        Raises:
            Temporary: another process makes the partition, or has just made it.

        """
        inputs = list(inputs)
        sections = STAGES[self.stage].writes[dataset.name]
        before = self.datasets.manifest(dataset, **keys)
        again = self.is_remade(keys) or again

        def stands(found: "Manifest") -> bool:
            return not again and self._stands(found, inputs, newer)

        with ExitStack() as stack:
            if not (before and stands(before)) and STAGES[self.stage].ledger:
                stack.enter_context(self.alone(dataset.address(keys)))
                before = self.datasets.manifest(dataset, **keys)
            generation = before.generation + 1 if before and not before.is_older else 1
            shards = self._shards(dataset, keys, inputs, generation)
            made = Partition(
                dataset=dataset, keys=keys, inputs=inputs, shards=shards,
                finished=before if before and stands(before) else None,
                checkpoints=self._checkpoints(shards),
            )  # fmt: skip
            if made.finished:
                self._print_finished(made.finished, inputs, sections, newer)
                self._record(made.finished)
                yield made
                return
            yield made
            made.written = self._write(
                dataset,
                made.all_tables(),
                keys,
                inputs=made.inputs,
                sections=sections,
                drops=made.drops,
                weights=made.weights,
                generation=generation,
            )
            self._record(made.written)
            made.shards.delete()
            # To look for some lists the store, and only what learns on a GPU keeps any.
            if STAGES[self.stage].machine.gpus:
                made.checkpoints.delete()

    def is_finished(self, dataset: "Dataset[Any]", keys: Mapping[str, str], inputs: "Iterable[Manifest]") -> bool:
        """Return whether `partition` would leave a partition of these inputs as it is."""
        again, found = self.is_remade(keys), self.datasets.manifest(dataset, **keys)
        return not again and found is not None and self._stands(found, inputs, ())

    def alone(self, address: str) -> AbstractContextManager[None]:
        """Have a partition, or whatever has this address, for this process (`Ledger.alone`)."""
        return self.ledger.alone(address)

    def _shards(
        self, dataset: "Dataset[R]", keys: Mapping[str, str], inputs: "list[Manifest]", generation: int
    ) -> "Shards[R]":
        """Return the shards of a generation that is made from these inputs."""
        from slac_tasks.storage.shards import Shards

        settings = self.config.digest(STAGES[self.stage].writes[dataset.name])
        made_of = json.dumps([generation, _made_from(inputs), settings], sort_keys=True)
        address = dataset.address(keys)
        return Shards(dataset=dataset, store=self.store, address=address, inputs=content_hash(made_of))

    def _checkpoints(self, shards: "Shards[R]") -> "Checkpoints":
        """Return the checkpoints of a generation that is made from the same inputs as these shards."""
        from slac_tasks.storage.checkpoints import Checkpoints

        return Checkpoints(self.media, f"{shards.address}/unfinished", shards.inputs)

    def _write(
        self,
        dataset: "Dataset[Any]",
        tables: "Iterable[pa.Table]",
        keys: Mapping[str, str],
        *,
        inputs: "Iterable[Manifest]",
        sections: tuple[str, ...],
        drops: "Iterable[Drop]",
        weights: Mapping[str, str],
        generation: int | None = None,
    ) -> "Manifest":
        """Write a generation of a partition and print what it holds."""
        manifest = self.datasets.write(
            dataset,
            tables,
            keys=keys,
            stage=self.stage,
            settings=self.config.digest(sections),
            made_from={**_made_from(inputs), **weights},
            drops=drops,
            generation=generation,
        )
        dropped = ", ".join(f"{count} {reason}" for reason, count in manifest.dropped.items())
        where = f"{manifest.address} g{manifest.generation:04d}"
        print_line(
            f"{self.stage}: wrote {where}, {counted(manifest.rows, 'row')}"
            + (f"; dropped {dropped}" if dropped else "")
        )
        return manifest

    def is_remade(self, keys: Mapping[str, str]) -> bool:
        """Return whether a finished partition with these keys shall be made again, whatever it was made from."""
        named = {values for values in self.remakes if set(values.split("/")) <= set(keys.values())}
        self.met.update(named)
        return self.remake or bool(named)

    def _stands(self, manifest: "Manifest", inputs: "Iterable[Manifest]", newer: Sequence[str]) -> bool:
        """Return whether a finished partition stays as it is."""
        if self.follow and (newer or self._changed(manifest, inputs)):
            return False
        # Written after that moment: this is a second try of the same task.
        retry = self.given.get("retry")
        return not (retry and manifest.retryable and datetime.fromisoformat(manifest.written_at) < moment(retry))

    def _changed(self, manifest: "Manifest", inputs: "Iterable[Manifest]") -> list[str]:
        """Return the addresses of the inputs that hold other rows than those that a partition was made from."""
        return [
            one.address
            for one in inputs
            if (mark := manifest.made_from.get(one.address)) != one.mark
            and (mark is None or (other := self.datasets.another(one, mark)) is None or other.contents != one.contents)
        ]

    def _print_finished(
        self, manifest: "Manifest", inputs: "Iterable[Manifest]", sections: tuple[str, ...], newer: Sequence[str]
    ) -> None:
        """Print that there is nothing to do, and whether the partition is stale."""
        where = f"{manifest.address} g{manifest.generation:04d}"
        differing = [*self._changed(manifest, inputs), *newer] + [
            section
            for section, values in self.config.digest(sections).items()
            if manifest.made_by.settings.get(section, values) != values
        ]
        if differing:
            older = ", ".join(differing)
            print_line(f"{self.stage}: {where} is stale, made from an older {older}; --remake makes it again")
        else:
            print_line(f"{self.stage}: {where} finished already, {counted(manifest.rows, 'row')}")

    def _record(self, manifest: "Manifest") -> None:
        """Record a generation: in the ledger, or by a note where this stage holds no password of the ledger."""
        from slac_tasks.storage.records import Record, leave_note, record

        if STAGES[self.stage].ledger:
            record(self.ledger, [Record.of(manifest)])
        else:
            leave_note(self.store, manifest)

    def each_category(self, work: Callable[[str], None]) -> None:
        """Do `work` for every category of this job; one that fails does not hold up the others.

        Raises:
            Exception: at the end, the failure that a retry could cure if there is one, else the first.

        """
        if not self.categories:
            raise WrongArguments(f"stage {self.stage}: --category is missing")
        do_each(self.stage, "category", self.categories, work)


def do_each(stage: str, what: str, values: Iterable[V], work: Callable[[V], None]) -> None:
    """Do `work` for every value; one that fails does not hold up the others.

    Args:
        stage: who does it.
        what: what the values are, in the message of a failure.
        values: one after another.
        work: what is done for one value.

    Raises:
        Exception: at the end, the failure that a retry could cure if there is one, else the first.

    """
    failures: list[Exception] = []
    for value in values:
        try:
            work(value)
        except Exception as failure:
            if is_bug(failure):
                traceback.print_exc()
            print_line(f"{stage}: {what} {value} failed: {failure}")
            failures.append(failure)
    if failures:
        raise next(filter(may_pass, failures), failures[0])


def _made_from(inputs: "Iterable[Manifest]") -> dict[str, str]:
    return {manifest.address: manifest.mark for manifest in inputs}
