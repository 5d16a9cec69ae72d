"""The stage `mine` on real datasets and a real ledger."""

from typing import Any

import numpy as np
import pytest

from slac_tasks.errors import BrokenContract
from slac_tasks.mining.measures import consensus, disagreement, vote_entropy
from slac_tasks.mining.settings import Mining
from slac_tasks.model import clip_id, panel_key, round_key
from slac_tasks.networks.features import LENGTH, projection
from slac_tasks.stages import mine
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, FEATURES, HARD_CLIPS, SCORES
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.tables import Datasets
from slac_tasks.verification.settings import Review

WINDOW, MEMBERS = "2026-01-05", ("frame", "motion", "video")
ROUND = round_key(WINDOW, panel_key(MEMBERS))
KNOBS = Mining(clips_per_round=40, minutes_per_round=4.0, seconds_per_answer=4.0, disagreement=0.5, consensus=0.25)
MADE: dict[str, Any] = {"stage": "test", "settings": {}, "made_from": {}}


def prepare(ledger: Ledger, datasets: Datasets, category: str = "judo", *, unscored: int = 0) -> np.ndarray:
    """Write 200 clips of 10 videos and the scores of three members; return the scores by (clip, member)."""
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO categories (category, name) VALUES (%s, %s)", (category, category))
    places = [(f"{video:016x}", step * 0.5) for video in range(10) for step in range(20)]
    clips = [
        {"clip_id": clip_id(video, start), "video_id": video, "start_sec": start, "end_sec": start + 2,
         "split": "training", "proxy_128": "p128", "proxy_256": "p256", "shot": int(start > 5), "people": None}
        for video, start in places
    ]  # fmt: skip
    datasets.write(CLIPS, [CLIPS.from_records(clips)], keys={"category": category, "window": WINDOW}, **MADE)
    rng = np.random.default_rng(0)
    scores = rng.random((len(clips), 3)).astype(np.float32)
    for column, member in enumerate(MEMBERS):
        # Each member's rows lie in an order of their own, in two parts; some may lack the last clips.
        order = rng.permutation(len(clips) - unscored if member == "video" else len(clips))
        tables = [
            SCORES.from_records(
                {"clip_id": clips[i]["clip_id"], "video_id": clips[i]["video_id"], "member": member,
                 "score": scores[i, column]}
                for i in part
            )
            for part in (order[:70].tolist(), order[70:].tolist())
        ]  # fmt: skip
        datasets.write(SCORES, tables, keys={"category": category, "window": WINDOW, "weights": member}, **MADE)
    return scores


def seat(ledger: Ledger, datasets: Datasets, *categories: str) -> None:
    rows = [
        {"member": member, "architecture": member, "category": category, "backbone": "b", "head": "h", "output": 0,
         "weights": member, "origin": f"bootstrap:{WINDOW}"}
        for category in categories for member in MEMBERS
    ]  # fmt: skip
    datasets.write(COMMITTEES, [COMMITTEES.from_records(rows)], keys={"committee": "c1"}, **MADE)
    ledger.run("add_committee", committee="c1", origin=f"bootstrap:{WINDOW}", categories=list(categories))


def test_a_round_costs_its_minutes_and_keeps_every_score(make_job: Any, ledger: Ledger) -> None:
    job = make_job("mine", categories=("judo",), round=ROUND, settings={"mining": KNOBS, "review": Review()})
    scores = prepare(ledger, job.datasets)
    seat(ledger, job.datasets, "judo")
    mine.run(job)
    rows = job.datasets.read(HARD_CLIPS, category="judo", round=ROUND).to_pylist()
    # 4 minutes at 2 answers of 4 s are 30 clips.
    assert [[row["strategy"] for row in rows].count(s) for s in ("random", "disagreement", "consensus")] == [8, 15, 7]
    for row in rows:
        place = int(row["video_id"], 16) * 20 + round(row["start_sec"] * 2)
        assert [score["score"] for score in row["scores"]] == pytest.approx(scores[place].tolist())
        assert [score["member"] for score in row["scores"]] == sorted(MEMBERS)
        one = scores[None, place].astype(float)
        assert row["disagreement"] == pytest.approx(disagreement(one)[0])
        assert row["consensus"] == pytest.approx(consensus(one)[0])
        assert row["vote_entropy"] == pytest.approx(vote_entropy(one)[0])
        assert (row["value"] is None) == (row["strategy"] == "random")
    values = [row["value"] for row in rows if row["strategy"] == "disagreement"]
    assert len(set(values)) == len(values)
    mine.run(job)
    assert job.datasets.need(HARD_CLIPS, category="judo", round=ROUND).generation == 1


COVERING = Mining(
    clips_per_round=40, minutes_per_round=4.0, seconds_per_answer=4.0, disagreement=0.25, consensus=0.0, coverage=0.5
)


def keep_features(datasets: Datasets, category: str, member: str, *, lacking: int = 0) -> None:
    """Write one member's features of the clips, in an order of its own; videos show one thing each."""
    rng = np.random.default_rng(1)
    clips = datasets.read(CLIPS, ["clip_id", "video_id"], category=category, window=WINDOW).to_pylist()
    shown = {video: rng.normal(size=LENGTH) for video in sorted({clip["video_id"] for clip in clips})}
    kept = projection(LENGTH)
    rows = [
        {**clip, "projection": kept.key,
         "features": kept.packed((shown[clip["video_id"]] + rng.normal(size=LENGTH) / 9)[None].astype(np.float32))[0]}
        for clip in clips
    ]  # fmt: skip
    some = [rows[place] for place in rng.permutation(len(rows) - lacking).tolist()]
    keys = {"category": category, "window": WINDOW, "weights": member}
    datasets.write(FEATURES, [FEATURES.from_records(some[:50]), FEATURES.from_records(some[50:])], keys=keys, **MADE)


def test_a_round_covers_what_the_clips_show(make_job: Any, ledger: Ledger) -> None:
    job = make_job("mine", categories=("judo",), round=ROUND, settings={"mining": COVERING, "review": Review()})
    prepare(ledger, job.datasets)
    seat(ledger, job.datasets, "judo")
    for member in ("motion", "video"):
        keep_features(job.datasets, "judo", member)
    mine.run(job)
    rows = job.datasets.read(HARD_CLIPS, category="judo", round=ROUND).to_pylist()
    of = [row["strategy"] for row in rows]
    assert [of.count(name) for name in ("random", "disagreement", "coverage")] == [8, 7, 15]
    covering = [row for row in rows if row["strategy"] == "coverage"]
    others = {row["video_id"] for row in rows if row["strategy"] != "coverage"}
    # Every video shows something else: first come those from which nothing was chosen.
    unseen = 10 - len(others)
    assert {row["video_id"] for row in covering[:unseen]} == {f"{video:016x}" for video in range(10)} - others
    assert [row["value"] for row in covering] == sorted((row["value"] for row in covering), reverse=True)
    manifest = job.datasets.need(HARD_CLIPS, category="judo", round=ROUND)
    assert sum(address.startswith("features/") for address in manifest.made_from) == 2


def test_without_features_the_share_of_coverage_is_drawn_at_random(
    make_job: Any, ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    job = make_job("mine", categories=("judo",), round=ROUND, settings={"mining": COVERING, "review": Review()})
    prepare(ledger, job.datasets)
    seat(ledger, job.datasets, "judo")
    keep_features(job.datasets, "judo", "video", lacking=3)
    mine.run(job)
    of = job.datasets.read(HARD_CLIPS, category="judo", round=ROUND)["strategy"].to_pylist()
    assert [of.count(name) for name in ("random", "disagreement", "coverage")] == [23, 7, 0]
    said = capsys.readouterr().err
    assert "video kept no features of 3 clips" in said
    assert "no member kept features, so nothing is chosen by coverage; its share is drawn at random" in said


def test_slow_people_are_asked_less(make_job: Any, ledger: Ledger) -> None:
    job = make_job("mine", categories=("judo",), round=ROUND, settings={"mining": KNOBS})
    prepare(ledger, job.datasets)
    seat(ledger, job.datasets, "judo")
    video = "f" * 16
    with ledger._connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO videos (video_id, media_sha256, group_id, split, frame_hashes) "
            "VALUES (%s, %s, %s, 'training', '{}')", (video, video * 4, video)
        )  # fmt: skip
    asked = {"clip_id": f"{video}:0", "category": "judo", "video_id": video, "round": "older", "start_sec": 0.0,
             "end_sec": 2.0, "split": "training", "proxy_256": "p", "strategy": "random",
             "votes_wanted": 2}  # fmt: skip
    ledger.run("queue_clip", **asked)
    ledger.run("ensure_annotator", annotator="ann")
    ledger.run(
        "cast_vote", vote_id="00000000-0000-0000-0000-000000000001", clip_id=f"{video}:0", category="judo",
        annotator="ann", answer="yes", seconds=12.0, guideline_version=1, supersedes=None,
    )  # fmt: skip
    mine.run(job)
    # 4 minutes at 2 answers of 12 s
    assert job.datasets.need(HARD_CLIPS, category="judo", round=ROUND).rows == 10


def test_takedowns_and_clips_without_every_score_are_left_out(make_job: Any, ledger: Ledger) -> None:
    knobs = Mining(clips_per_round=200, minutes_per_round=1000, clips_per_video=20, min_gap_sec=0.0)
    job = make_job("mine", categories=("judo",), round=ROUND, settings={"mining": knobs})
    prepare(ledger, job.datasets, unscored=20)
    seat(ledger, job.datasets, "judo")
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO tombstones (video_id, reason) VALUES (%s, 'takedown')", (f"{3:016x}",))
    mine.run(job)
    videos = job.datasets.read(HARD_CLIPS, ["video_id"], category="judo", round=ROUND)["video_id"].to_pylist()
    assert sorted(set(videos)) == [f"{video:016x}" for video in range(9) if video != 3]
    assert len(videos) == 8 * 20


def test_a_category_that_fails_holds_up_no_other(make_job: Any, ledger: Ledger) -> None:
    job = make_job("mine", categories=("sumo", "judo"), round=ROUND, settings={"mining": KNOBS})
    prepare(ledger, job.datasets)
    prepare(ledger, job.datasets, "sumo")
    seat(ledger, job.datasets, "judo")
    with pytest.raises(BrokenContract, match=r"no committee seats panel .* for category sumo"):
        mine.run(job)
    assert job.datasets.partitions(HARD_CLIPS) == [{"category": "judo", "round": ROUND}]
