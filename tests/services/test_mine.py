"""The stage `mine` on real datasets and a real ledger."""

from dataclasses import replace
from typing import Any

import pytest
from scored_clips import MADE, MEMBERS, WINDOW, keep_features, prepare, seat

from slac_tasks.errors import BrokenContract
from slac_tasks.mining.measures import consensus, disagreement, vote_entropy
from slac_tasks.mining.settings import Mining
from slac_tasks.model import panel_key, round_key
from slac_tasks.stages import mine
from slac_tasks.storage.datasets import ACCOUNTS, DETECTIONS, HARD_CLIPS, IMPORTED, VIDEOS
from slac_tasks.storage.datasets.labelling import AccountRow, ImportedRow
from slac_tasks.storage.datasets.segmenting import DetectionRow
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.records import Record, record
from slac_tasks.verification.settings import Review

ROUND = round_key(WINDOW, panel_key(MEMBERS))
KNOBS = Mining(clips_per_round=40, minutes_per_round=4.0, seconds_per_answer=4.0, disagreement=0.5, consensus=0.25,
               coverage=0.0, unsure_coverage=0.0, companions=0.0)  # fmt: skip
PLAIN = Review(votes_wanted=2, control_votes=2, control_lead=1, audit_share=0.0)
"""Every clip is asked twice."""


def test_a_round_costs_its_minutes_and_keeps_every_score(make_job: Any, ledger: Ledger) -> None:
    job = make_job("mine", categories=("judo",), round=ROUND, settings={"mining": KNOBS, "review": PLAIN})
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


def account(strategy: str, worth: float) -> AccountRow:
    return AccountRow(
        category="judo", strategy=strategy, seconds=60.0, labels=10, carried=0, errors=0, control=50, worth=worth,
        worth_error=0.01,
    )  # fmt: skip


def test_a_referee_gives_the_round_to_what_the_newest_accounts_say(make_job: Any, ledger: Ledger) -> None:
    fields = {"categories": ("judo",), "round": ROUND}
    job = make_job("mine", settings={"mining": replace(KNOBS, referee=True), "review": PLAIN}, **fields)
    prepare(ledger, job.datasets)
    seat(ledger, job.datasets, "judo")
    for version, best in (("000001", "disagreement"), ("000002", "consensus")):
        rows = [account(name, 5.0 * (name == best)) for name in ("lot", "disagreement", "consensus")]
        record(ledger, [Record.of(
            job.datasets.write(ACCOUNTS, [ACCOUNTS.table(rows)], keys={"labels": version}, **MADE)
        )])  # fmt: skip
    mine.run(job)
    of = [row["strategy"] for row in job.datasets.read(HARD_CLIPS, category="judo", round=ROUND).to_pylist()]
    # 30 clips: a quarter is the control's. A thirtieth of the rest goes to each strategy, what is left to the best.
    counts = [of.count(name) for name in ("random", "disagreement", "consensus", "lot")]
    assert counts == [8, 1, 20, 1]
    manifest = job.datasets.need(HARD_CLIPS, category="judo", round=ROUND)
    assert [address for address in manifest.made_from if "accounts" in address] == ["accounts/v1/labels=000002"]
    # The same round, planned once more, as after a kill.
    mine.run(
        make_job("mine", settings={"mining": replace(KNOBS, referee=True), "review": PLAIN}, remake=True, **fields)
    )
    again = job.datasets.need(HARD_CLIPS, category="judo", round=ROUND)
    assert (again.generation, again.contents) == (2, manifest.contents)


def test_without_accounts_or_a_referee_the_settings_decide(make_job: Any, ledger: Ledger) -> None:
    job = make_job("mine", categories=("judo",), round=ROUND,
                   settings={"mining": replace(KNOBS, referee=True), "review": PLAIN})  # fmt: skip
    prepare(ledger, job.datasets)
    seat(ledger, job.datasets, "judo")
    mine.run(job)
    of = [row["strategy"] for row in job.datasets.read(HARD_CLIPS, category="judo", round=ROUND).to_pylist()]
    assert [of.count(name) for name in ("random", "disagreement", "consensus")] == [8, 15, 7]


COVERING = Mining(
    clips_per_round=40,
    minutes_per_round=4.0,
    seconds_per_answer=4.0,
    disagreement=0.25,
    consensus=0.0,
    coverage=0.5,
    unsure_coverage=0.0,
    companions=0.0,
)


def test_a_round_covers_what_the_clips_show(make_job: Any, ledger: Ledger) -> None:
    job = make_job("mine", categories=("judo",), round=ROUND, settings={"mining": COVERING, "review": PLAIN})
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
    job = make_job("mine", categories=("judo",), round=ROUND, settings={"mining": COVERING, "review": PLAIN})
    prepare(ledger, job.datasets)
    seat(ledger, job.datasets, "judo")
    keep_features(job.datasets, "judo", "video", lacking=3)
    mine.run(job)
    of = job.datasets.read(HARD_CLIPS, category="judo", round=ROUND)["strategy"].to_pylist()
    assert [of.count(name) for name in ("random", "disagreement", "coverage")] == [23, 7, 0]
    said = capsys.readouterr().err
    assert "video kept no features of 3 clips" in said
    assert "frame kept no features" in said
    assert "nothing is chosen by coverage, its share is drawn at random" in said


def test_slow_people_are_asked_less(make_job: Any, ledger: Ledger) -> None:
    job = make_job("mine", categories=("judo",), round=ROUND, settings={"mining": KNOBS, "review": PLAIN})
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
             "votes_wanted": 2, "lead": 0, "audit_share": 0.05, "alike": None, "queued_at": None}  # fmt: skip
    ledger.run("queue_clip", **asked)
    ledger.run("ensure_annotator", annotator="ann")
    ledger.run(
        "cast_vote", vote_id="00000000-0000-0000-0000-000000000001", clip_id=f"{video}:0", category="judo",
        annotator="ann", answer="yes", seconds=12.0, guideline_version=1, supersedes=None, set_id=None,
    )  # fmt: skip
    mine.run(job)
    # 4 minutes at 2 answers of 12 s
    assert job.datasets.need(HARD_CLIPS, category="judo", round=ROUND).rows == 10


def test_takedowns_and_clips_without_every_score_are_left_out(make_job: Any, ledger: Ledger) -> None:
    knobs = Mining(clips_per_round=200, minutes_per_round=1000, clips_per_video=20, min_gap_sec=0.0)
    job = make_job("mine", categories=("judo",), round=ROUND, settings={"mining": knobs, "review": PLAIN})
    prepare(ledger, job.datasets, unscored=20)
    seat(ledger, job.datasets, "judo")
    with ledger._connection.cursor() as cursor:
        cursor.execute("INSERT INTO tombstones (video_id, reason) VALUES (%s, 'takedown')", (f"{3:016x}",))
    mine.run(job)
    videos = job.datasets.read(HARD_CLIPS, ["video_id"], category="judo", round=ROUND)["video_id"].to_pylist()
    assert sorted(set(videos)) == [f"{video:016x}" for video in range(9) if video != 3]
    assert len(videos) == 8 * 20


def test_a_category_that_fails_holds_up_no_other(make_job: Any, ledger: Ledger) -> None:
    job = make_job("mine", categories=("sumo", "judo"), round=ROUND, settings={"mining": KNOBS, "review": PLAIN})
    prepare(ledger, job.datasets)
    prepare(ledger, job.datasets, "sumo")
    seat(ledger, job.datasets, "judo")
    with pytest.raises(BrokenContract, match=r"no committee seats panel .* for category sumo"):
        mine.run(job)
    assert job.datasets.partitions(HARD_CLIPS) == [{"category": "judo", "round": ROUND}]


def test_imported_labels_that_all_else_contradicts_are_asked_first(make_job: Any, ledger: Ledger) -> None:
    job = make_job("mine", categories=("judo",), round=ROUND, settings={"mining": KNOBS, "review": PLAIN})
    prepare(ledger, job.datasets)
    seat(ledger, job.datasets, "judo")
    # The first shot of each video shows the action, the second does not; one label of each first shot is wrong.
    wrong = [video * 20 + 3 for video in range(10)]
    videos = [
        {"candidate_id": f"c{video}", "source": "s", "source_id": str(video), "duration_sec": 60.0, "fps": 24.0,
         "proxy_256": "p", "proxy_128": "p", "proxy_sha256": "0", "shots": [], "video_id": f"{video:016x}",
         "group_id": f"{video:016x}", "split": "training"} for video in range(10)
    ]  # fmt: skip
    keys = {"category": "judo", "window": WINDOW}
    job.datasets.write(VIDEOS, [VIDEOS.from_records(videos)], keys=keys, **MADE)
    rows = [
        ImportedRow(
            candidate_id=f"c{place // 20}", source="s", source_id=str(place // 20), category="judo",
            label=1 if (place % 20 <= 10) != (place in wrong) else -1, start_sec=place % 20 * 0.5,
            end_sec=place % 20 * 0.5 + 2, split=None, name="Judo", place=f"line {place + 2}",
        )
        for place in range(200)
    ]  # fmt: skip
    job.datasets.write(IMPORTED, [IMPORTED.table(rows)], keys={"origin": "hacs"}, **MADE)
    mine.run(job)
    found = job.datasets.read(HARD_CLIPS, category="judo", round=ROUND).to_pylist()
    asked = {int(row["video_id"], 16) * 20 + round(row["start_sec"] * 2): row["strategy"] for row in found}
    first = [place for place, strategy in asked.items() if strategy == "contradiction"]
    # Clips that the control drew are asked too.
    assert set(first) == {place for place in wrong if asked.get(place) != "random"}
    assert len(asked) == 30
    manifest = job.datasets.need(HARD_CLIPS, category="judo", round=ROUND)
    assert "imported/v2/origin=hacs" in manifest.made_from


def test_segments_of_the_newest_network_are_sets_that_are_asked_together(make_job: Any, ledger: Ledger) -> None:
    knobs = replace(KNOBS, segments=0.5)
    job = make_job("mine", categories=("judo",), round=ROUND, settings={"mining": knobs, "review": PLAIN})
    prepare(ledger, job.datasets)
    seat(ledger, job.datasets, "judo")

    def find(release: str, *rows: tuple[int, float, float, str]) -> None:
        found = [
            DetectionRow(
                video_id=f"{video:016x}", source_id=str(video), window=window, split="training", start_sec=start,
                end_sec=end, score=0.9,
            )
            for video, start, end, window in rows
        ]  # fmt: skip
        keys = {"category": "judo", "release": release}
        job.datasets.write(DETECTIONS, [DETECTIONS.table(found)], keys=keys, **MADE)

    find("r0001", (9, 0, 9, WINDOW))
    find("r0002", (2, 1, 8, WINDOW), (4, 0, 5, WINDOW), (6, 0, 9, "2026-02-02"))
    mine.run(job)
    rows = job.datasets.read(HARD_CLIPS, category="judo", round=ROUND).to_pylist()
    own = [row for row in rows if row["strategy"] == "segment"]
    assert {int(row["video_id"], 16) for row in own} == {2, 4}
    assert len({(row["video_id"], row["cluster"]) for row in own}) == 2
    assert all(row["value"] > 0 for row in own)
    assert len(rows) == 30
    assert {address for address in job.datasets.need(HARD_CLIPS, category="judo", round=ROUND).made_from} >= {
        "detections/v1/category=judo/release=r0002"
    }
