"""What is deleted, what never is, and that nobody can tell afterwards: on a real ledger and a real store."""

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from collected_garbage import WEEK, Killed, Mortal, collect, grow_old, judge
from growing_labels import CLIPS, Voting, begin, empty, flag, rows, run, withdraw
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from platform_records import KEYS, write

from slac_tasks import cli, garbage
from slac_tasks.forgetting import names_held
from slac_tasks.model import Window
from slac_tasks.reconcile import repair
from slac_tasks.release.releasable import releasable
from slac_tasks.stages import aggregate, release, sync
from slac_tasks.storage.datasets import (
    CARRIED,
    CERTIFICATES,
    COMMITTEES,
    CROWD,
    LABELS,
    MODELS,
    QUALITY,
    RELEASED_SEGMENTS,
    RELEASES,
    SCORES,
    SEGMENT_LABELS,
    SEGMENT_PEOPLE,
    VIDEOS,
)
from slac_tasks.storage.datasets import (
    CLIPS as CLIPS_DATASET,
)
from slac_tasks.storage.datasets.releasing import ModelRow
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.objects import LOCALIZERS, put_by_content
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification import versions
from slac_tasks.verification.settings import Review
from slac_tasks.verification.versions import newest_labels


def answers(datasets: Datasets, ledger: Ledger) -> dict[str, Any]:
    """What every reader of labels gets: of the newest, of the newest judged, and of every released version."""
    found: dict[str, Any] = {"newest": newest_labels(datasets), "judged": versions.newest(datasets, QUALITY)}
    released = {
        versions.labels_of(datasets.need(RELEASES, **keys)): datasets.read(RELEASES, **keys)
        for keys in datasets.partitions(RELEASES)
    }
    for version in {found["newest"], found["judged"], *released} - {None}:
        found[f"labels {version}"] = rows(datasets, version)
        found[f"release {version}"] = released.get(version)
        found[f"releasable {version}"] = releasable(datasets, ledger, version)
    return found


BATCHES = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(0, CLIPS - 1), st.integers(0, 1), st.sampled_from(["yes", "no"])),
            min_size=1, max_size=8,
        ),
        st.sampled_from(["nothing", "withdraw", "flag", "judge", "release", "remake", "kill"]),
    ),
    min_size=2, max_size=9,
)  # fmt: skip


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(batches=BATCHES, deletions=st.integers(0, 12))
def test_nobody_can_tell_that_garbage_was_collected(
    make_job: Any, ledger: Ledger, tmp_path_factory: pytest.TempPathFactory, batches: list[Any], deletions: int
) -> None:
    empty(ledger)
    folder = tmp_path_factory.mktemp("store")
    store: dict[str, Any] = {"store_url": str(folder)}
    voting = Voting(ledger=ledger, clips=begin(make_job, ledger, **store))
    datasets: Datasets = make_job("aggregate", settings=store).datasets
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "MOST_CHANGES", 2)
        for number, (votes, then) in enumerate(batches):
            for vote in votes:
                voting.vote(*vote)
            run(make_job, ledger, sync, aggregate, **store)
            if newest_labels(datasets) is None:
                continue
            if then == "withdraw":
                withdraw(ledger, voting.clips[number % CLIPS])
            elif then == "flag":
                flag(ledger, datasets, {number % 4})
            elif then == "remake":
                run(make_job, ledger, aggregate, remake=True, **store)
            elif then in ("judge", "release"):
                judge(ledger, datasets)
            if then == "release" and releasable(datasets, ledger, str(newest_labels(datasets))).num_rows:
                job = make_job("release", settings=store, release=f"r{number + 1:04d}")
                vars(job)["ledger"] = ledger
                release.run(job)
            before = answers(datasets, ledger)
            if then == "kill":
                with pytest.MonkeyPatch.context() as dying:
                    dying.setattr(datasets, "store", Mortal(folder, deletions))
                    try:
                        collect(datasets, ledger)
                    except Killed:
                        pass
                assert answers(datasets, ledger) == before
            collect(datasets, ledger)
            assert answers(datasets, ledger) == before
            assert collect(datasets, ledger) == []
            # A reader that follows a pointer to nothing takes the partition for a broken one.
            names = set(datasets.store.names(""))
            pointed = {name.removesuffix("/current.json") for name in names if name.endswith("/current.json")}
            assert pointed == {name.rsplit("/", 2)[0] for name in names if name.endswith("/manifest.json")}
    list(repair(datasets, ledger, Review()))
    assert answers(datasets, ledger) == before


def test_what_lies_at_no_address_of_a_dataset_is_nobodys_garbage(store: FolderStore, ledger: Ledger) -> None:
    for generation in ("g0001", "g0002"):
        store.put(f"videos/v{VIDEOS.version}/by_hand/{generation}/manifest.json", b"{}")
    assert collect(Datasets(store), ledger) == []


def test_a_generation_stays_until_the_one_after_it_is_old_enough(store: FolderStore, ledger: Ledger) -> None:
    """A reader may have begun before there was a newer one."""
    datasets = Datasets(store)
    made: dict[str, Any] = {"stage": "test", "settings": {}, "made_from": {}}
    for _ in range(2):
        windows = ("2026-01-05", "2026-01-12", "2026-01-19")
        first, second, third = (
            datasets.write(VIDEOS, [VIDEOS.table([])], keys={"category": "judo", "window": window}, **made).address
            for window in windows
        )
    for address in (first, second, third):
        grow_old(store, f"{address}/g0001/")
    grow_old(store, f"{second}/g0002/")
    week_ago = datetime.now(UTC) - WEEK
    assert collect(datasets, ledger, week_ago) == [f"superseded generation: {second} g0001"]
    grow_old(store, first)
    grow_old(store, third)
    assert collect(datasets, ledger, week_ago) == [
        f"superseded generation: {address} g0001" for address in (first, third)
    ]


def test_superseded_generations_go_unless_a_release_names_them(store: FolderStore, ledger: Ledger) -> None:
    datasets = Datasets(store)
    keys = {"category": "judo", "window": str(Window.parse("2026-01-05"))}
    made: dict[str, Any] = {"stage": "test", "settings": {}}
    for _ in range(3):
        clips = datasets.write(CLIPS_DATASET, [CLIPS_DATASET.table([])], keys=keys, made_from={}, **made)
        videos = datasets.write(VIDEOS, [VIDEOS.table([])], keys=keys, made_from={}, **made)
        if videos.generation == 2:
            made_from = {videos.address: videos.mark, "labels/v1/labels=000001": "g0001:0"}
            for _ in range(2):
                datasets.write(
                    RELEASES, [RELEASES.table([])], keys={"release": "r0001"}, made_from=made_from, **made
                )  # fmt: skip
    assert collect(datasets, ledger) == [
        f"superseded generation: {videos.address} g0001",
        f"superseded generation: {clips.address} g0001",
        f"superseded generation: {clips.address} g0002",
    ]
    assert datasets.need(CLIPS_DATASET, **keys).generation == 3
    assert not [name for name in store.names(clips.address) if "/g0001/" in name]
    assert datasets.generation(VIDEOS, keys, "g0002").generation == 2
    assert datasets.generation(RELEASES, {"release": "r0001"}, "g0001").generation == 1


@pytest.mark.parametrize(
    ("table", "key", "released"), [(CARRIED, "labels", RELEASES), (SEGMENT_LABELS, "batch", RELEASED_SEGMENTS)]
)
def test_labels_that_are_whole_tables_go_unless_they_are_the_newest_or_a_release_names_them(
    store: FolderStore, ledger: Ledger, table: Dataset[Any], key: str, released: Dataset[Any]
) -> None:
    datasets = Datasets(store)
    labels = write(store, dataset=LABELS, keys={"labels": "000001"})
    for version in ("000001", "000002", "000003"):
        made = write(store, dataset=table, keys={key: version})
        if version == "000001":
            made_from = {one.address: one.mark for one in (labels, made)}
            write(store, dataset=released, keys={"release": "r0001"}, made_from=made_from)
    collect(datasets, ledger)
    assert [keys[key] for keys in datasets.partitions(table)] == ["000001", "000003"]


def test_the_newest_of_each_table_stays_and_so_do_what_is_young_and_the_newest_before_it(
    store: FolderStore, ledger: Ledger
) -> None:
    """Labels of segments have numbers of their own, which say nothing of those of clips."""
    datasets = Datasets(store)
    made: dict[str, Any] = {"stage": "test", "settings": {}, "made_from": {}}
    tables = {CARRIED: "labels", SEGMENT_LABELS: "batch", SEGMENT_PEOPLE: "batch"}
    for number in range(1, 7):
        for dataset, key in tables.items():
            if dataset != CARRIED or number <= 4:
                datasets.write(dataset, [dataset.table([])], keys={key: f"{number:06d}"}, **made)
    for dataset, key in tables.items():
        for number in (1, 2):
            grow_old(store, dataset.address({key: f"{number:06d}"}))
    collect(datasets, ledger, datetime.now(UTC) - WEEK)
    assert [keys["labels"] for keys in datasets.partitions(CARRIED)] == ["000002", "000003", "000004"]
    for dataset in (SEGMENT_LABELS, SEGMENT_PEOPLE):
        left = [keys["batch"] for keys in datasets.partitions(dataset)]
        assert left == ["000002", "000003", "000004", "000005", "000006"]
    collect(datasets, ledger)
    assert [list(keys.values()) for dataset in tables for keys in datasets.partitions(dataset)] == [
        ["000004"], ["000006"], ["000006"]
    ]  # fmt: skip


def test_carried_labels_stay_while_the_newest_certificates_are_about_them(store: FolderStore, ledger: Ledger) -> None:
    """Between `carry` and `certify`: a release takes the labels that were certified last."""
    datasets = Datasets(store)
    for version in ("000001", "000002", "000003"):
        carried = write(store, dataset=CARRIED, keys={"labels": version})
        if version != "000003":
            made_from = {carried.address: carried.mark}
            write(store, dataset=CERTIFICATES, keys={"labels": version}, made_from=made_from)
    collect(datasets, ledger)
    assert [keys["labels"] for keys in datasets.partitions(CARRIED)] == ["000002", "000003"]


def test_weights_go_unless_a_committee_a_score_or_a_model_names_them(store: FolderStore, ledger: Ledger) -> None:
    datasets = Datasets(store)
    blobs, heads = (
        {name: put_by_content(store, "weights", ".pt", f"{part} {name}".encode()) for name in ("now", "scored", "old")}
        for part in ("backbone", "head")
    )
    lost = put_by_content(store, "weights", ".pt", b"lost")
    of_model = put_by_content(store, "weights", ".pt", b"head of a model")
    made: dict[str, Any] = {"stage": "test", "settings": {}, "made_from": {}}

    def committee(key: str, blob: str) -> None:
        row = {
            "member": "a", "architecture": "x", "category": "judo", "backbone": blobs[blob], "head": heads[blob],
            "output": 0, "weights": f"w{blob}", "origin": "bootstrap:2026-01-05",
        }  # fmt: skip
        datasets.write(COMMITTEES, [COMMITTEES.from_records([row])], keys={"committee": key}, **made)

    for blob in ("scored", "old", "now", "now"):
        committee("c1", blob)
    for weights in ("wscored", "wnow"):
        keys = {"category": "judo", "window": "2026-01-05", "weights": weights}
        datasets.write(SCORES, [SCORES.table([])], keys=keys, **made)
    model = ModelRow(
        architecture="x", backbone=blobs["now"], head=of_model, categories=("judo",), steps=1, clips=1, loss=0.0,
        network=put_by_content(store, "weights", ".safetensors", b"network"),
        card=put_by_content(store, "weights", ".md", b"card"),
    )  # fmt: skip
    datasets.write(MODELS, [MODELS.table([model])], keys={"release": "r0001"}, **made)
    wanted = [
        "superseded generation: committees/v1/committee=c1 g0002",
        # The current one too can say which weights gave its scores.
        "superseded generation: committees/v1/committee=c1 g0003",
        *(f"weights: weights/{name}.pt" for name in sorted([blobs["old"], heads["old"], lost])),
    ]
    assert collect(datasets, ledger) == wanted
    kept = [f"weights/{one[name]}.pt" for one in (blobs, heads) for name in ("now", "scored")]
    kept += [f"weights/{of_model}.pt", f"weights/{model.network}.safetensors", f"weights/{model.card}.md"]
    assert list(store.names("weights/")) == sorted(kept)
    assert collect(datasets, ledger) == []


def test_weights_that_were_written_again_since_they_were_found_stay(store: FolderStore, ledger: Ledger) -> None:
    names = [f"weights/{put_by_content(store, 'weights', '.pt', blob)}.pt" for blob in (b"again", b"lost")]
    week = datetime.now(UTC) - timedelta(days=7)
    for name in names:
        moment = (week - timedelta(days=1)).timestamp()
        os.utime(store.root / name, (moment, moment))
    datasets = Datasets(store)
    found = list(garbage.find(datasets, ledger, week))
    assert {one.name for one in found} == set(names)
    os.utime(store.root / names[0])
    for one in found:
        garbage.delete(datasets, ledger, one, week)
    assert list(store.names("weights/")) == names[:1]


def test_heads_of_localizers_go_but_for_the_newest_of_each_release(store: FolderStore, ledger: Ledger) -> None:
    for hour, name in enumerate(("r0001.bb", "r0002.cc", "r0001.aa", "v1.0.dd", "v1.1.ee", "v1.0.cc")):
        store.put(f"{LOCALIZERS}/{name}.pt", b"head")
        path, at = store.root / LOCALIZERS / f"{name}.pt", datetime.now(UTC) - timedelta(hours=10 - hour)
        os.utime(path, (at.timestamp(), at.timestamp()))
    store.put(f"{LOCALIZERS}/unfinished/checkpoint-00000010.aa/state.pt", b"half")
    datasets = Datasets(store)
    assert collect(datasets, ledger) == [
        "unfinished head of a localizer: localizers/unfinished/checkpoint-00000010.aa/state.pt",
        "head of a localizer: localizers/r0001.bb.pt",
        "head of a localizer: localizers/v1.0.dd.pt",
    ]
    assert list(store.names(f"{LOCALIZERS}/")) == [
        f"localizers/{name}.pt" for name in ("r0001.aa", "r0002.cc", "v1.0.cc", "v1.1.ee")
    ]


def test_what_a_finished_partition_left_to_go_on_from_goes_when_all_of_it_is_old(
    store: FolderStore, ledger: Ledger
) -> None:
    for weights in ("done", "remade", "begun"):
        keys = {**KEYS, "weights": weights}
        for shard in ("00001", "00002"):
            store.put(f"{SCORES.address(keys)}/unfinished/{shard}.ab.parquet", b"half")
        if weights != "begun":
            write(store, keys=keys)
    grow_old(store, "scores/")
    os.utime(store.root / SCORES.address({**KEYS, "weights": "remade"}) / "unfinished" / "00002.ab.parquet")
    assert collect(Datasets(store), ledger, datetime.now(UTC) - WEEK) == [
        f"unfinished partition: {SCORES.address({**KEYS, 'weights': 'done'})}/unfinished"
    ]
    left = {name.split("/")[4] for name in store.names("scores/") if "/unfinished/" in name}
    assert left == {"weights=remade", "weights=begun"}


def test_what_a_killed_writer_left_goes_when_it_is_old(store: FolderStore, ledger: Ledger) -> None:
    datasets = Datasets(store)
    store.put(f"{LOCALIZERS}/unfinished/checkpoint-00000010.aa/state.pt", b"under way")
    for name, age in {"old": timedelta(days=8), "new": timedelta(0)}.items():
        path = store.root / "media" / f".{name}.mp4.0123456789ab.part"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
        moment = (datetime.now(UTC) - age).timestamp()
        os.utime(path, (moment, moment))
    assert collect(datasets, ledger, datetime.now(UTC) - WEEK) == ["unfinished file: media/.old.mp4.0123456789ab.part"]
    assert [path.name for path in (store.root / "media").iterdir()] == [".new.mp4.0123456789ab.part"]


def test_a_dry_run_deletes_nothing_and_says_how_much_it_would(
    store: FolderStore, ledger_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLAC_STORE", store.url)
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    digest = put_by_content(store, "weights", ".pt", b"12345")
    assert cli.main(["gc", "--dry-run", "--days", "0"]) == 0
    said = capsys.readouterr()
    assert said.out.split() == ["weights", "5", "bytes", f"weights/{digest}.pt"]
    assert said.err.splitlines()[-1] == "gc: would delete 1 x weights (5 bytes)"
    assert cli.main(["gc"]) == 0
    assert capsys.readouterr().err.splitlines()[-1] == "gc: deleted nothing"
    assert store.exists(f"weights/{digest}.pt")
    assert cli.main(["gc", "--days", "0"]) == 0
    assert not store.exists(f"weights/{digest}.pt")


def test_nothing_is_deleted_while_a_repair_records_what_it_saw_in_the_store(
    store: FolderStore, ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLAC_STORE", store.url)
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    digest = put_by_content(store, "weights", ".pt", b"12345")
    with ledger.alone(garbage.DELETING):
        assert cli.main(["gc", "--days", "0"]) == 75
        assert cli.main(["gc", "--days", "0", "--dry-run"]) == 0
    assert store.exists(f"weights/{digest}.pt")
    assert cli.main(["gc", "--days", "0"]) == 0
    assert not store.exists(f"weights/{digest}.pt")


def test_nobody_is_forgotten_while_garbage_is_deleted(
    store: FolderStore, ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old versions that hold a name had been left without a pointer, and a repair had ended with 65."""
    monkeypatch.setenv("SLAC_STORE", store.url)
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    datasets = Datasets(store)
    learnt = CROWD.table([CROWD.row(kind="person", name="mara", answer="yes", positive=0.9)])
    for version in ("000001", "000002"):
        keys = {"labels": version}
        datasets.write(CROWD, [learnt], keys=keys, stage="aggregate", settings={}, made_from={})
    forget = ["annotator", "forget", "mara"]
    codes = []

    def delete(*found: Any) -> None:
        codes.append(cli.main(forget))
        remove(*found)

    remove = garbage.delete
    monkeypatch.setattr(garbage, "delete", delete)
    assert cli.main(["gc", "--days", "0"]) == 0
    assert codes == [75, 75]
    assert cli.main(forget) == 0
    assert [keys for keys in datasets.partitions(CROWD) if datasets.manifest(CROWD, **keys) is None] == []
    list(repair(datasets, ledger, Review()))
    with names_held(ledger, alone=True):
        assert cli.main(["gc", "--days", "0"]) == 75
        assert cli.main(["gc", "--days", "0", "--dry-run"]) == 0


@pytest.mark.parametrize("days", ["-1", "nan", "inf", "36501", "week"])
def test_an_age_that_no_store_has_is_refused(days: str) -> None:
    with suppress(SystemExit):
        assert cli.main(["gc", f"--days={days}"]) == 64
