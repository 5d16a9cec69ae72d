"""What the ledger knows of the store, whoever wrote it and wherever a process died."""

from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import psycopg2.extras
import pytest
from platform_records import KEYS, write

from slac_tasks.errors import BrokenContract
from slac_tasks.procedure import STAGES
from slac_tasks.storage.datasets import CLIPS, HARD_CLIPS, SCORES
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger, migrations
from slac_tasks.storage.manifests import Drop
from slac_tasks.storage.records import ARRIVALS, Current, Record, absorb, current, leave_note, record
from slac_tasks.storage.tables import Datasets


class Killed(BaseException):
    """What a SIGKILL is to the code that it meets: nothing after this line runs."""


class Mortal(FolderStore):
    """A store whose process dies before its n-th change."""

    changes = 1_000_000

    def _age(self) -> None:
        self.changes -= 1
        if self.changes < 0:
            raise Killed

    def put(self, name: str, data: bytes) -> None:
        self._age()
        super().put(name, data)

    def create(self, name: str, data: bytes) -> bool:
        self._age()
        return super().create(name, data)

    def delete(self, name: str) -> None:
        self._age()
        super().delete(name)


def rows(ledger: Ledger) -> list[dict[str, Any]]:
    """Return the table as it is."""
    with ledger._connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute("SELECT * FROM datasets ORDER BY address, generation")
        return [dict(row) for row in cursor.fetchall()]


def test_a_stage_without_the_password_leaves_a_note_that_becomes_a_record(make_job: Any, ledger: Ledger) -> None:
    job = make_job("propose")
    assert not STAGES["propose"].ledger
    keys = {"category": "judo", "window": "2026-01-05"}
    with job.partition(CLIPS, keys) as made:
        made.drops = [Drop(item="v1", reason="gone"), Drop(item="v2", reason="busy", retryable=True)]
    assert current(ledger, CLIPS) == []
    assert absorb(job.store, ledger) == 1
    (found,) = current(ledger, CLIPS)
    assert (found.address, found.keys, found.mark) == (CLIPS.address(keys), keys, made.manifest.mark)
    (row,) = rows(ledger)
    assert (row["row_count"], row["retryable"], row["made_from"]) == (0, 1, {})
    assert row["settings"] == job.config.digest(("proposal",))
    assert row["written_at"].astimezone(UTC).isoformat(timespec="milliseconds") == made.manifest.written_at
    assert list(job.store.names(ARRIVALS)) == []
    assert absorb(job.store, ledger) == 0


def test_a_stage_with_the_password_records_what_it_wrote(make_job: Any, ledger: Ledger) -> None:
    job = make_job("mine")
    with job.partition(HARD_CLIPS, {"category": "judo", "round": "2026-01-05.p1"}) as made:
        pass
    assert [one.mark for one in current(ledger, HARD_CLIPS)] == [made.manifest.mark]
    assert list(job.store.names(ARRIVALS)) == []


@pytest.mark.parametrize("changes", range(8))
@pytest.mark.parametrize("stage", ["score", "mine"])
def test_a_process_that_dies_anywhere_loses_no_record(
    changes: int, stage: str, make_job: Any, ledger: Ledger, tmp_path: Path
) -> None:
    """Parts, manifest, pointer, note, record, removal of the note: wherever it ends, the next run completes it."""
    dataset, keys = {
        "score": (SCORES, KEYS),
        "mine": (HARD_CLIPS, {"category": "judo", "round": "2026-01-05.p1"}),
    }[stage]

    def run(store: FolderStore) -> None:
        job = make_job(stage)
        vars(job)["store"] = store
        with job.partition(dataset, keys):
            pass
        absorb(store, ledger)

    mortal = Mortal(tmp_path / "store")
    mortal.changes = changes
    try:
        run(mortal)
    except Killed:
        pass
    healthy = FolderStore(tmp_path / "store")
    run(healthy)
    manifest = Datasets(healthy).need(dataset, **keys)
    assert manifest.generation == 1
    assert [one.mark for one in current(ledger, dataset)] == [manifest.mark]
    assert list(healthy.names(ARRIVALS)) == []


def test_readers_see_the_newest_generation_of_the_newest_version(store: FolderStore, ledger: Ledger) -> None:
    assert SCORES.upgrade is not None
    older = SCORES.upgrade.previous
    first = write(store, dataset=older)
    record(ledger, [Record.of(first)])
    assert [one.mark for one in current(ledger, SCORES)] == [first.mark]
    made = [write(store), write(store)]
    for manifest in reversed(made):
        leave_note(store, manifest)
    absorb(store, ledger)
    (found,) = current(ledger, SCORES)
    assert (found.address, found.generation, found.mark) == (SCORES.address(KEYS), 2, made[1].mark)


def test_partitions_of_one_window_are_found_by_it(store: FolderStore, ledger: Ledger) -> None:
    weeks = ["2026-01-05", "2026-01-12"]
    record(ledger, [Record.of(write(store, keys={**KEYS, "window": week})) for week in weeks])
    assert [one.keys["window"] for one in current(ledger, SCORES)] == weeks
    assert [one.keys["window"] for one in current(ledger, SCORES, window=weeks[1])] == weeks[1:]


def test_a_generation_that_is_another_one_now_is_refused(store: FolderStore, ledger: Ledger) -> None:
    manifest = write(store)
    record(ledger, [Record.of(manifest)])
    record(ledger, [Record.of(manifest)])
    store.delete(f"{manifest.address}/g0001/manifest.json")
    store.delete(f"{manifest.address}/current.json")
    leave_note(store, write(store, settings={"other": 1}))
    with pytest.raises(BrokenContract, match=r"window=2026-01-05/weights=w1 g0001: its manifest is .*want the same"):
        absorb(store, ledger)
    assert len(list(store.names(ARRIVALS))) == 1


def test_a_note_that_is_none_is_named(store: FolderStore, ledger: Ledger) -> None:
    store.put(f"{ARRIVALS}strange.json", b'{"address": 1}')
    with pytest.raises(BrokenContract, match=r"arrivals/strange.json: is no note"):
        absorb(store, ledger)


def test_a_query_whose_columns_are_not_the_fields_is_refused(ledger: Ledger) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Wrong:
        address: str

    with pytest.raises(BrokenContract, match=r"query current_datasets: columns .* want \['address'\] of Wrong"):
        ledger.all(Wrong, "current_datasets", dataset="scores", versions=[2], window=None)
    assert ledger.all(Current, "current_datasets", dataset="scores", versions=[2], window=None) == []


def test_the_migration_reads_dataset_version_and_keys_from_old_addresses(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Ledger(database_url)
    known = migrations()
    (number,) = (version for version, statements in known if "ADD COLUMN made_from jsonb" in statements)
    with monkeypatch.context() as older:
        older.setattr("slac_tasks.storage.ledger.migrations", lambda: [one for one in known if one[0] < number])
        ours.migrate()
    with ours._connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO datasets (address, generation, manifest_sha256, row_count) VALUES (%s, 3, 'abc', 7)",
            [SCORES.address(KEYS)],
        )
    ours.migrate()
    (found,) = current(ours, SCORES)
    assert (found.keys, found.mark, found.row_count) == (KEYS, "g0003:abc", 7)
    (row,) = rows(ours)
    assert (row["dataset"], row["version"]) == ("scores", 2)
    assert [row[name] for name in ("retryable", "made_from", "settings", "written_at")] == [None] * 4
    ours.close()
