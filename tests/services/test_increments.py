"""Labels that grow batch by batch are the labels that all votes at once would make, on a real ledger."""

from contextlib import suppress
from typing import Any

import pytest
from growing_labels import CLIPS, Voting, begin, empty, flag, queue, rows, run, withdraw, withdrawn_videos
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slac_tasks.config import Config
from slac_tasks.errors import BrokenContract
from slac_tasks.planning.items import Item
from slac_tasks.planning.planner import Planner
from slac_tasks.planning.plans import sync_verifications
from slac_tasks.reconcile import repair
from slac_tasks.stages import aggregate, sync
from slac_tasks.storage.datasets import CROWD, LABEL_CHANGES, LABELS
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification import versions
from slac_tasks.verification.settings import Aggregation, Review
from slac_tasks.verification.versions import newest, newest_labels

VOTES = st.tuples(
    st.integers(0, 3), st.integers(0, CLIPS - 1), st.integers(0, 1), st.sampled_from(["yes", "no", "unsure", "broken"])
)
BATCHES = st.lists(
    st.tuples(
        st.lists(VOTES, min_size=1, max_size=8), st.none() | st.integers(0, CLIPS - 1),
        st.none() | st.sets(st.integers(0, 3), max_size=2),
    ),
    min_size=2, max_size=7,
)  # fmt: skip
"""Each: votes, the clip whose video is withdrawn afterwards, and who is flagged afterwards."""


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(batches=BATCHES)
def test_labels_that_grow_are_those_of_all_votes_at_once(
    make_job: Any, ledger: Ledger, tmp_path_factory: pytest.TempPathFactory, batches: list[Any]
) -> None:
    empty(ledger)
    store = {"store_url": str(tmp_path_factory.mktemp("store"))}
    voting = Voting(ledger=ledger, clips=begin(make_job, ledger, **store))
    datasets: Datasets = make_job("aggregate", settings=store).datasets
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(versions, "MOST_CHANGES", 3)
        for votes, withdrawn, flagged in batches:
            for vote in votes:
                voting.vote(*vote)
            before, gone = newest_labels(datasets), withdrawn_videos(ledger)
            run(make_job, ledger, sync, aggregate, **store)
            if newest_labels(datasets) != before:
                assert not gone & {row["video_id"] for row in rows(datasets)}
            if withdrawn is not None:
                withdraw(ledger, voting.clips[withdrawn])
            if flagged is not None and newest_labels(datasets) is not None:
                flag(ledger, datasets, flagged)
    grown, asked = rows(datasets), queue(ledger)
    gone = withdrawn_videos(ledger)
    run(make_job, ledger, aggregate, remake=True, **store)
    assert newest(datasets, LABELS) == newest_labels(datasets)
    assert rows(datasets) == [row for row in grown if row["video_id"] not in gone]
    assert queue(ledger) == asked


def test_a_version_is_stored_as_the_clips_that_new_votes_are_about(make_job: Any, ledger: Ledger) -> None:
    voting = Voting(ledger=ledger, clips=begin(make_job, ledger))
    for clip in range(CLIPS):
        voting.vote(0, clip, 0, "yes")
    run(make_job, ledger, sync, aggregate)
    voting.vote(1, 2, 0, "yes")
    run(make_job, ledger, sync, aggregate, aggregate)
    datasets = make_job("aggregate").datasets
    changes = datasets.read(LABEL_CHANGES, labels="000002").to_pylist()
    assert [(row["clip_id"], row["status"], row["yes"]) for row in changes] == [(voting.clips[2], "settled", 2)]
    assert [row["yes"] for row in rows(datasets)] == [1, 1, 2, 1, 1, 1]
    assert [row["yes"] for row in rows(datasets, "000001")] == [1] * CLIPS
    made_from = datasets.need(LABEL_CHANGES, labels="000002").made_from
    assert set(made_from) == {"votes/v2/batch=000002", "labels/v1/labels=000001"}


def test_after_enough_changes_the_next_version_is_whole(
    make_job: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "MOST_CHANGES", 2)
    voting = Voting(ledger=ledger, clips=begin(make_job, ledger))
    for clip in range(CLIPS):
        voting.vote(0, clip, 0, "yes")
        run(make_job, ledger, sync, aggregate)
    datasets = make_job("aggregate").datasets
    assert [keys["labels"] for keys in datasets.partitions(LABELS)] == ["000001", "000004"]
    assert [keys["labels"] for keys in datasets.partitions(LABEL_CHANGES)] == ["000002", "000003", "000005", "000006"]


def test_a_change_of_the_settings_decides_every_clip_again(make_job: Any, ledger: Ledger) -> None:
    voting = Voting(ledger=ledger, clips=begin(make_job, ledger))
    for clip in range(CLIPS):
        for person in range(2):
            voting.vote(person, clip, 0, "yes")
    run(make_job, ledger, sync, aggregate)
    voting.vote(2, 0, 0, "yes")
    run(make_job, ledger, sync, aggregate, aggregation=Aggregation(method="dawid_skene"))
    datasets = make_job("aggregate").datasets
    assert newest(datasets, LABELS) == "000002"
    assert {row["method"].partition("/")[0] for row in rows(datasets)} == {"dawid_skene"}


def grown(make_job: Any, ledger: Ledger, **knobs: Any) -> tuple[Voting, Datasets]:
    """Three versions of the labels, a clip more in each: a whole table, and two of changes."""
    voting = Voting(ledger=ledger, clips=begin(make_job, ledger))
    for clip in range(3):
        voting.vote(0, clip, 0, "yes")
        voting.vote(1, clip, 0, "yes")
        run(make_job, ledger, sync, aggregate, **knobs)
    return voting, make_job("aggregate").datasets


def lose(datasets: Datasets, ledger: Ledger, address: str) -> None:
    """Delete a partition, and let the ledger know."""
    for name in list(datasets.store.names(f"{address}/")):
        datasets.store.delete(name)
    with suppress(BrokenContract):
        list(repair(datasets, ledger, Review()))


@pytest.mark.parametrize("new_votes", [True, False], ids=["a newer batch", "the same batch"])
@pytest.mark.parametrize("lost", ["labels/v1/labels=000001", "label_changes/v1/labels=000002"])
def test_the_next_version_builds_on_nothing_that_is_lost(
    make_job: Any, ledger: Ledger, lost: str, new_votes: bool
) -> None:
    voting, datasets = grown(make_job, ledger)
    planner = Planner(settings=Config(store_url=datasets.store.url), datasets=datasets, ledger=ledger)
    assert sync_verifications(planner) == []
    lose(datasets, ledger, lost)
    assert sync_verifications(planner) == [Item(labels="000003")]
    if new_votes:
        voting.vote(0, 3, 0, "no")
    run(make_job, ledger, sync, aggregate, aggregate)
    assert sync_verifications(planner) == []
    assert newest_labels(datasets) == ("000004" if new_votes else "000003")
    assert [row["clip_id"] for row in rows(datasets)] == sorted(voting.clips[: 4 if new_votes else 3])


def test_what_was_learnt_is_learnt_again_where_it_is_lost(make_job: Any, ledger: Ledger) -> None:
    knobs = {"aggregation": Aggregation(method="dawid_skene")}
    voting, datasets = grown(make_job, ledger, **knobs)
    before = rows(datasets)
    lose(datasets, ledger, "crowd/v1/labels=000001")
    run(make_job, ledger, sync, aggregate, **knobs)
    assert (newest(datasets, CROWD), rows(datasets)) == (None, before)
    voting.vote(0, 3, 0, "no")
    run(make_job, ledger, sync, aggregate, **knobs)
    assert newest(datasets, CROWD) == newest(datasets, LABELS) == "000004"


def test_a_method_that_learns_waits_for_the_next_batch(make_job: Any, ledger: Ledger) -> None:
    _, datasets = grown(make_job, ledger)
    before = rows(datasets)
    run(make_job, ledger, sync, aggregate, aggregation=Aggregation(method="dawid_skene"))
    assert rows(datasets) == before


def test_a_version_that_exists_does_not_take_note_of_later_withdrawals(make_job: Any, ledger: Ledger) -> None:
    voting = Voting(ledger=ledger, clips=begin(make_job, ledger))
    for clip in range(CLIPS):
        voting.vote(0, clip, 0, "yes")
    run(make_job, ledger, sync, aggregate)
    withdraw(ledger, voting.clips[3])
    run(make_job, ledger, aggregate)
    datasets = make_job("aggregate").datasets
    assert len(rows(datasets)) == CLIPS
    voting.vote(1, 0, 0, "yes")
    run(make_job, ledger, sync, aggregate)
    assert len(rows(datasets)) == CLIPS - 1
    assert [
        row["clip_id"] for row in datasets.read(LABEL_CHANGES, labels="000002").to_pylist() if row["withdrawn"]
    ] == [voting.clips[3]]
    voting.vote(1, 1, 0, "yes")
    run(make_job, ledger, sync, aggregate)
    assert datasets.need(LABEL_CHANGES, labels="000003").rows == 1
    # What is withdrawn while a version is made waits for the next one.
    withdraw(ledger, voting.clips[4])
    ledger.run("tombstones_labelled", labels="000003", videos=["withdrawn before"])
    assert [row["video_id"] for row in ledger.rows("unlabelled_tombstones")] == [voting.clips[4].partition(":")[0]]


@pytest.mark.parametrize("method", ["dawid_skene", "with_committee"])
def test_a_model_decides_under_what_it_learnt_until_it_learns_again(
    make_job: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(versions, "MOST_CHANGES", 1)
    knobs = {"aggregation": Aggregation(method=method)}
    voting = Voting(ledger=ledger, clips=begin(make_job, ledger))
    datasets = make_job("aggregate").datasets
    for person, answers in enumerate(["yyynnn", "yynnnn"]):
        for clip, answer in enumerate(answers):
            voting.vote(person, clip, 0, {"y": "yes", "n": "no"}[answer])
    run(make_job, ledger, sync, aggregate, **knobs)
    first = rows(datasets)
    for clip in range(CLIPS):
        voting.vote(2, clip, clip % 2, "yes")
    run(make_job, ledger, sync, aggregate, **knobs)
    assert [keys["labels"] for keys in datasets.partitions(CROWD)] == ["000001"]
    # Clip 1 has no new vote on a jump, so what the newcomer is like does not bear on it yet.
    assert rows(datasets)[1] == first[1]
    assert rows(datasets)[0]["yes"] == 3
    voting.vote(3, 0, 0, "yes")
    run(make_job, ledger, sync, aggregate, **knobs)
    learnt = rows(datasets)
    assert newest(datasets, LABELS) == newest(datasets, CROWD) == "000003"
    run(make_job, ledger, aggregate, remake=True, **knobs)
    assert rows(datasets) == learnt


def test_sync_lists_no_batches_and_passes_over_those_that_the_store_alone_holds(make_job: Any, ledger: Ledger) -> None:
    voting = Voting(ledger=ledger, clips=begin(make_job, ledger))
    voting.vote(0, 0, 0, "yes")
    voting.vote(0, 1, 0, "yes")
    run(make_job, ledger, sync)
    with ledger._connection.cursor() as cursor:
        cursor.execute("TRUNCATE batches, batch_votes, batch_rulings")  # as after a restore
        cursor.execute("INSERT INTO outbox SELECT vote_id FROM votes WHERE clip_id = %s", (voting.clips[1],))
    run(make_job, ledger, sync)
    assert ledger.one("last_batch")["batch"] == 2  # type: ignore[index]
    assert ledger.rows("unstored_batches") == []
