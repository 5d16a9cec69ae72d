"""Versions of the labels: the one place that knows how a version is stored, and how it is read.

A version is named by the newest batch of votes that it contains. It is stored in one of two forms:

* as a whole table, the dataset `labels`;
* as the rows that changed, the dataset `label_changes`. Its manifest names, by generation and hash, the whole table
  and all the changes that it builds on.

A reader sees the rows of the whole table and of the changes. Of several rows on one clip and category the last one
counts; a row that is withdrawn takes the label away.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from slac_tasks.errors import BrokenContract, NotMade
from slac_tasks.storage.datasets import LABEL_CHANGES, LABELS
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.ballots import clip_key

FORMS: tuple[Dataset[Any], ...] = (LABELS, LABEL_CHANGES)
"""How a version may be stored; where both exist the whole table counts."""

MOST_CHANGES = 96
"""Versions in a row that are stored as changes; the next one is a whole table. A batch every five minutes makes that a
working day; a reader opens at most so many small tables beside the whole one."""

_READERS = 8
"""Manifests and tables of changes that are read at the same time: they are small, and each waits for the store."""


def newest(datasets: Datasets, *of: Dataset[Any]) -> str | None:
    """Return the newest version of the labels that one of these datasets has, if any.

    It lists the store. Who holds the ledger's password asks it: sql/queries/newest_labels.sql.
    """
    return max((keys["labels"] for dataset in of for keys in datasets.partitions(dataset)), default=None)


def newest_labels(datasets: Datasets) -> str | None:
    """Return the newest version of the labels, if there is any."""
    return newest(datasets, *FORMS)


def labels_manifest(datasets: Datasets, version: str) -> Manifest | None:
    """Return the manifest that was written as this version, in either form; None when the version does not exist."""
    for form in FORMS:
        if (found := datasets.manifest(form, labels=version)) is not None:
            return found
    return None


def need_labels(datasets: Datasets, version: str) -> Manifest:
    """Return the manifest that was written as this version, in either form.

    Raises:
        NotMade: the version does not exist, or no more.

    """
    found = labels_manifest(datasets, version)
    if found is None:
        raise NotMade(f"labels {version}: do not exist, want a version that `slac aggregate` wrote")
    return found


def labels_of(manifest: Manifest) -> str:
    """Return the version of the labels from which a dataset, such as a release, was made.

    Raises:
        BrokenContract: its manifest names no version, or several.

    """
    versions = {keys["labels"] for address in manifest.made_from for form in FORMS if (keys := form.keys_at(address))}
    if len(versions) != 1:
        raise BrokenContract(f"{manifest.address}: made from labels {sorted(versions)}, want one version")
    return versions.pop()


def pieces(datasets: Datasets, manifest: Manifest) -> list[Manifest]:
    """Return the manifests that make up a version: that of the whole table first, then those of the changes, in order.

    Args:
        datasets: where they are.
        manifest: the one that was written as this version.

    Raises:
        NotMade: one of them does not exist any more.
        BrokenContract: one of them is not the one that the version was built on.

    """
    if manifest.dataset == LABELS.name:
        return [manifest]
    named = sorted(
        (keys["labels"], form, mark)
        for address, mark in manifest.made_from.items()
        for form in FORMS
        if (keys := form.keys_at(address))
    )
    if [form for _, form, _ in named][:1] != [LABELS] or LABELS in [form for _, form, _ in named[1:]]:
        raise BrokenContract(f"{manifest.address}: builds on {[v for v, _, _ in named]}, want one whole table first")
    with ThreadPoolExecutor(_READERS) as pool:
        earlier = pool.map(lambda one: datasets.generation(one[1], {"labels": one[0]}, one[2]), named)
        return [*earlier, manifest]


def is_whole_due(earlier: Sequence[Manifest]) -> bool:
    """Return whether the version after the one with these pieces is to be a whole table: so many changes lie before it.

    It depends on the versions alone, so a retry stores the version in the same form.
    """
    return len(earlier) > MOST_CHANGES


def label_tables(datasets: Datasets, version: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Yield the labels of a version, table by table; no clip and category stands twice.

    Memory holds one table at a time, and the changes since the last whole table.

    Args:
        datasets: where they are.
        version: of the labels.
        columns: names of columns of `labels`; None: all.

    Raises:
        NotMade: the version does not exist.

    """
    wanted = LABELS.schema.names if columns is None else list(columns)
    whole, *changes = pieces(datasets, need_labels(datasets, version))
    if not changes:
        yield from datasets.tables(whole, wanted)
        return
    read = list(dict.fromkeys([*wanted, "clip_id", "category"]))
    changed, keys = _last(_rows(datasets, changes, [*read, "withdrawn"]))
    for table in datasets.tables(whole, read):
        yield table.filter(pc.invert(pc.is_in(clip_key(table), value_set=keys))).select(wanted)
    yield changed.filter(pc.invert(changed["withdrawn"])).select(wanted)


def read_labels(datasets: Datasets, version: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the labels of a version as one table, in no particular order; see `label_tables`."""
    tables = list(label_tables(datasets, version, columns))
    schema = LABELS.schema if columns is None else pa.schema([LABELS.schema.field(name) for name in columns])
    return pa.concat_tables(tables) if tables else schema.empty_table()


def _rows(datasets: Datasets, changes: Sequence[Manifest], columns: Sequence[str]) -> pa.Table:
    """Return the rows of all changes, in the order of their versions."""
    with ThreadPoolExecutor(_READERS) as pool:
        tables = pool.map(lambda manifest: list(datasets.tables(manifest, columns)), changes)
        return pa.concat_tables([table for some in tables for table in some])


def _last(changes: pa.Table) -> tuple[pa.Table, pa.Array]:
    """Return (the last row on each clip and category; what names all of these clips)."""
    encoded = clip_key(changes).dictionary_encode()
    last = np.zeros(len(encoded.dictionary), dtype=np.int64)
    # Of several rows with one index numpy assigns the last.
    last[encoded.indices.to_numpy()] = np.arange(changes.num_rows)
    return changes.take(pa.array(np.sort(last))), encoded.dictionary
