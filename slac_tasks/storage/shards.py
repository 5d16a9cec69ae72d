"""Shards: the pieces of a partition that outlive a kill, until its manifest exists.

    <address>/unfinished/<shard>.<hash>.parquet     rows of one shard, and what was set aside beside them

A stage that works for long writes each shard when it is done. The next run takes up every shard that was made from the
same inputs: the hash names them. When the manifest is written, the shards are deleted.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Generic, TypeVar

import pyarrow as pa

from slac_tasks.errors import BrokenContract, NotMade, Temporary
from slac_tasks.model import content_hash
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.manifests import Drop
from slac_tasks.storage.parquet import decode, encode
from slac_tasks.storage.store import Store

R = TypeVar("R")

PART_ROWS = 50_000
"""Shards are joined into parts of about so many rows: a reader opens few files, and a writer holds few rows."""

_DROPS = b"slac.drops"


@dataclass(kw_only=True)
class Shard(Generic[R]):
    """One piece of a partition."""

    dataset: Dataset[R]
    store: Store
    object: str
    """Its name in the store."""
    is_done: bool
    """Whether the store holds it, written by this run or by one before."""

    def write(self, rows: Iterable[R], drops: Iterable[Drop] = ()) -> None:
        """Put the finished shard into the store: all of it, or nothing."""
        table = self.dataset.table(rows)
        noted = json.dumps([asdict(drop) for drop in drops]).encode()
        self.store.put(self.object, encode(table.replace_schema_metadata({_DROPS: noted})))
        self.is_done = True

    def read(self) -> tuple[pa.Table, list[Drop]]:
        """Return (its rows, what was set aside).

        Raises:
            Temporary: it is not there: another process has finished the partition and deleted its shards, or `slac gc`
                has taken one that a run left long ago for one that nobody goes on from.
            BrokenContract: its bytes are no shard.

        """
        try:
            table = decode(self.store.get(self.object))
            drops = [Drop(**drop) for drop in json.loads(table.schema.metadata[_DROPS])]
        except NotMade as error:
            raise Temporary(
                f"shard {self.object}: is gone, another process finished the partition, or `slac gc` deleted what an "
                "old run had left; the next run makes it again"
            ) from error
        except (pa.ArrowInvalid, KeyError, TypeError, ValueError) as error:
            raise BrokenContract(f"shard {self.object}: is damaged ({error}); delete it, it is made again") from error
        return table.replace_schema_metadata(None), drops


@dataclass(kw_only=True)
class Shards(Generic[R]):
    """The shards of one partition while it is made."""

    dataset: Dataset[R]
    store: Store
    address: str
    """Folder of the partition."""
    inputs: str
    """Hash of what the partition is made from."""
    opened: list[Shard[R]] = field(default_factory=list)
    """In the order in which their rows will stand."""

    @property
    def _folder(self) -> str:
        return f"{self.address}/unfinished"

    @cached_property
    def _stored(self) -> frozenset[str]:
        """What runs before this one have left, in one listing."""
        return frozenset(self.store.names(f"{self._folder}/"))

    def open(self, name: str, of: Iterable[str]) -> Shard[R]:
        """Return the shard of this name that is made of `of` and of the partition's inputs."""
        object_name = f"{self._folder}/{name}.{content_hash(self.inputs, *of)}.parquet"
        shard = Shard(
            dataset=self.dataset, store=self.store, object=object_name, is_done=object_name in self._stored
        )  # fmt: skip
        self.opened.append(shard)
        return shard

    def tables(self, drops: list[Drop]) -> Iterator[pa.Table]:
        """Yield the rows of all shards in order, a part at a time, and add what was set aside to `drops`."""
        held: list[pa.Table] = []
        for shard in self.opened:
            table, set_aside = shard.read()
            drops += set_aside
            held.append(table)
            if sum(table.num_rows for table in held) >= PART_ROWS:
                yield pa.concat_tables(held).combine_chunks()
                held = []
        if held:
            yield pa.concat_tables(held).combine_chunks()

    def delete(self) -> None:
        """Delete the shards of this partition, those of earlier inputs too; without shards there is nothing to do."""
        if self.opened:
            for name in self.store.names(f"{self._folder}/"):
                self.store.delete(name)
