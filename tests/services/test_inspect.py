"""Every hand-over is judged once, on a real ledger; what is not what it promises ends the stage with 65."""

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from review_work import ROUND, publish_and_answer

from slac_tasks.errors import BrokenContract, WrongArguments
from slac_tasks.job import Job
from slac_tasks.quality.expectations import engine
from slac_tasks.reports.data_docs import Docs
from slac_tasks.stages import aggregate, inspect, sync, validate
from slac_tasks.storage.datasets import EXPECTATIONS, HARD_CLIPS, LABELS, VOTES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.records import Record, record


def judged(job: Job) -> dict[tuple[str, str], int]:
    """The judged partitions, with their generation."""
    found = job.datasets.partitions(EXPECTATIONS)
    return {(keys["judged"], keys["partition"]): job.datasets.need(EXPECTATIONS, **keys).generation for keys in found}


def answered(make_job: Any, ledger: Ledger) -> Job:
    publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"})
    sync.run(make_job("sync"))
    aggregate.run(make_job("aggregate"))
    job: Job = make_job("inspect")
    return job


def test_what_is_new_is_judged_and_what_was_judged_is_not_judged_again(
    make_job: Any, ledger: Ledger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = answered(make_job, ledger)
    publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"}, category="polo")
    sync.run(make_job("sync"))
    monkeypatch.setattr(inspect, "_AT_ONCE", 1)
    inspect.run(job)
    docs = Docs.decode(job.store.get("docs/v1/votes.json"), "votes")
    assert (docs.judged, {line.met for line in docs.lines}) == (2, {2}), "two batches, one after the other"
    before = judged(job)
    assert {dataset for dataset, _ in before} >= {"votes", "labels"}
    rows = {row.name: row for row in job.datasets.rows(EXPECTATIONS, judged="labels", partition="000001")}
    assert rows["label_follows_counts"].verdict == "met"
    assert rows["counts_of_votes"].verdict == "met", "the votes are read beside the labels"
    inspect.run(make_job("inspect"))
    assert judged(job) == before
    assert "judged 0 new hand-overs" in capsys.readouterr().err.splitlines()[-1]


def test_old_hand_overs_are_judged_again_where_they_are_named(
    make_job: Any, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    job = answered(make_job, ledger)
    inspect.run(job)
    before = judged(job)
    inspect.run(replace(make_job("inspect", judged="votes/000001"), estimate=True))
    assert "votes: 1 hand-over with 24 rows to judge" in capsys.readouterr().err
    assert judged(job) == before
    inspect.run(make_job("inspect", judged="votes/000001"))
    assert judged(job) == before | {("votes", "000001"): before["votes", "000001"] + 1}
    with pytest.raises(WrongArguments, match="there is no votes '000009'"):
        inspect.run(make_job("inspect", judged="votes/000009"))
    with pytest.raises(WrongArguments, match="nothing is expected of 'vote'"):
        inspect.run(make_job("inspect", judged="vote"))
    record(ledger, [Record.of(job.datasets.need(HARD_CLIPS, category="high_jump", round=ROUND))])
    inspect.run(replace(make_job("inspect", judged=f"hard_clips/high_jump/{ROUND}"), estimate=True))
    assert "hard_clips: 1 hand-over with 12 rows to judge" in capsys.readouterr().err


def test_the_docs_say_what_was_found_and_a_mended_hand_over_leaves_them(make_job: Any, ledger: Ledger) -> None:
    job = answered(make_job, ledger)
    rows = job.datasets.read(VOTES, batch="000001")
    place = rows.schema.get_field_index("seconds")
    late = rows.set_column(place, rows.schema.field("seconds"), pa.array([1e6] * rows.num_rows))
    make = make_job("sync", remake=True)
    for table in (late, rows):
        with make.partition(VOTES, {"batch": "000001"}) as made:
            made.write_tables([table])
        with contextlib.suppress(BrokenContract):
            inspect.run(make_job("inspect"))
        docs = Docs.decode(job.store.get("docs/v1/votes.json"), "votes")
        page = job.store.get("docs/v1/votes.html").decode()
        assert [one.partition for one in docs.failing if one.critical] == (["000001"] if table is late else [])
        assert ("seconds_in_range: An answer takes" in page) is (table is late)
    assert "votes.html" in job.store.get("docs/v1/index.html").decode()
    assert "http" not in page, "nothing is loaded from elsewhere"


def test_a_critical_failure_ends_with_65_after_all_was_judged(make_job: Any, ledger: Ledger) -> None:
    job = answered(make_job, ledger)
    rows = job.datasets.read(LABELS, labels="000001")
    place = rows.schema.get_field_index("label")
    flipped = rows.set_column(place, rows.schema.field("label"), pa.array([-1] * rows.num_rows, pa.int8()))
    job.datasets.write(LABELS, [flipped], keys={"labels": "000001"}, stage="aggregate", settings={}, made_from={})
    with pytest.raises(BrokenContract, match="labels 000001: label_follows_counts: A counted label is"):
        inspect.run(job)
    assert ("votes", "000001") in judged(job)
    assert ("labels", "000001") in judged(job)


def test_a_partition_that_was_made_again_is_judged_again(make_job: Any, ledger: Ledger) -> None:
    job = answered(make_job, ledger)
    inspect.run(job)
    make = make_job("sync", remake=True)
    rows = job.datasets.read(VOTES, batch="000001")
    with make.partition(VOTES, {"batch": "000001"}) as made:
        made.write_tables([rows])
    inspect.run(make_job("inspect"))
    assert judged(job)["votes", "000001"] == 2


def test_a_critical_failure_ends_every_inspection_until_its_partition_is_made_again(
    make_job: Any, ledger: Ledger
) -> None:
    job = answered(make_job, ledger)
    rows = job.datasets.read(VOTES, batch="000001")
    place = rows.schema.get_field_index("seconds")
    late = rows.set_column(place, rows.schema.field("seconds"), pa.array([1e6] * rows.num_rows))
    make = make_job("sync", remake=True)
    with make.partition(VOTES, {"batch": "000001"}) as made:
        made.write_tables([late])
    for _ in range(3):
        with pytest.raises(BrokenContract, match=r"1 critical expectation fails, want none: votes 000001: seconds_in"):
            inspect.run(make_job("inspect"))
        assert judged(job)["votes", "000001"] == 1, "it is not judged again"
    with make.partition(VOTES, {"batch": "000001"}) as made:
        made.write_tables([rows])
    inspect.run(make_job("inspect"))


def test_a_failure_of_superseded_labels_stands_no_more(make_job: Any, ledger: Ledger) -> None:
    job = answered(make_job, ledger)
    rows = job.datasets.read(LABELS, labels="000001")
    place = rows.schema.get_field_index("label")
    flipped = rows.set_column(place, rows.schema.field("label"), pa.array([-1] * rows.num_rows, pa.int8()))
    written: dict[str, Any] = {"stage": "aggregate", "settings": {}, "made_from": {}}
    job.datasets.write(LABELS, [flipped], keys={"labels": "000001"}, **written)
    for _ in range(2):
        with pytest.raises(BrokenContract, match="labels 000001: label_follows_counts"):
            inspect.run(make_job("inspect"))
    job.datasets.write(LABELS, [rows], keys={"labels": "000002"}, **written)
    inspect.run(make_job("inspect"))
    assert Docs.decode(job.store.get("docs/v1/labels.json"), "labels").critical == 0


def test_validate_judges_a_table_that_inspect_has_not_judged(
    make_job: Any, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    judge = engine.judge

    def counted(name: str, columns: Mapping[str, engine.Column]) -> engine.Verdicts:
        asked.append(name)
        return judge(name, columns)

    monkeypatch.setattr(engine, "judge", counted)
    job = answered(make_job, ledger)
    inspect.run(job)
    assert asked[0] == "labels", "what validate waits for comes first"
    asked.clear()
    validate.run(make_job("validate", follow=True))
    assert asked == []
    rows = job.datasets.read(LABELS, labels="000001")
    place = rows.schema.get_field_index("label")
    flipped = rows.set_column(place, rows.schema.field("label"), pa.array([-1] * rows.num_rows, pa.int8()))
    job.datasets.write(LABELS, [flipped], keys={"labels": "000001"}, stage="aggregate", settings={}, made_from={})
    for inspected in (["labels"], []):
        with pytest.raises(BrokenContract, match=r"labels 000001: 2 expectations fail: label_follows_counts"):
            validate.run(make_job("validate", follow=True))
        assert asked == inspected
        with pytest.raises(BrokenContract, match="label_follows_counts"):
            inspect.run(make_job("inspect"))
        asked.clear()
