"""A ledger that was lost gets every vote back that the store holds, in whatever order votes were given and written."""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from collected_garbage import collect
from review_work import ROUND, TWICE, cast, collected, lease, prepare, publish_and_answer, states

from slac_tasks.errors import BrokenContract
from slac_tasks.forgetting import forget
from slac_tasks.reconcile import repair
from slac_tasks.restoring import corrected_last
from slac_tasks.stages import aggregate, publish, sync
from slac_tasks.storage.datasets import HARD_CLIPS, VIDEOS, VOTES
from slac_tasks.storage.datasets.labelling import VoteRow
from slac_tasks.storage.datasets.scoring import HardClipRow
from slac_tasks.storage.declarations import Dataset
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Manifest
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.settings import Review


def lost(ledger: Ledger) -> None:
    """Lose everything that is about votes, and the queue."""
    with ledger._connection.cursor() as cursor:
        cursor.execute("TRUNCATE queue, batches, category_counts, category_count_changes CASCADE")


def standing(ledger: Ledger) -> dict[tuple[str, str], str]:
    """Return the answer of each person to each clip that nothing supersedes."""
    with ledger._connection.cursor() as cursor:
        cursor.execute(
            "SELECT clip_id, annotator, answer FROM votes AS v JOIN batch_votes USING (vote_id)"
            " WHERE NOT EXISTS (SELECT FROM votes AS n WHERE n.supersedes = v.vote_id)"
        )
        return {(clip, person): answer for clip, person, answer in cursor.fetchall()}


def test_a_vote_stands_after_the_one_that_it_corrects_and_else_after_those_before_it() -> None:
    def vote(vote_id: str, supersedes: str | None, second: int) -> VoteRow:
        return VoteRow(
            vote_id=vote_id, clip_id="v:0", category="judo", annotator="ann", answer="yes", seconds=1.0, round="r",
            guideline_version=1, cast_at=datetime(2026, 1, 5, second=second, tzinfo=UTC), supersedes=supersedes,
        )  # fmt: skip

    first, again, last = vote("a", None, 3), vote("b", "a", 3), vote("c", "b", 3)
    alone = vote("d", "of another batch", 1)
    assert corrected_last([last, again, first, alone]) == [alone, first, again, last]


def test_corrections_come_back_whatever_stands_before_them(make_job: Any, ledger: Ledger) -> None:
    clips = publish_and_answer(make_job, ledger, {"ann": "yes", "cid": "yes"})
    sync.run(make_job("sync"))
    lease(ledger, "bob")
    for clip in clips:
        # Answers that a browser kept while there was no connection come in one transaction, and so at one moment.
        first, second = str(uuid.uuid4()), str(uuid.uuid4())
        with ledger.transaction():
            cast(ledger, "bob", clip, "unsure", vote_id=first)
            cast(ledger, "bob", clip, "yes", vote_id=second, supersedes=first)
            cast(ledger, "bob", clip, "no", supersedes=second)
    for clip in clips[:3]:
        (of_ann,) = [
            row["vote_id"] for row in collected(make_job) if (row["clip_id"], row["annotator"]) == (clip, "ann")
        ]
        cast(ledger, "ann", clip, "no", supersedes=of_ann)
    for stage in (sync, aggregate):
        stage.run(make_job(stage.__name__.rpartition(".")[2]))
    datasets = make_job("sync").datasets
    # The first batch is written again, after the one that corrects some of its votes.
    forget(datasets, ledger, "cid")
    before, counted = standing(ledger), states(ledger)
    assert len(before) == 36
    lost(ledger)
    for _ in range(2):
        lines = list(repair(datasets, ledger, Review()))
        assert standing(ledger) == before
        assert states(ledger) == counted
        assert "votes in the store and in the ledger: 63" in lines


def write_again(datasets: Datasets, dataset: Dataset[Any], rows: Iterable[Any]) -> Manifest:
    """Write the next generation of the only partition of a dataset."""
    (keys,) = datasets.partitions(dataset)
    return datasets.write(dataset, [dataset.table(rows)], keys=keys, stage="test", settings={}, made_from={})


def mined_again(datasets: Datasets, without: str) -> tuple[Manifest, list[HardClipRow]]:
    """Mine the only round again, without one clip; return its first generation, and the rows of the second."""
    (keys,) = datasets.partitions(HARD_CLIPS)
    old = datasets.need(HARD_CLIPS, **keys)
    rows = [row for row in datasets.rows_of(HARD_CLIPS, old) if row.clip_id != without]
    write_again(datasets, HARD_CLIPS, rows)
    return old, rows


def asked(ledger: Ledger) -> dict[str, tuple[str, str]]:
    """Return round and state of every clip in the queue."""
    return {
        row["clip_id"]: (row["round"], row["state"]) for row in sql(ledger, "SELECT clip_id, round, state FROM queue")
    }


def sql(ledger: Ledger, statement: str) -> list[dict[str, Any]]:
    """Run a statement that no command has; return its rows."""
    with ledger._connection.cursor() as cursor:
        cursor.execute(statement)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()] if names else []


@pytest.mark.parametrize("dump", [False, True])
def test_what_a_later_round_withdrew_or_brought_back_is_as_it_was(make_job: Any, ledger: Ledger, dump: bool) -> None:
    datasets = make_job("publish").datasets
    clips = prepare(ledger, datasets)
    chosen = datasets.read(HARD_CLIPS, category="high_jump", round=ROUND)
    answered = []

    def go_around(round: str, own: list[int]) -> None:
        """Publish the clips of a round; somebody answers one that is open, of whichever round."""
        keys = {"category": "high_jump", "round": round}
        datasets.write(HARD_CLIPS, [chosen.take(own)], keys=keys, stage="test", settings={}, made_from={})
        publish.run(make_job("publish", categories=("high_jump",), round=round, settings={"review": TWICE}))
        (clip,) = lease(ledger, "ann", most=1)
        cast(ledger, "ann", clip["clip_id"], "yes")
        answered.append(clips.index(clip["clip_id"]))

    go_around(ROUND, [0, 1, 2, 3, 4])
    sql(ledger, "CREATE TABLE dumped AS SELECT * FROM queue")
    # Names have no order. What the second round withdraws the third brings back, and the fourth withdraws it again.
    go_around("2026-01-05.p0009", [5, 6])
    go_around("2026-01-05.p0004", [7, *(clip for clip in range(5) if clip not in answered)])
    go_around("2026-01-05.p0008", [8])
    sync.run(make_job("sync"))
    want = asked(ledger)
    assert {state for _, state in want.values()} == {"open", "withdrawn"}
    lost(ledger)
    if dump:
        sql(ledger, "INSERT INTO queue SELECT * FROM dumped")
        sql(ledger, "UPDATE queue SET taken = 0")  # its votes come from the store too
    for _ in range(2):
        list(repair(datasets, ledger, TWICE))
        assert asked(ledger) == want


def test_votes_on_a_clip_that_no_round_holds_any_more_are_said_and_hold_up_no_other(
    make_job: Any, ledger: Ledger
) -> None:
    clips = publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "no"})
    sync.run(make_job("sync"))
    datasets = make_job("sync").datasets
    old, rows = mined_again(datasets, clips[0])
    mined = write_again(datasets, HARD_CLIPS, [*rows, replace(rows[0], clip_id="unanswered:0")])
    write_again(datasets, HARD_CLIPS, rows)
    before = standing(ledger)
    # The round was mined again, and what it held before is no garbage: nothing is lost.
    collect(datasets, ledger)
    lost(ledger)
    list(repair(datasets, ledger, Review()))
    assert standing(ledger) == before
    assert states(ledger)["queued"] == 12, "nobody is asked about what the round holds no more and nobody answered"
    # Somebody has deleted them by hand, of one all but its manifest.
    for one in (old, mined):
        for name in list(datasets.store.names(f"{one.address}/g{one.generation:04d}/")):
            if one is old or name.endswith(".parquet"):
                datasets.store.delete(name)
    lost(ledger)
    lines = list(repair(datasets, ledger, Review()))
    assert standing(ledger) == {pair: answer for pair, answer in before.items() if pair[0] != clips[0]}
    assert any("2 votes on clips that no round in the store holds" in line for line in lines)


def test_votes_on_a_clip_whose_video_no_window_admits_any_more_hold_up_no_other(make_job: Any, ledger: Ledger) -> None:
    clips = publish_and_answer(make_job, ledger, {"ann": "yes"})
    sync.run(make_job("sync"))
    datasets = make_job("sync").datasets
    mined_again(datasets, clips[0])
    (keys,) = datasets.partitions(VIDEOS)
    write_again(datasets, VIDEOS, datasets.rows(VIDEOS, **keys)[1:])
    lost(ledger)
    with ledger._connection.cursor() as cursor:
        cursor.execute("TRUNCATE videos CASCADE")
    lines = list(repair(datasets, ledger, Review()))
    assert standing(ledger) == {(clip, "ann"): "yes" for clip in clips[1:]}
    assert any("1 vote on clips that no round in the store holds" in line for line in lines)


def test_a_batch_that_the_ledger_cannot_hold_is_named_and_holds_up_no_other(make_job: Any, ledger: Ledger) -> None:
    publish_and_answer(make_job, ledger, {"ann": "yes"})
    sync.run(make_job("sync"))
    datasets = make_job("sync").datasets
    rows = [replace(row, vote_id=str(uuid.uuid4()), answer="maybe") for row in datasets.rows(VOTES, batch="000001")]
    # It comes before the other one.
    datasets.write(VOTES, [VOTES.table(rows)], keys={"batch": "000000"}, stage="test", settings={}, made_from={})
    before = standing(ledger)
    lost(ledger)
    said: list[str] = []
    with pytest.raises(BrokenContract, match="1 partition not put back"):
        said.extend(repair(datasets, ledger, Review()))
    assert said[-1].startswith("votes/v2/batch=000000 was not put back: ")
    assert standing(ledger) == before


def test_a_correction_waits_for_what_it_corrects_and_holds_up_no_other_vote(make_job: Any, ledger: Ledger) -> None:
    clips = publish_and_answer(make_job, ledger, {"ann": "yes"})
    sync.run(make_job("sync"))
    lease(ledger, "bob")
    for clip in clips:
        cast(ledger, "bob", clip, "no")
    (of_ann,) = [row["vote_id"] for row in collected(make_job) if row["clip_id"] == clips[0]]
    twice = cast(ledger, "ann", clips[0], "no", supersedes=of_ann)
    cast(ledger, "ann", clips[0], "unsure", supersedes=twice)
    sync.run(make_job("sync"))
    datasets = make_job("sync").datasets
    before, of_bob = standing(ledger), {(clip, "bob"): "no" for clip in clips}
    (first,) = [name for name in datasets.store.names(VOTES.address({"batch": "000001"})) if name.endswith(".parquet")]
    part = datasets.store.get(first)
    datasets.store.put(first, b"other bytes")
    lost(ledger)
    said: list[str] = []
    with pytest.raises(BrokenContract, match="1 partition not put back"):
        said.extend(repair(datasets, ledger, Review()))
    assert any("2 votes correcting one that was not put back" in line for line in said)
    assert not any("no round in the store" in line for line in said)
    assert standing(ledger) == of_bob
    # The bytes were found in a backup.
    datasets.store.put(first, part)
    list(repair(datasets, ledger, Review()))
    assert standing(ledger) == before
