"""What is said of people reaches the datasets, the ledger and the pages; flagged answers are kept and asked again."""

from typing import Any

import numpy as np
import pytest
from review_work import cast, lease, publish_and_answer, states

from slac_tasks.model import parse_clip_id
from slac_tasks.reports import trends
from slac_tasks.stages import aggregate, report, sync, validate
from slac_tasks.storage.datasets import AGREEMENT, PEOPLE, VOTES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.verification.answers import HASTY_SEC
from slac_tasks.verification.settings import Aggregation
from slac_tasks.verification.versions import read_labels

CLIPS = 60


def answer_all(make_job: Any, ledger: Ledger) -> list[str]:
    """Ann and bob answer everything alike; the clicker takes the third place where a clip still wants one."""
    clips = publish_and_answer(make_job, ledger, {}, clips=CLIPS)
    chance = np.random.default_rng(0)
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET votes_wanted = 3")
    for person in ("ann", "bob", "click"):
        lease(ledger, person, most=CLIPS)
        for index, clip in enumerate(clips):
            said = ("yes", "no")[index % 2] if person != "click" else str(chance.choice(["yes", "no"]))
            assert cast(ledger, person, clip, said)
    return clips


def run(make_job: Any, *stages: Any, **settings: Any) -> None:
    for stage in stages:
        stage.run(make_job(stage.__name__.rpartition(".")[2], settings=settings))


def test_a_clicker_is_flagged_and_its_answers_are_kept_and_asked_again(make_job: Any, ledger: Ledger) -> None:
    clips = answer_all(make_job, ledger)
    run(make_job, sync, aggregate, validate, report)
    datasets = make_job("report").datasets
    rows = {row["annotator"]: row for row in datasets.read(PEOPLE, labels="000001").to_pylist() if not row["category"]}
    assert {name: row["flags"] for name, row in rows.items()} == {"ann": [], "bob": [], "click": ["random"]}
    assert rows["ann"]["sensitivity_low"] > rows["click"]["sensitivity_high"]
    (agreed,) = datasets.read(AGREEMENT, labels="000001").to_pylist()
    assert agreed["clips"] == CLIPS
    assert agreed["pairs"] == 3
    assert 0.1 < agreed["krippendorff"] < 0.8
    shown = ledger.rows("web_people", hasty_sec=HASTY_SEC)
    assert [row["annotator"] for row in shown] == ["click", "ann", "bob"]
    for end in ("", "_low", "_high"):
        assert shown[1][f"sensitivity{end}"] == pytest.approx(rows["ann"][f"sensitivity{end}"])
    assert [row["category"] for row in ledger.rows("web_agreement")] == ["High jump"]
    page = make_job("report").store.get("reports/v1/labels=000001/index.html").decode()
    assert "random" in page
    assert "Krippendorff" in page
    # Judged again: the same rows, once each.
    run(make_job, validate)
    assert len(ledger.rows("web_people", hasty_sec=HASTY_SEC)) == 3

    # Dora answers one clip: the next labels count without the clicker, and whoever lacks two answers is asked again.
    first = read_labels(datasets, "000001").to_pylist()
    assert {row["status"] for row in first} == {"settled"}
    with ledger._connection.cursor() as cursor:
        cursor.execute("UPDATE queue SET votes_wanted = 4, state = 'open' WHERE clip_id = %s", (clips[0],))
    lease(ledger, "dora")
    assert cast(ledger, "dora", clips[0], "yes")
    run(make_job, sync, aggregate)
    second = {row["clip_id"]: row for row in read_labels(datasets, "000002").to_pylist()}
    assert {len(row["votes"]) for row in second.values()} == {2, 3}
    assert all(row["no"] + row["yes"] == len(row["votes"]) for row in second.values())
    held = sum(datasets.read(VOTES, **keys).num_rows for keys in datasets.partitions(VOTES))
    assert held == states(ledger)["votes"] == 3 * CLIPS + 1, "nothing is deleted"


@pytest.mark.parametrize("gone", [1, CLIPS])
def test_answers_about_withdrawn_videos_say_nothing_of_people(make_job: Any, ledger: Ledger, gone: int) -> None:
    clips = answer_all(make_job, ledger)
    with ledger._connection.cursor() as cursor:
        for clip in clips[:gone]:
            video = parse_clip_id(clip)[0]
            cursor.execute("INSERT INTO tombstones VALUES (%s, 'takedown') ON CONFLICT DO NOTHING", (video,))
        cursor.execute("SELECT count(*) FROM votes AS v JOIN queue USING (clip_id) WHERE video_id NOT IN "
                       "(SELECT video_id FROM tombstones)")  # fmt: skip
        (left,) = cursor.fetchone()
    run(make_job, sync, aggregate, validate)
    rows = make_job("validate").datasets.read(PEOPLE, labels="000001").to_pylist()
    assert sum(row["answers"] for row in rows if row["category"] is None) == left
    assert left < 3 * CLIPS


@pytest.mark.parametrize("method", ["dawid_skene", "with_committee"])
def test_a_model_may_decide(make_job: Any, ledger: Ledger, method: str) -> None:
    answer_all(make_job, ledger)
    run(make_job, sync, aggregate, aggregation=Aggregation(method=method))
    rows = read_labels(make_job("aggregate").datasets, "000001").to_pylist()
    assert {row["method"] for row in rows} == {f"{method}/1"}
    assert {row["status"] for row in rows} == {"settled"}
    said = {row["clip_id"]: row["label"] for row in rows}
    assert [said[clip] for clip in sorted(said)] == [1, -1] * (CLIPS // 2)
    assert min(row["confidence"] for row in rows) > 0.75


def test_an_example_whose_answer_everybody_sees_says_nothing_of_people(make_job: Any, ledger: Ledger) -> None:
    clips = publish_and_answer(make_job, ledger, {"ann": "yes", "bob": "yes"}, clips=6)
    for purpose, clip, answer in (("gold", clips[0], "no"), ("example", clips[1], "yes")):
        known = {"answer": answer, "purpose": purpose, "person": "eve"}
        ledger.run("add_known_answer", clip_id=clip, category="high_jump", **known)
    run(make_job, sync, aggregate, validate, report)
    found = trends.read(make_job("report").store)
    assert found is not None
    assert [one.gold for one in found.paces] == [[0.0], [0.0]]
    assert {(row["gold"], row["gold_right"]) for row in ledger.rows("web_people", hasty_sec=HASTY_SEC)} == {(1, 0)}
