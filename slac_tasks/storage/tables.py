"""Typed, immutable datasets: what one stage hands to the next.

A dataset is declared once, in `slac_tasks.storage.datasets`. Its rows are Parquet parts. Its address follows from its
name and keys:

    <name>/v<version>/<key>=<value>/.../current.json          the generation that readers see
    <name>/v<version>/<key>=<value>/.../g0001/manifest.json   written last: makes the generation exist
    <name>/v<version>/<key>=<value>/.../g0001/<hash>.parquet  rows, named by content

A generation is never changed. A re-make writes the next one beside it and then moves `current.json`.
"""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import pyarrow as pa

from slac_tasks import __version__
from slac_tasks.errors import BrokenContract, NotMade, Temporary
from slac_tasks.settings import Table
from slac_tasks.storage.columns import from_table
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.manifests import Drop, MadeBy, Manifest, Part
from slac_tasks.storage.parquet import decode, encode
from slac_tasks.storage.store import Store
from slac_tasks.telemetry import lineage, spans

R = TypeVar("R")

_MANIFEST = re.compile(r"(?P<address>.+)/g(?P<generation>[0-9]{4,})/manifest\.json")


class Datasets:
    """The datasets in one store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def manifest(self, dataset: Dataset[Any], **keys: str) -> Manifest | None:
        """Return the manifest of the generation that readers see, or None when there is none.

        A partition that exists only as the version before is read through the dataset's upgrade. A generation whose
        writer died between its manifest and the pointer is whole: the pointer is moved here.

        Raises:
            BrokenContract: the manifest was altered, or holds other columns than its version declares.

        """
        found = self._own_manifest(dataset, keys)
        if found is None and dataset.upgrade:
            older = self._own_manifest(dataset.upgrade.previous, keys)
            return replace(older, declared=dataset) if older else None
        return found

    def _own_manifest(self, dataset: Dataset[Any], keys: Mapping[str, str]) -> Manifest | None:
        folder = dataset.address(keys)
        generation, want = 0, ""
        try:
            pointer = json.loads(self.store.get(f"{folder}/current.json"))
            generation, want = int(pointer["generation"]), str(pointer["manifest"])
        except NotMade:
            pass
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenContract(f"{folder}/current.json: is not a pointer, want generation and manifest") from error
        while self.store.exists(f"{folder}/g{generation + 1:04d}/manifest.json"):
            generation, want = generation + 1, ""
        if generation == 0:
            return None
        manifest = self._read_manifest(dataset, f"{folder}/g{generation:04d}/manifest.json", want)
        if not want:
            self._point(manifest)
        return manifest

    def _read_manifest(self, dataset: Dataset[Any], name: str, want: str) -> Manifest:
        data = self.store.get(name)
        found = hashlib.sha256(data).hexdigest()
        if want and found != want:
            raise BrokenContract(f"{name}: was altered, found sha256 {found[:16]}, want {want[:16]}")
        try:
            manifest = Manifest.decode(data, dataset)
        except (ValueError, TypeError, KeyError) as error:
            raise BrokenContract(f"{name}: is not a manifest: {error}") from error
        if (manifest.dataset, manifest.version) != (dataset.name, dataset.version):
            raise BrokenContract(
                f"{name}: holds {manifest.dataset} v{manifest.version}, want {dataset.name} v{dataset.version}"
            )
        columns = {column.name: str(column.dtype) for column in dataset.columns}
        if manifest.columns != columns:
            raise BrokenContract(f"{name}: columns {manifest.columns}, want {columns}")
        return manifest

    def _point(self, manifest: Manifest) -> None:
        pointer = {"generation": manifest.generation, "manifest": manifest.sha256}
        self.store.put(f"{manifest.address}/current.json", json.dumps(pointer).encode())

    def need(self, dataset: Dataset[Any], **keys: str) -> Manifest:
        """Return the current manifest.

        Raises:
            NotMade: the partition has not been written.

        """
        manifest = self.manifest(dataset, **keys)
        if manifest is None:
            raise NotMade(f"dataset {dataset.address(keys)}: not made yet, want it written by an earlier stage")
        return manifest

    def generation(self, dataset: Dataset[Any], keys: Mapping[str, str], mark: str) -> Manifest:
        """Return the manifest of one generation, as the manifest of a later dataset names it (`Manifest.mark`).

        The number alone, such as `g0001`, is a mark too; the bytes of the manifest are not checked then.

        Raises:
            NotMade: the generation does not exist, or no more.
            BrokenContract: it is not the one that was named.

        """
        number, _, sha256 = mark.partition(":")
        return self._read_manifest(dataset, f"{dataset.address(keys)}/{number}/manifest.json", sha256)

    def another(self, manifest: Manifest, mark: str) -> Manifest | None:
        """Return another generation of a partition, as readers see it; None when it exists no more.

        Args:
            manifest: of any generation of the partition.
            mark: names the other one.

        """
        declared = manifest.declared
        assert declared is not None
        own = declared.upgrade.previous if declared.upgrade and manifest.is_older else declared
        try:
            return replace(self.generation(own, manifest.keys, mark), declared=declared)
        except NotMade:
            return None

    def tables(self, manifest: Manifest, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Yield the rows of a generation, one table per part, checking every byte against the manifest."""
        assert manifest.declared is not None
        schema, upgrade = manifest.declared.schema, manifest.declared.upgrade
        names = schema.names if columns is None else list(columns)
        for part in manifest.parts:
            name = f"{manifest.folder}/{part.name}"
            data = self.store.get(name)
            found = hashlib.sha256(data).hexdigest()
            if found != part.sha256:
                raise BrokenContract(f"{name}: was altered, found sha256 {found[:16]}, want {part.sha256[:16]}")
            if manifest.is_older and upgrade is not None:
                yield upgrade.table(decode(data), schema).select(names)
            else:
                yield decode(data, names)

    def rows_of(self, dataset: Dataset[R], manifest: Manifest) -> Iterator[R]:
        """Yield the rows of a generation of `dataset`."""
        for table in self.tables(manifest):
            yield from from_table(table, dataset.row)

    def rows(self, dataset: Dataset[R], /, **keys: str) -> list[R]:
        """Return all rows of the current generation; raises what `read` raises."""
        return list(self.rows_of(dataset, self.need(dataset, **keys)))

    def read(self, dataset: Dataset[Any], columns: Sequence[str] | None = None, /, **keys: str) -> pa.Table:
        """Return all rows of the current generation as one table.

        Raises:
            NotMade: the partition has not been written.
            BrokenContract: its bytes are not those that were written.

        """
        return self.read_all(dataset, [self.need(dataset, **keys)], columns)

    def read_all(
        self, dataset: Dataset[Any], manifests: Iterable[Manifest], columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Return all rows of these generations of `dataset` as one table."""
        tables = [table for manifest in manifests for table in self.tables(manifest, columns)]
        schema = dataset.schema if columns is None else pa.schema([dataset.schema.field(c) for c in columns])
        return pa.concat_tables(tables) if tables else schema.empty_table()

    def partitions(self, dataset: Dataset[Any], **some: str) -> list[dict[str, str]]:
        """Return the keys of all written partitions whose keys include `some`, in order of their address."""
        versions = [dataset.upgrade.previous, dataset] if dataset.upgrade else [dataset]
        found: dict[str, dict[str, str]] = {}
        for version in versions:
            for keys in self._partitions(version, some):
                found[dataset.address(keys)] = keys
        return [found[folder] for folder in sorted(found)]

    def _partitions(self, dataset: Dataset[Any], some: Mapping[str, str]) -> Iterator[dict[str, str]]:
        for keys, _ in self.generations(dataset, **some):
            if all(keys.get(key) == value for key, value in some.items()):
                yield keys

    def generations(self, dataset: Dataset[Any], **some: str) -> Iterator[tuple[dict[str, str], list[int]]]:
        """Yield (keys, numbers of the generations, in order) of each partition of this very version, in one listing.

        Args:
            dataset: what is listed.
            some: the first keys; only partitions with these values are listed.

        """
        head = [dataset.name, f"v{dataset.version}"]
        for key in dataset.keys:
            if key not in some:
                break
            head.append(f"{key}={some[key]}")
        found: dict[str, list[int]] = {}
        for name in self.store.names("/".join(head) + "/"):
            # Checkpoints of a partition that is not finished have manifests too.
            if written := _MANIFEST.fullmatch(name):
                found.setdefault(written["address"], []).append(int(written["generation"]))
        for address, numbers in found.items():
            if (keys := dataset.keys_at(address)) is not None:
                yield keys, sorted(numbers)

    def write(
        self,
        dataset: Dataset[Any],
        tables: Iterable[pa.Table],
        *,
        keys: Mapping[str, str],
        stage: str,
        settings: Table,
        made_from: Mapping[str, str],
        drops: Iterable[Drop] = (),
        generation: int | None = None,
    ) -> Manifest:
        """Write a generation of a partition: parts, then the manifest, then the pointer.

        Args:
            dataset: what is written.
            tables: its rows; each table becomes one part.
            keys: address of the partition.
            stage: what made it.
            settings: the sections of the settings that shaped it.
            made_from: what it was made from.
            drops: what was set aside.
            generation: the one that was the next when the work began, so that of two processes that did the same work
                one writes; None: the next one now.

        Raises:
            BrokenContract: rows do not fit the declared columns, or a unique key repeats.
            Temporary: another process finished the same generation first; its work stands, this one's is discarded.

        """
        folder = dataset.address(keys)
        before = self._own_manifest(dataset, keys)
        following = before.generation + 1 if before else 1
        generation = generation or following
        if generation < following:
            raise _too_late(folder, generation)
        parts: list[Part] = []
        seen: set[tuple[Any, ...]] = set()
        for table in tables:
            rows = _conform(dataset, table, folder)
            _check_unique(dataset, rows, seen, folder)
            data = encode(rows)
            digest = hashlib.sha256(data).hexdigest()
            name = f"{digest[:16]}.parquet"
            self.store.put(f"{folder}/g{generation:04d}/{name}", data)
            parts.append(Part(name=name, rows=rows.num_rows, sha256=digest))
        drops = tuple(drops)
        dropped = Counter(drop.reason for drop in drops)
        manifest = Manifest(
            dataset=dataset.name,
            version=dataset.version,
            keys=dict(keys),
            address=folder,
            generation=generation,
            rows=sum(part.rows for part in parts),
            columns={column.name: str(column.dtype) for column in dataset.columns},
            parts=tuple(parts),
            dropped=dict(sorted(dropped.items())),
            drops=drops,
            made_by=MadeBy(
                stage=stage, code=__version__, settings=dict(settings), bundle=os.environ.get(spans.BUNDLE, "")
            ),
            made_from=dict(made_from),
            written_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )
        written = manifest.encode()
        if not self.store.create(f"{folder}/g{generation:04d}/manifest.json", written):
            raise _too_late(folder, generation)
        manifest = Manifest.decode(written, dataset)
        self._point(manifest)
        self._tell(manifest)
        return manifest

    def _tell(self, manifest: Manifest) -> None:
        """Tell whoever watches what was written."""
        spans.count("slac.rows", manifest.rows, dataset=manifest.dataset)
        for reason, drops in manifest.dropped.items():
            spans.count("slac.drops", drops, dataset=manifest.dataset, reason=reason)
        lineage.tell(
            lineage.Made(
                stage=manifest.made_by.stage, store_url=self.store.url, address=manifest.address, mark=manifest.mark,
                rows=manifest.rows, columns=manifest.columns, made_from=manifest.made_from,
                written_at=manifest.written_at,
            )
        )  # fmt: skip


def _too_late(folder: str, generation: int) -> Temporary:
    return Temporary(f"dataset {folder} g{generation:04d}: another process finished it first; this one wrote nothing")


def _conform(dataset: Dataset[Any], table: pa.Table, folder: str) -> pa.Table:
    """Return the table in the declared order and types; refuse missing columns and unknown values where none may be."""
    missing = [c.name for c in dataset.columns if c.name not in table.column_names]
    extra = [name for name in table.column_names if name not in dataset.schema.names]
    if missing or extra:
        raise BrokenContract(f"dataset {folder}: columns missing {missing}, not declared {extra}")
    try:
        rows = table.select(dataset.schema.names).cast(dataset.schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as error:
        raise BrokenContract(f"dataset {folder}: {error}") from error
    for column in dataset.columns:
        if not column.nullable and rows[column.name].null_count:
            raise BrokenContract(
                f"dataset {folder}: column {column.name} has {rows[column.name].null_count} unknown values"
            )
    return rows


def _check_unique(dataset: Dataset[Any], rows: pa.Table, seen: set[tuple[Any, ...]], folder: str) -> None:
    for key in zip(*(rows[name].to_pylist() for name in dataset.unique), strict=True):
        if key in seen:
            raise BrokenContract(f"dataset {folder}: {dict(zip(dataset.unique, key, strict=True))} stands twice")
        seen.add(key)
