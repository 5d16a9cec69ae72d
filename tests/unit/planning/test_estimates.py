"""What a plan will take, from what the ledger and the rates of earlier runs know; what they do not know is said."""

import json
from dataclasses import replace

import pytest
from platform_records import WEEKS, Platform, write

from slac_tasks.commands import plan as command
from slac_tasks.errors import WrongArguments
from slac_tasks.networks.rates import Run, Work, write_run
from slac_tasks.networks.settings import Committee, Scoring
from slac_tasks.planning import estimates
from slac_tasks.planning.estimates import estimate
from slac_tasks.planning.items import Item
from slac_tasks.planning.past import add_category, score_again
from slac_tasks.planning.plans import score_clips
from slac_tasks.storage.datasets import CLIPS, COMMITTEES, FETCHED, SCORES, VIDEOS
from slac_tasks.storage.datasets.collecting import FetchedRow
from slac_tasks.storage.datasets.scoring import CommitteeRow
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.records import Record, record
from slac_tasks.storage.tables import Datasets

MEMBERS = ("member 0", "member 1")
"""As `Platform` names them; each is an r2plus1d_18 of one backbone."""


@pytest.fixture
def platform(store: FolderStore, ledger: Ledger) -> Platform:
    found = Platform(store=store, ledger=ledger, fields={"committee": Committee(members=MEMBERS)})
    found.register("archery", "judo", "polo")
    return found


def measured(
    platform: Platform, *networks: str, device: str = "a card", clips: int = 1000, clip_bytes: int | None = 2000
) -> None:
    run = Run(
        device=device, clips=clips, seconds=10.0, startup_sec=5.0, size_bytes=clip_bytes and clips * clip_bytes,
        measured_at="2026-11-27T10:00:00.000+00:00",
    )  # fmt: skip
    write_run(platform.store, Work(networks=networks, scoring=Scoring()), run)


def to_score(platform: Platform) -> list[str]:
    planner = platform.planner()
    return estimate(planner, "score_clips", score_clips(planner))


def test_clips_bytes_and_seconds_of_every_device_that_did_such_work(platform: Platform) -> None:
    platform.seat({"judo": ["w0", "w1"], "polo": ["w2", "w3"]})
    for category in ("judo", "polo"):
        platform.record(VIDEOS, rows=4, category=category, window=WEEKS[0])
        platform.record(CLIPS, rows=300, category=category, window=WEEKS[0])
    measured(platform, "r2plus1d_18")
    measured(platform, "r2plus1d_18", device="another card", clips=500, clip_bytes=None)
    assert to_score(platform) == [
        "about 600 clips to score with r2plus1d_18; about 1.2 MB of renditions",
        "about 11 s on a card, 5 s of it to start; measured: 100 clips/s over 1,000 clips of 1 run, last on 2026-11-27",
        "about 17 s on another card, 5 s of it to start; measured: 50 clips/s over 500 clips of 1 run, "
        "last on 2026-11-27",
        "people: 1.5 h at most, by `mining.minutes_per_round` (45) for each",
    ]


def test_videos_of_which_no_clip_was_cut_take_nothing(platform: Platform) -> None:
    platform.seat({"judo": ["w0", "w1"]})
    platform.record(VIDEOS, rows=4, category="judo", window=WEEKS[0])
    platform.record(CLIPS, rows=0, category="judo", window=WEEKS[0])
    assert to_score(platform) == ["people: 0 s at most, by `mining.minutes_per_round` (45) for each"]


def test_what_is_not_known_is_said(platform: Platform) -> None:
    platform.seat({"judo": ["w0", "w1"]})
    platform.record(VIDEOS, rows=4, category="judo", window=WEEKS[0])
    assert to_score(platform)[0] == "1 (category, window) with an unknown number of clips: none was cut yet"
    platform.record(VIDEOS, rows=2, category="judo", window=WEEKS[1])
    platform.record(CLIPS, rows=40, category="judo", window=WEEKS[1])
    measured(platform, "r2plus1d_18", "r2plus1d_18")
    assert to_score(platform)[:2] == [
        "about 120 clips to score with r2plus1d_18; renditions of unknown size",
        "unknown time: no device has run r2plus1d_18 yet; the first run of `slac score` measures it",
    ]


def test_what_is_expected_of_a_video_is_computed_once_however_much_is_planned(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.seat({category: ["w0"] for category in ("archery", "judo", "polo")})
    for category in ("archery", "judo", "polo"):
        platform.record(VIDEOS, rows=4, category=category, window=WEEKS[0])
    platform.record(VIDEOS, rows=4, category="judo", window=WEEKS[1])
    platform.record(CLIPS, rows=40, category="judo", window=WEEKS[1])
    whole, asked = estimates.mean, []
    monkeypatch.setattr(estimates, "mean", lambda values: asked.append(values) or whole(values))
    assert to_score(platform)[0].startswith("about 160 clips to score")
    assert len(asked) == 1


def test_scores_that_stand_are_not_counted_and_members_that_join_are(platform: Platform) -> None:
    platform.seat({"judo": ["w0", "w1"]})
    platform.record(VIDEOS, rows=4, category="judo", window=WEEKS[0])
    platform.record(CLIPS, rows=300, category="judo", window=WEEKS[0])
    for weights in ("w0", "w1"):
        platform.record(SCORES, rows=300, category="judo", window=WEEKS[0], weights=weights)
    assert to_score(platform) == ["nothing: everything is finished"]
    platform.fields["committee"] = Committee(members=(*MEMBERS, "mc3_18"))
    platform.admit("judo", WEEKS[0], split="training")
    assert to_score(platform)[0] == "about 300 clips to score with mc3_18; renditions of unknown size"


def fetched(platform: Platform, category: str, window: str, sizes: list[int]) -> None:
    rows = [
        FetchedRow(
            candidate_id=f"{window}{place}", source="s", source_id=str(place), duration_sec=10.0, fps=24.0,
            proxy_256="p", proxy_128="p", proxy_sha256="0", shots=(), video_id=f"v{place}", media_sha256="0",
            size_bytes=size, codec="h264", width=640, height=480, frame_hashes=(),
        )
        for place, size in enumerate(sizes)
    ]  # fmt: skip
    made = Datasets(platform.store).write(
        FETCHED, [FETCHED.table(rows)], keys={"category": category, "window": window}, stage="fetch", settings={},
        made_from={},
    )  # fmt: skip
    record(platform.ledger, [Record.of(made)])


def test_a_backfill_is_expected_to_be_as_what_was_collected(platform: Platform) -> None:
    platform.seat({"judo": ["w0", "w1"]})
    for window, videos in zip(WEEKS, (2, 4, 0), strict=True):
        fetched(platform, "judo", window, [1_000_000, 3_000_000][: videos or 0])
        platform.record(VIDEOS, rows=videos, category="judo", window=window)
        platform.record(CLIPS, rows=50 * videos, category="judo", window=window)
    planner = platform.planner(only=("archery", "polo"))
    said = estimate(planner, "add_category", add_category(planner))
    assert said[:2] == [
        "6 (category, window); about 12 videos; about 24 MB to download",
        "about 600 clips to score with member 0 + member 1; renditions of unknown size",
    ]


def test_the_size_of_a_video_is_that_of_the_newest_partitions_that_hold_any(platform: Platform) -> None:
    weeks = sorted(platform.weeks(20))
    for number, window in enumerate(reversed(weeks)):
        # Of the newest to the oldest: eight empty ones, eight of 2 MB, and four of an age of larger files.
        fetched(platform, "judo", window, [] if number < 8 else [2_000_000] if number < 16 else [9_000_000])
        platform.record(VIDEOS, rows=1, category="judo", window=window)
    planner = platform.planner(only=("polo",))
    said = estimate(planner, "add_category", add_category(planner))
    assert said[0] == "20 (category, window); about 20 videos; about 40 MB to download"


def cut_again(platform: Platform, *behind: str) -> None:
    """Cut the clips of judo again; scores of these weights are of the clips before."""
    keys = {"category": "judo", "window": WEEKS[0]}
    platform.record(VIDEOS, rows=4, **keys)
    clips = platform.record(CLIPS, rows=300, **keys)
    made_from = {clips.address: f"g0001:{clips.manifest_sha256}"}
    platform.record_all(SCORES, [{**keys, "weights": one} for one in behind], made_from=made_from)
    platform.record_all(CLIPS, [keys], generation=2, row_count=400, contents="other clips")


def test_scores_of_clips_that_were_cut_again_stand_no_more(platform: Platform) -> None:
    platform.seat({"judo": ["w0", "w1"]})
    cut_again(platform, "w0", "w1")
    assert to_score(platform)[0].startswith("about 400 clips to score with r2plus1d_18")


def test_those_of_another_committee_do_not_either(platform: Platform) -> None:
    platform.seat({"judo": ["w0", "w1"]})
    another = platform.committee
    platform.seat({"judo": ["w2", "w3"]})
    cut_again(platform, "w0", "w1")
    planner = platform.planner(score_with=another)
    said = estimate(planner, "score_again", score_again(planner))
    assert said[0].startswith("about 400 clips to score with r2plus1d_18")


def test_a_member_that_has_scored_the_clips_of_now_is_not_counted(platform: Platform) -> None:
    seats = [("r2plus1d_18", "w0"), ("mc3_18", "w1")]
    rows = [
        CommitteeRow(
            member=f"member {place}", architecture=architecture, category="judo", backbone=architecture, head="h",
            output=0, weights=weights, origin="bootstrap:2026-01-05",
        )
        for place, (architecture, weights) in enumerate(seats)
    ]  # fmt: skip
    write(platform.store, dataset=COMMITTEES, keys={"committee": "c1"}, rows=rows)
    cut_again(platform, "w0")
    platform.record(SCORES, rows=400, category="judo", window=WEEKS[0], weights="w1")
    assert to_score(platform)[0].startswith("about 400 clips to score with r2plus1d_18; ")


def test_the_first_collection_is_unknown(platform: Platform) -> None:
    (said, *_) = estimate(platform.planner(window=WEEKS[0]), "collect_videos", command.PLANS["collect_videos"](
        platform.planner(window=WEEKS[0])
    ))  # fmt: skip
    assert said == (
        "3 (category, window); an unknown number of videos, nothing was collected yet; downloads of unknown size"
    )


def test_the_command_says_it_beside_its_line_of_json(
    platform: Platform, ledger_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import argparse

    monkeypatch.setenv("SLAC_STORE", platform.store.url)
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    words = ["--for=collect_videos", f"--window={WEEKS[0]}"]
    command.main(parser.parse_args([*words, "--estimate"]))
    said = capsys.readouterr()
    assert json.loads(said.out) == [{"category": ["archery", "judo", "polo"], "window": WEEKS[0]}]
    assert "plan: estimate: 3 (category, window); an unknown number of videos" in said.err
    command.main(parser.parse_args(words))
    assert "estimate" not in capsys.readouterr().err
    with pytest.raises(WrongArguments, match="--estimate for pretrain, want one of add_category, collect_videos"):
        command.main(parser.parse_args(["--for=pretrain", "--estimate"]))


def test_what_is_only_tried_again_is_not_counted_as_a_collection(platform: Platform) -> None:
    for window in WEEKS[:2]:
        fetched(platform, "judo", window, [1_000_000, 3_000_000])
        platform.record(VIDEOS, rows=2, category="judo", window=window)
    again = Item(category=("judo",), window=(WEEKS[0],))
    new = Item(category=("polo",), window=(WEEKS[0],))
    said = estimate(platform.planner(), "collect_videos", [again, new])
    assert said[:2] == [
        "1 (category, window); about 2 videos; about 4 MB to download",
        "1 (category, window) fetched before: only what was dropped or is new is fetched",
    ]
    made = replace(again, remake=(f"judo/{WEEKS[0]}",))
    assert estimate(platform.planner(), "collect_videos", [made])[0].startswith("1 (category, window); about 2 videos")
    assert estimate(platform.planner(), "collect_videos", [again])[0].startswith("1 (category, window) fetched before")
