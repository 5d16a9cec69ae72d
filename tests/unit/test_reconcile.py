"""The ledger after `slac doctor --reconcile` is what the store says, whatever it was before."""

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from platform_records import Platform, write
from released import finish, released

from slac_tasks.errors import BrokenContract
from slac_tasks.networks.committees import adopt_committees
from slac_tasks.reconcile import repair
from slac_tasks.storage.datasets import ALL, CANDIDATES, CLIPS, LABELS, SCORES
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.inventory import Inventory
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.records import ARRIVALS, Record, current, leave_note, record
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.settings import Review

WEEK = "2026-01-05"


def reconcile(store: FolderStore, ledger: Ledger) -> list[str]:
    return list(repair(Datasets(store), ledger, Review()))


def rows(ledger: Ledger) -> list[dict[str, Any]]:
    return ledger.rows("recorded_datasets")


def clips(store: FolderStore, category: str, **changes: Any) -> Manifest:
    return write(store, dataset=CLIPS, keys={"category": category, "window": WEEK}, **changes)


def test_every_generation_is_recorded_and_nothing_of_it_is_unknown(store: FolderStore, ledger: Ledger) -> None:
    assert SCORES.upgrade is not None
    made = [clips(store, "judo"), clips(store, "judo"), write(store, dataset=SCORES.upgrade.previous), write(store)]
    with ledger._connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO datasets (address, generation, manifest_sha256, row_count, dataset, version, keys)"
            " VALUES (%s, 1, %s, 0, 'clips', 1, %s)",
            [made[0].address, made[0].sha256, json.dumps(dict(made[0].keys))],
        )
    for _ in range(2):
        assert "4 generations the same in both" in reconcile(store, ledger)
        assert {(row["address"], row["generation"]) for row in rows(ledger)} == {
            (manifest.address, manifest.generation) for manifest in made
        }
        assert ledger.rows("unknown_datasets") == [{"generations": 0}]
        assert [one.mark for one in current(ledger, CLIPS)] == [made[1].mark]


def test_superseded_generations_that_were_deleted_are_no_failure(store: FolderStore, ledger: Ledger) -> None:
    made = [clips(store, "judo") for _ in range(3)]
    record(ledger, map(Record.of, made))
    for manifest in made[:2]:
        store.delete(f"{manifest.address}/g{manifest.generation:04d}/manifest.json")
    lines = reconcile(store, ledger)
    assert "2 superseded generations deleted, and forgotten by the ledger" in lines
    assert rows(ledger) == [{"address": made[2].address, "generation": 3}]


def test_a_dataset_that_is_gone_is_named_and_forgotten(store: FolderStore, ledger: Ledger) -> None:
    made = {category: clips(store, category) for category in ("judo", "polo")}
    record(ledger, map(Record.of, made.values()))
    for name in list(store.names(made["judo"].address)):
        store.delete(name)
    lines = reconcile(store, ledger)
    assert (
        f"{made['judo'].address} g0001 is not in the store any more: the ledger forgets it, and a plan makes it again"
        in lines
    )
    assert [one.keys["category"] for one in current(ledger, CLIPS)] == ["polo"]


def test_a_store_that_is_not_the_ledgers_is_refused(store: FolderStore, ledger: Ledger, tmp_path: Path) -> None:
    record(ledger, [Record.of(clips(store, "judo"))])
    with pytest.raises(BrokenContract, match="holds none of 1 generation that the ledger recorded"):
        reconcile(FolderStore(tmp_path / "other"), ledger)
    assert len(rows(ledger)) == 1


def test_a_manifest_that_is_not_the_recorded_one_is_refused(store: FolderStore, ledger: Ledger) -> None:
    manifest = clips(store, "judo")
    record(ledger, [Record.of(manifest)])
    for name in list(store.names(manifest.address)):
        store.delete(name)
    clips(store, "judo", settings={"other": 1})
    with pytest.raises(BrokenContract, match="want the same, a generation never changes"):
        reconcile(store, ledger)


@pytest.mark.parametrize("names", [["v8", "v9", "v10"], ["r0001", "paper", "final"]])
def test_releases_come_back_in_the_order_in_which_they_follow_each_other(
    store: FolderStore, ledger: Ledger, names: list[str]
) -> None:
    datasets = Datasets(store)
    of = {LABELS.address({"labels": "000001"}): "g0001:0"}
    for before, name in zip([None, *names], names, strict=False):
        finish(datasets, name, [released()], before=before, made_from=of)
    # One that is made again is written after those that follow it.
    finish(datasets, names[0], [released()], made_from=of)
    reconcile(store, ledger)
    assert [row["release"] for row in ledger.rows("web_releases", most=9)] == names[::-1]


def test_notes_are_done_with_the_strange_ones_too(store: FolderStore, ledger: Ledger) -> None:
    leave_note(store, clips(store, "judo"))
    store.put(f"{ARRIVALS}strange.json", b"{}")
    reconcile(store, ledger)
    assert list(store.names(ARRIVALS)) == []
    assert len(current(ledger, CLIPS)) == 1


class Counted(FolderStore):
    """A store that counts its calls."""

    calls = 0

    def get(self, name: str) -> bytes:
        self.calls += 1
        return super().get(name)

    def exists(self, name: str) -> bool:
        self.calls += 1
        return super().exists(name)

    def names(self, prefix: str) -> Iterator[str]:
        self.calls += 1
        return super().names(prefix)


@pytest.mark.parametrize("partitions", [5, 50])
def test_each_manifest_is_read_once(partitions: int, tmp_path: Path, ledger: Ledger) -> None:
    store = Counted(tmp_path / "store")
    for number in range(partitions):
        write(store, dataset=CANDIDATES, keys={"category": f"c{number}", "window": WEEK})
    listings = sum(2 if dataset.upgrade else 1 for dataset in ALL.values())
    store.calls = 0
    Inventory.take(Datasets(store), ALL.values())
    # Pointer, manifest, and whether there is a newer one.
    assert store.calls == 3 * partitions + listings


def test_records_of_a_year_take_seconds(platform: Platform, store: FolderStore, ledger: Ledger) -> None:
    """Twice the records take about twice as long, so 210,000 take ten times as long as 20,000 and no more."""
    manifest = clips(store, "judo")
    record(ledger, [Record.of(manifest)])
    seconds = []
    for count in (10_000, 20_000):
        keys = [{"category": f"c{number}", "window": WEEK, "weights": "w"} for number in range(count)]
        platform.record_all(SCORES, keys)
        began = time.process_time()
        lines = reconcile(store, ledger)
        seconds.append(time.process_time() - began)
        assert f"{count - 20:,} more not in the store any more, and forgotten" in lines
        assert len(rows(ledger)) == 1
    assert seconds[1] < 5.0
    # A collection of garbage may fall into either.
    assert seconds[1] < 4 * max(seconds[0], 0.5)


@pytest.fixture
def platform(store: FolderStore, ledger: Ledger) -> Platform:
    return Platform(store=store, ledger=ledger)


def test_readers_of_an_inventory_see_the_newest_of_each_partition(store: FolderStore) -> None:
    assert SCORES.upgrade is not None
    keys = [{"category": "judo", "window": WEEK, "weights": weights} for weights in ("w1", "w2")]
    for dataset, one in itertools.product((SCORES.upgrade.previous, SCORES), keys):
        if (dataset, one) != (SCORES, keys[1]):
            write(store, dataset=dataset, keys=one)
    stored = Inventory.take(Datasets(store), [SCORES])
    assert len(stored.manifests) == 3
    found = {one.keys["weights"]: (one.version, one.is_older) for one in stored.current(SCORES)}
    assert found == {"w1": (2, False), "w2": (1, True)}


def test_what_a_stage_makes_while_the_store_is_listed_is_not_lost(
    store: FolderStore, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = Platform(store=store, ledger=ledger)
    record(ledger, [Record.of(clips(store, "judo"))])
    take = Inventory.take

    def listed(*given: Any) -> Inventory:
        found = take(*given)
        record(ledger, [Record.of(clips(store, "golf"))])
        platform.seat({"judo": ["w1"]})
        adopt_committees(Datasets(store), ledger, None)
        return found

    monkeypatch.setattr(Inventory, "take", listed)
    said = reconcile(store, ledger)
    assert not [line for line in said if "not in the store" in line or "lost" in line]
    kept = {row["address"].split("/")[2] for row in rows(ledger)}
    assert kept == {"category=golf", "category=judo", f"committee={platform.committee}"}
    assert len(ledger.rows("committees")) == 1
