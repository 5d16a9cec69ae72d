"""Garbage collection as tests call it, and how old a store seems to it."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from growing_labels import CATEGORIES

from slac_tasks import garbage
from slac_tasks.storage import records
from slac_tasks.storage.datasets import (
    QUALITY,
)
from slac_tasks.storage.datasets.labelling import QualityRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.records import Record
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.versions import newest_labels

SOON = timedelta(hours=1)
"""Everything that was written is older than this time from now."""
WEEK = timedelta(days=7)


class Killed(BaseException):
    """What a SIGKILL is to the code that it meets."""


class Mortal(FolderStore):
    """A store whose process dies at its n-th deletion."""

    def __init__(self, root: Path, deletions: int) -> None:
        super().__init__(root)
        self.deletions = deletions

    def delete(self, name: str) -> None:
        self.deletions -= 1
        if self.deletions < 0:
            raise Killed
        super().delete(name)


class Beside(FolderStore):
    """A store in which something else happens before each read and each write."""

    def __init__(self, root: Path, happens: Callable[[str], object]) -> None:
        super().__init__(root)
        self.happens = happens
        self.times = 0

    def met(self, name: str) -> None:
        self.times += 1
        self.happens(name)

    def get(self, name: str) -> bytes:
        self.met(name)
        return super().get(name)

    def put(self, name: str, data: bytes) -> None:
        self.met(name)
        super().put(name, data)

    def put_file(self, name: str, path: Path) -> None:
        self.met(name)
        super().put_file(name, path)

    def create(self, name: str, data: bytes) -> bool:
        self.met(name)
        return super().create(name, data)


def collect(datasets: Datasets, ledger: Ledger, before: datetime | None = None) -> list[str]:
    """Delete all garbage; return what it was."""
    before = before or datetime.now(UTC) + SOON
    found = []
    for one in garbage.find(datasets, ledger, before):
        garbage.delete(datasets, ledger, one, before)
        found.append(f"{one.why}: {one.name}")
    return found


def judge(ledger: Ledger, datasets: Datasets) -> None:
    """Accept every category of the newest labels."""
    version = newest_labels(datasets)
    assert version is not None
    found = [
        QualityRow(category=category, verdict="accepted", reasons=(), failed=(), shortfalls=(), settled=9, positive=4,
                   agreement=1.0, unsettled=0)
        for category in CATEGORIES
    ]  # fmt: skip
    made: dict[str, Any] = {"stage": "test", "settings": {}, "made_from": {}}
    manifest = datasets.write(QUALITY, [QUALITY.table(found)], keys={"labels": version}, **made)
    records.record(ledger, [Record.of(manifest)])
    ledger.run_many("add_verdict", [
        {"labels": version, "category": category, "verdict": "accepted", "reasons": [], "failed": [], "shortfalls": []}
        for category in CATEGORIES
    ])  # fmt: skip


def grow_old(store: FolderStore, prefix: str, by: timedelta = WEEK + SOON) -> None:
    """Let what is there have been written some time ago."""
    moment = (datetime.now(UTC) - by).timestamp()
    for name in store.names(prefix):
        os.utime(store.root / name, (moment, moment))
