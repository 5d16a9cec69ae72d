"""Which versions of the labels are deleted: on a real ledger and a real store."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from collected_garbage import SOON, WEEK, Beside, Killed, Mortal, collect, grow_old, judge
from growing_labels import CLIPS, Voting, begin, run

from slac_tasks.reconcile import repair
from slac_tasks.release.finished import need_release
from slac_tasks.stages import aggregate, release, sync
from slac_tasks.storage.datasets import (
    LABEL_CHANGES,
    LABELS,
    RELEASES,
)
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.objects import LOCALIZERS, put_by_content
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification import versions
from slac_tasks.verification.settings import Review
from slac_tasks.verification.versions import newest_labels, read_labels


def labelled(make_job: Any, ledger: Ledger) -> tuple[Voting, Datasets]:
    """A first version of the labels, in which two people said yes of everything."""
    voting = Voting(ledger=ledger, clips=begin(make_job, ledger))
    for clip in range(CLIPS):
        for category in range(2):
            for person in range(2):
                voting.vote(person, clip, category, "yes")
    run(make_job, ledger, sync, aggregate)
    return voting, make_job("aggregate").datasets


def relabel(make_job: Any, ledger: Ledger, voting: Voting, clips: Iterable[int]) -> None:
    """A further version of the labels for each of these clips, of which one more person says yes."""
    for clip in clips:
        voting.vote(2, clip, 0, "yes")
        run(make_job, ledger, sync, aggregate)


def test_changes_that_a_whole_table_replaced_go_unless_a_release_names_them(
    make_job: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "MOST_CHANGES", 2)
    voting, datasets = labelled(make_job, ledger)
    voting.vote(2, 0, 0, "yes")
    run(make_job, ledger, sync, aggregate)
    judge(ledger, datasets)
    job = make_job("release", release="r0001")
    release.run(job)
    job.ledger.close()
    relabel(make_job, ledger, voting, range(1, CLIPS))
    judge(ledger, datasets)
    # Whole: 1, 4, 7. The release names 2, which builds on 1.
    assert collect(datasets, ledger) == [
        "version of the labels: label_changes/v1/labels=000006 g0001",
        "version of the labels: label_changes/v1/labels=000005 g0001",
        "version of the labels: labels/v1/labels=000004 g0001",
        "version of the labels: label_changes/v1/labels=000003 g0001",
    ]
    assert [keys["labels"] for keys in datasets.partitions(LABELS)] == ["000001", "000007"]
    assert [keys["labels"] for keys in datasets.partitions(LABEL_CHANGES)] == ["000002"]
    assert not list(datasets.store.names("labels/v1/labels=000004/")), "its pointer is gone too"
    assert read_labels(datasets, "000002").num_rows == 2 * CLIPS
    known = {row["address"] for row in ledger.rows("recorded_datasets")}
    assert "labels/v1/labels=000004" not in known
    assert "labels/v1/labels=000007" in known
    list(repair(datasets, ledger, Review()))


def test_killed_at_any_deletion_the_next_run_leaves_what_one_alone_would_have_left(
    make_job: Any, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "MOST_CHANGES", 2)
    voting, datasets = labelled(make_job, ledger)
    run(make_job, ledger, aggregate, remake=True)
    relabel(make_job, ledger, voting, range(4))

    def left(deletions: int) -> list[str]:
        """Return what is there after a run that is killed after so many deletions, and another one."""
        folder = tmp_path / f"killed after {deletions}"
        shutil.copytree(datasets.store.url, folder)
        with suppress(Killed):
            collect(Datasets(Mortal(folder, deletions)), ledger)
        collect(Datasets(FolderStore(folder)), ledger)
        return list(FolderStore(folder).names(""))

    alone = left(1_000_000)
    deleted = set(datasets.store.names("")) - set(alone)
    assert {name.partition("/")[0] for name in deleted} == {"labels", "label_changes"}
    for deletions in range(len(deleted)):
        assert left(deletions) == alone


def test_a_released_version_whose_whole_table_is_lost_keeps_what_is_left_and_holds_up_nothing(
    make_job: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "MOST_CHANGES", 3)
    voting, datasets = labelled(make_job, ledger)
    relabel(make_job, ledger, voting, range(2))
    judge(ledger, datasets)
    job = make_job("release", release="r0001")
    release.run(job)
    job.ledger.close()
    shutil.rmtree(Path(datasets.store.url) / "labels/v1/labels=000001")
    relabel(make_job, ledger, voting, range(2, 4))
    judge(ledger, datasets)
    assert collect(datasets, ledger) == []
    assert {keys["labels"] for keys in datasets.partitions(LABEL_CHANGES)} >= {"000002", "000003"}


def test_young_things_stay(make_job: Any, ledger: Ledger) -> None:
    voting = Voting(ledger=ledger, clips=begin(make_job, ledger))
    for clip in range(CLIPS):
        voting.vote(0, clip, 0, "yes")
        run(make_job, ledger, sync, aggregate, remake=True)
    datasets = make_job("aggregate").datasets
    put_by_content(datasets.store, "weights", ".pt", b"of a stage that runs now")
    assert collect(datasets, ledger, datetime.now(UTC) - SOON) == []


def test_what_a_young_version_builds_on_stays_however_old_it_is(
    make_job: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "MOST_CHANGES", 2)
    voting, datasets = labelled(make_job, ledger)
    relabel(make_job, ledger, voting, range(3))
    store, week_ago = datasets.store, datetime.now(UTC) - WEEK
    grow_old(store, "labels/v1/labels=000001/")
    assert collect(datasets, ledger, week_ago) == [], "2 and 3 are young, and build on it"
    grow_old(store, "label_changes/")
    assert collect(datasets, ledger, week_ago) == [], "3 was the newest a week ago, and builds on them"
    grow_old(store, "labels/")
    assert collect(datasets, ledger, week_ago) == [
        "version of the labels: label_changes/v1/labels=000003 g0001",
        "version of the labels: label_changes/v1/labels=000002 g0001",
        "version of the labels: labels/v1/labels=000001 g0001",
    ]


def test_what_a_release_reads_stays_though_newer_labels_are_judged_and_garbage_goes_at_every_moment(
    make_job: Any, ledger: Ledger, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The labels had been old for long when a newer version took their place: the release had ended with 65."""
    monkeypatch.setattr(versions, "MOST_CHANGES", 2)
    voting, datasets = labelled(make_job, ledger)
    relabel(make_job, ledger, voting, range(2))
    judge(ledger, datasets)
    grow_old(datasets.store, "")
    week_ago = datetime.now(UTC) - WEEK
    newer = iter([lambda: relabel(make_job, ledger, voting, [2]), lambda: judge(ledger, datasets)])

    def happens(name: str) -> None:
        # Once the release has chosen its labels.
        if name.startswith("label"):
            next(newer, lambda: None)()
        collect(datasets, ledger, week_ago)

    job = make_job("release", release="r0001")
    beside = Beside(Path(datasets.store.url), happens)
    vars(job).update(store=beside, ledger=Ledger(ledger_url))
    release.run(job)
    assert beside.times > 20
    assert newest_labels(datasets) == "000004"
    made = datasets.need(RELEASES, release="r0001")
    assert versions.labels_of(made) == "000003"
    assert datasets.read(RELEASES, release="r0001").num_rows == made.rows > 0
    assert read_labels(datasets, "000003").num_rows
    assert need_release(datasets, "r0001")


def test_the_head_that_was_the_newest_a_week_ago_stays_though_a_newer_one_was_written_since(
    store: FolderStore, ledger: Ledger
) -> None:
    for number, age in enumerate((WEEK + 2 * SOON, WEEK + SOON, SOON)):
        store.put(f"{LOCALIZERS}/r0001.{number}.pt", b"head")
        grow_old(store, f"{LOCALIZERS}/r0001.{number}.pt", age)
    found = collect(Datasets(store), ledger, datetime.now(UTC) - WEEK)
    assert found == ["head of a localizer: localizers/r0001.0.pt"]
