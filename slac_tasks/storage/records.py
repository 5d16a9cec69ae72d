"""What the ledger knows of datasets: one record for each generation that exists in the store.

Whoever plans the work asks these records and reads no manifests. A stage that holds the ledger's password records what
it wrote. A stage that opens media holds none: it leaves a note in the store, after its manifest,

    arrivals/<hash of address and generation>.json

and the next plan absorbs the notes: it records them and then deletes them. A process that is killed in between loses
nothing. The stage is planned again, finds its dataset finished and leaves the note again; a note that was recorded and
not deleted is recorded once more, which changes nothing.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slac_tasks.errors import BrokenContract, NotConfigured, NotMade
from slac_tasks.model import content_hash
from slac_tasks.progress import counted
from slac_tasks.settings import Table
from slac_tasks.storage.datasets import ALL
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.store import Store

ARRIVALS = "arrivals/"
"""Where the notes lie."""

_AT_ONCE = 2_000
"""Records in one statement."""
_READERS = 8
"""Notes read at the same time: most of reading a small object is waiting."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """A generation as its writer records it."""

    address: str
    generation: int
    manifest_sha256: str
    row_count: int
    dataset: str
    version: int
    keys: Mapping[str, str]
    retryable: int
    """Items that were dropped and that a later try may get."""
    made_from: Mapping[str, str]
    """Address of a dataset or name of weights -> generation and hash."""
    settings: Table
    """The sections of the settings that shaped it, by name."""
    written_at: datetime
    dropped: Mapping[str, int]
    """How many items it set aside, by reason."""
    contents: str
    """The same for generations that hold the same rows."""

    @classmethod
    def of(cls, manifest: Manifest) -> "Record":
        """Return the record of a generation that exists in the store."""
        return cls(
            address=manifest.address,
            generation=manifest.generation,
            manifest_sha256=manifest.sha256,
            row_count=manifest.rows,
            dataset=manifest.dataset,
            version=manifest.version,
            keys=manifest.keys,
            retryable=manifest.retryable,
            made_from=manifest.made_from,
            settings=manifest.made_by.settings,
            written_at=datetime.fromisoformat(manifest.written_at),
            dropped=manifest.dropped,
            contents=manifest.contents,
        )

    @property
    def name(self) -> str:
        """Object name of the note that holds it."""
        return f"{ARRIVALS}{content_hash(self.address, str(self.generation))}.json"

    def encode(self) -> bytes:
        """Return the bytes of the note."""
        return json.dumps({**dataclasses.asdict(self), "written_at": self.written_at.isoformat()}).encode()

    @classmethod
    def decode(cls, name: str, data: bytes) -> "Record":
        """Read the bytes of the note `name`.

        Raises:
            BrokenContract: they are no note.

        """
        try:
            values = json.loads(data)
            values["written_at"] = datetime.fromisoformat(values["written_at"])
            return cls(**values)
        except (ValueError, TypeError, KeyError) as error:
            raise BrokenContract(
                f"{name}: is no note of a dataset ({error}); `slac doctor --reconcile` reads the manifests instead"
            ) from error


@dataclass(frozen=True, kw_only=True, slots=True)
class Current:
    """The generation that readers see of a partition."""

    address: str
    generation: int
    row_count: int
    keys: Mapping[str, str]
    mark: str
    """How the manifest of a later dataset names this generation."""


def current(ledger: Ledger, dataset: Dataset[Any], *, window: str | None = None) -> list[Current]:
    """Return the current generation of every partition of `dataset` that readers accept, in order of their address."""
    return ledger.all(Current, "current_datasets", dataset=dataset.name, versions=list(dataset.readable), window=window)


def check_readable(ledger: Ledger) -> None:
    """Make sure that what was collected, scored and chosen is read, and not made again, after an upgrade.

    Raises:
        NotConfigured: some of it is of versions older than those that readers accept.

    """
    oldest = {one.name: min(one.readable) for one in ALL.values() if {"window", "round"} & set(one.keys)}
    past = {name: version for name, version in oldest.items() if version > 1}
    found = ledger.rows("unreadable_datasets", datasets=list(past), oldest=list(past.values()))
    if found:
        named = ", ".join(
            f"{counted(row['partitions'], 'partition')} of {row['dataset']}/v{row['version']}" for row in found
        )
        raise NotConfigured(
            f"ledger: knows {named}, which this release cannot read and would make again; upgrade by way of a "
            "release that reads them, or delete these folders of the store and run `slac doctor --reconcile`"
        )


def record(ledger: Ledger, records: Iterable[Record]) -> None:
    """Record generations; recording them again changes nothing.

    Raises:
        BrokenContract: the ledger knows one of them with another manifest.

    """
    records = list(records)
    for start in range(0, len(records), _AT_ONCE):
        some = records[start : start + _AT_ONCE]
        columns = {field.name: [getattr(one, field.name) for one in some] for field in dataclasses.fields(Record)}
        for other in ledger.rows("record_datasets", **columns):
            given = next(
                one for one in some if (one.address, one.generation) == (other["address"], other["generation"])
            )
            raise BrokenContract(
                f"dataset {given.address} g{given.generation:04d}: its manifest is {given.manifest_sha256[:16]}, "
                f"the ledger recorded {other['manifest_sha256'][:16]}; want the same, a generation never changes"
            )


def leave_note(store: Store, manifest: Manifest) -> None:
    """Leave a note of a generation for whoever holds the ledger."""
    found = Record.of(manifest)
    store.put(found.name, found.encode())


def absorb(store: Store, ledger: Ledger) -> int:
    """Record what the notes in the store say, and delete them; return how many there were.

    Raises:
        BrokenContract: a note is none, or contradicts the ledger; no note is deleted then.

    """
    with ThreadPoolExecutor(_READERS) as threads:
        found = [one for one in threads.map(lambda name: _note(store, name), list(store.names(ARRIVALS))) if one]
        record(ledger, found)
        list(threads.map(store.delete, [one.name for one in found]))
    return len(found)


def _note(store: Store, name: str) -> Record | None:
    """Return what a note says; None: another process absorbed it first."""
    try:
        return Record.decode(name, store.get(name))
    except NotMade:
        return None
