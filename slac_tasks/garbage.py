"""What the store holds and nobody needs any more.

* Superseded generations: a partition was made again, and readers have seen the newer generation for a while. One that
  holds the same rows as the newer, and from which something current was made, stays: else that would seem outdated.
* Versions of the labels that no reader asks for: neither the newest one nor the newest judged one, none from which a
  release was made, none that one of these builds on, and none that is young.
* Labels that were carried, but for the newest and those that a release or the newest certificates name; labels of
  segments, and what is said of those who gave them, likewise.
* Weights that no committee, no score and no model names.
* Heads of localizers, but for the newest of each release, and what is left of those that were never finished.
* Files that a process was writing when it was killed, and what a run of a finished partition left to go on from.

What a release names stays, and so does every release, and every generation of a round, whose clips people have
answered: a ledger that was lost gets their votes back by it. Nothing is deleted before it is older than an age: a stage
that runs now may be reading it, or may be about to name it. So what was the newest of its kind before that age stays
too: a stage that began then reads it, though a newer one was written since.

A process that is killed in between loses nothing and leaves nothing half: a manifest is deleted after its parts, and a
version of the labels after all versions that build on it. The next run deletes the rest.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slac_tasks.errors import NotMade
from slac_tasks.progress import track
from slac_tasks.storage.datasets import (
    ALL,
    CARRIED,
    CERTIFICATES,
    COMMITTEES,
    CROWD,
    HARD_CLIPS,
    MODELS,
    QUALITY,
    RELEASED_SEGMENTS,
    RELEASES,
    SCORES,
    SEGMENT_LABELS,
    SEGMENT_PEOPLE,
)
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.objects import LOCALIZERS
from slac_tasks.storage.records import absorb
from slac_tasks.storage.store import Stored
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.versions import FORMS, labels_manifest, labels_of, pieces

DELETING = "garbage"
"""What deletes garbage has this alone (`Ledger.alone`). So has a repair: it records what it saw before in the store."""
WEIGHTS = "weights/"
_BLOBS = ("backbone", "head", "network", "card")
"""Columns of committees and models that name what is there."""

_WHOLE_VERSIONS = (CARRIED, SEGMENT_LABELS, SEGMENT_PEOPLE)
"""Datasets of which each version is a whole table: the newest is enough."""

_KEPT = (RELEASES.name, HARD_CLIPS.name)
"""Datasets of which every generation stays."""

Generation = tuple[str, int]
"""Address of a partition, and the number of a generation."""

_OBJECT = re.compile(r"(?P<address>.+)/g(?P<generation>[0-9]{4,})/(?P<file>.+)")
_UNFINISHED = re.compile(r"(?P<address>.+)/unfinished/.+")
_MARK = re.compile(r"g(?P<generation>[0-9]{4,}):.*")


@dataclass(frozen=True, kw_only=True)
class Garbage:
    """Something to delete."""

    why: str
    name: str
    """What it is, for people."""
    objects: tuple[Stored, ...]
    """In the order in which they are deleted."""
    record: Generation | None = None
    """The generation that the ledger has recorded of it."""

    @property
    def size_bytes(self) -> int:
        """What is free when it is gone."""
        return sum(one.size_bytes for one in self.objects)


@dataclass(frozen=True, kw_only=True)
class _Folder:
    """One partition in the store."""

    dataset: Dataset[Any]
    address: str
    generations: Mapping[int, Sequence[Stored]]
    """Objects of each generation that has a manifest, the manifest last."""
    pointer: Stored | None
    unfinished: Sequence[Stored]
    """Shards and checkpoints: of a run that was killed at its end, that another one overtook, or that is under way."""

    @property
    def keys(self) -> dict[str, str]:
        keys = self.dataset.keys_at(self.address)
        assert keys is not None, "folders are found by their keys"
        return keys

    @property
    def current(self) -> int:
        return max(self.generations)

    def written_at(self, generation: int) -> datetime:
        """Return when the manifest of a generation was written."""
        return self.generations[generation][-1].written_at

    def manifest(self, datasets: Datasets, generation: int) -> Manifest:
        return datasets.generation(self.dataset, self.keys, f"g{generation:04d}")

    def garbage(self, why: str, generation: int, *, whole: bool = False) -> Garbage:
        """Return a generation as garbage; `whole`: the partition goes with it, and its pointer before the manifest."""
        *parts, manifest = self.generations[generation]
        pointer = [self.pointer] if whole and self.pointer else []
        name = f"{self.address} g{generation:04d}"
        return Garbage(
            why=why, name=name, objects=(*parts, *pointer, manifest), record=(self.address, generation)
        )  # fmt: skip


def find(datasets: Datasets, ledger: Ledger, before: datetime) -> Iterator[Garbage]:
    """Yield what may be deleted, in the order in which it is to be deleted.

    Args:
        datasets: in the store.
        ledger: says what was made from what; what notes in the store say of that is recorded first, as a plan does it.
        before: what was written later stays.

    Raises:
        BrokenContract: a note is none.

    """
    declared = track(_declared(), len(_declared()), "gc: datasets listed")
    folders = {folder.address: folder for dataset in declared for folder in _folders(datasets, dataset)}
    wanted = _wanted_labels(datasets, folders.values(), before)
    named = _named_by(datasets, wanted, folders.values(), before) | _scored_committees(datasets, folders.values())
    absorb(datasets.store, ledger)
    same = {(row["address"], row["generation"]) for row in ledger.rows("named_by_current")}
    gone: set[Generation] = set()
    for garbage in (
        *_superseded(folders.values(), named | same, before),
        *_old_labels(folders.values(), {(m.address, m.generation) for m in wanted} | named, before),
    ):
        assert garbage.record is not None
        gone.add(garbage.record)
        yield garbage
    yield from _weights(datasets, folders.values(), gone, before)
    yield from _localizers(datasets, before)
    for folder in folders.values():
        # Who goes on from it has written some of it lately.
        if folder.unfinished and all(one.written_at < before for one in folder.unfinished):
            name = f"{folder.address}/unfinished"
            yield Garbage(why="unfinished partition", name=name, objects=tuple(folder.unfinished))
    for one in datasets.store.unfinished():
        if one.written_at < before:
            yield Garbage(why="unfinished file", name=one.name, objects=(one,))


def delete(datasets: Datasets, ledger: Ledger, garbage: Garbage, before: datetime) -> None:
    """Delete it: its record first, since the ledger must not know what the store does not hold."""
    if garbage.record is not None:
        address, generation = garbage.record
        ledger.run("forget_dataset", address=address, generation=generation)
    for one in garbage.objects:
        # Whoever wrote it again since it was found needs it.
        if garbage.record is not None or all(now.written_at < before for now in datasets.store.objects(one.name)):
            datasets.store.delete(one.name)


def _declared() -> list[Dataset[Any]]:
    """Return every dataset, with the version before where readers accept it."""
    return [
        one for dataset in ALL.values() for one in (dataset, dataset.upgrade and dataset.upgrade.previous) if one
    ]  # fmt: skip


def _folders(datasets: Datasets, dataset: Dataset[Any]) -> Iterator[_Folder]:
    """Yield the partitions of a dataset that have a manifest."""
    found: dict[str, dict[int, list[Stored]]] = defaultdict(lambda: defaultdict(list))
    pointers: dict[str, Stored] = {}
    unfinished: dict[str, list[Stored]] = defaultdict(list)
    for one in datasets.store.objects(f"{dataset.name}/v{dataset.version}/"):
        address, _, file = one.name.rpartition("/")
        if file == "current.json":
            pointers[address] = one
        elif match := _OBJECT.fullmatch(one.name):
            found[match["address"]][int(match["generation"])].append(one)
        elif match := _UNFINISHED.fullmatch(one.name):
            unfinished[match["address"]].append(one)
    for address, generations in found.items():
        whole = {}
        for number, objects in generations.items():
            manifest = f"{address}/g{number:04d}/manifest.json"
            if any(one.name == manifest for one in objects):
                whole[number] = sorted(objects, key=lambda one: (one.name == manifest, one.name))
        if whole and dataset.keys_at(address) is not None:
            yield _Folder(
                dataset=dataset, address=address, generations=whole, pointer=pointers.get(address),
                unfinished=unfinished[address],
            )  # fmt: skip


def _wanted_labels(datasets: Datasets, folders: Iterable[_Folder], before: datetime) -> list[Manifest]:
    """Return the pieces of every version of the labels that somebody may read."""
    folders = list(folders)
    forms = _named(folders, *FORMS)
    young = {folder.keys["labels"] for folder in forms if folder.written_at(folder.current) >= before}
    released = {
        labels_of(folder.manifest(datasets, generation))
        for folder in _named(folders, RELEASES)
        for generation in folder.generations
    }
    versions = {*young, *released, *_newest(forms, before), *_newest(_named(folders, QUALITY), before)}
    wanted: dict[Generation, Manifest] = {}
    for version in sorted(map(str, versions)):
        # A released version may have been deleted by hand: then nothing of it can be kept.
        if (manifest := labels_manifest(datasets, version)) is not None:
            wanted |= {(piece.address, piece.generation): piece for piece in _pieces(datasets, manifest)}
    return list(wanted.values())


def _named(folders: Iterable[_Folder], *datasets: Dataset[Any]) -> list[_Folder]:
    """Return the partitions of some datasets, those of the version before included."""
    names = {dataset.name for dataset in datasets}
    return [folder for folder in folders if folder.dataset.name in names]


def _newest(folders: Iterable[_Folder], before: datetime) -> set[str]:
    """Return the newest version of some datasets, and the newest that is old: readers may have begun with that one."""
    old: list[str] = []
    young: list[str] = []
    for folder in folders:
        (old if folder.written_at(folder.current) < before else young).append(_version(folder))
    return {max(versions) for versions in (old, [*old, *young]) if versions}


def _pieces(datasets: Datasets, manifest: Manifest) -> list[Manifest]:
    """Return the pieces of a version; of one that builds on what is lost, itself: what is left of them, it names."""
    try:
        return pieces(datasets, manifest)
    except NotMade:
        return [manifest]


def _named_by(
    datasets: Datasets, wanted: Iterable[Manifest], folders: Iterable[_Folder], before: datetime
) -> set[Generation]:
    """Return the generations from which these labels, the releases, and the newest certificates were made."""
    releases = (
        folder.manifest(datasets, generation)
        for folder in _named(folders, RELEASES, RELEASED_SEGMENTS)
        for generation in folder.generations
    )
    certified = _newest(_named(folders, CERTIFICATES), before)
    certificates = [datasets.need(CERTIFICATES, labels=version) for version in certified]
    return {
        (address, int(match["generation"]))
        for manifest in (*wanted, *releases, *certificates)
        for address, mark in manifest.made_from.items()
        if (match := _MARK.fullmatch(mark))
    }


def _scored_committees(datasets: Datasets, folders: Iterable[_Folder]) -> set[Generation]:
    """Return the superseded committees that alone can say which weights gave some scores."""
    scored = {keys["weights"] for keys in datasets.partitions(SCORES)}
    committees = _named(folders, COMMITTEES)
    known = {
        row.weights
        for folder in committees
        for row in datasets.rows_of(COMMITTEES, folder.manifest(datasets, folder.current))
    }
    return {
        (folder.address, generation)
        for folder in committees
        for generation in folder.generations
        if generation != folder.current
        for row in datasets.rows_of(COMMITTEES, folder.manifest(datasets, generation))
        if row.weights in scored - known
    }


def _superseded(folders: Iterable[_Folder], named: set[Generation], before: datetime) -> Iterator[Garbage]:
    """Yield the generations before the current one, where that is old enough; releases and rounds stay."""
    for folder in folders:
        if folder.dataset.name in _KEPT or folder.written_at(folder.current) >= before:
            continue
        for generation in sorted(folder.generations):
            if generation != folder.current and (folder.address, generation) not in named:
                yield folder.garbage("superseded generation", generation)


def _old_labels(folders: Iterable[_Folder], wanted: set[Generation], before: datetime) -> Iterator[Garbage]:
    """Yield the versions of the labels that nobody wants, newest first, what was carried from them among them.

    What their models had learnt goes last. Labels of segments have versions of their own.
    """
    folders = _named(folders, *FORMS, CROWD, *_WHOLE_VERSIONS)
    newest_of = {dataset.name: _newest(_named(folders, dataset), before) for dataset in _WHOLE_VERSIONS}
    unwanted = [
        folder
        for folder in folders
        if _version(folder) not in newest_of.get(folder.dataset.name, ())
        and folder.written_at(folder.current) < before
        and not any((folder.address, generation) in wanted for generation in folder.generations)
    ]
    unwanted.sort(key=lambda folder: (folder.dataset.name != CROWD.name, _version(folder)), reverse=True)
    for folder in unwanted:
        yield folder.garbage("version of the labels", folder.current, whole=True)


def _version(folder: _Folder) -> str:
    """Return which version of the labels a partition holds; it has no other key."""
    (version,) = folder.keys.values()
    return version


def _weights(
    datasets: Datasets, folders: Iterable[_Folder], gone: set[Generation], before: datetime
) -> Iterator[Garbage]:
    """Yield the weights that no committee and no model names, superseded ones that are not gone included."""
    named: set[str | None] = set()
    for folder in _named(folders, COMMITTEES, MODELS):
        for generation in folder.generations:
            if (folder.address, generation) not in gone:
                manifest = folder.manifest(datasets, generation)
                columns = [name for name in _BLOBS if name in folder.dataset.schema.names]
                table = datasets.read_all(folder.dataset, [manifest], columns)
                named.update(*(table[name].to_pylist() for name in columns))
    for one in datasets.store.objects(WEIGHTS):
        if one.name.removeprefix(WEIGHTS).partition(".")[0] not in named and one.written_at < before:
            yield Garbage(why="weights", name=one.name, objects=(one,))


def _localizers(datasets: Datasets, before: datetime) -> Iterator[Garbage]:
    """Yield the heads that a newer one of their release has replaced, and unfinished ones; both are taught anew."""
    heads: dict[str, list[Stored]] = defaultdict(list)
    for one in datasets.store.objects(f"{LOCALIZERS}/"):
        if "/" not in (name := one.name.removeprefix(f"{LOCALIZERS}/")):
            # <release>.<hash>.pt; people call releases v1.0 and v1.1 too.
            heads[name.rsplit(".", 2)[0]].append(one)
        elif one.written_at < before:
            yield Garbage(why="unfinished head of a localizer", name=one.name, objects=(one,))
    for of_release in heads.values():
        old = [one for one in of_release if one.written_at < before]
        for one in sorted(old, key=lambda head: head.written_at)[:-1]:
            yield Garbage(why="head of a localizer", name=one.name, objects=(one,))
