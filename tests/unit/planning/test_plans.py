"""What each DAG is handed, from what the ledger records."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from platform_records import WEEKS, Platform, handed, write

from slac_tasks.admission.told_apart import tell_apart
from slac_tasks.collect.settings import Collect
from slac_tasks.commands import plan as command
from slac_tasks.errors import NotConfigured, WrongArguments
from slac_tasks.model import round_key
from slac_tasks.networks.settings import Committee
from slac_tasks.networks.words import FOLDER, IMAGE_TEXT, Words, decode_words
from slac_tasks.planning.items import Item
from slac_tasks.planning.notes import notes
from slac_tasks.planning.past import add_category
from slac_tasks.planning.planner import Planner
from slac_tasks.planning.plans import collect_videos, labels_due, new_labels, score_clips, send_hard_clips
from slac_tasks.quality.settings import Quality
from slac_tasks.storage.datasets import (
    CLIPS,
    COMMITTEES,
    FETCHED,
    HARD_CLIPS,
    LABELS,
    QUALITY,
    RELEASES,
    SCORES,
    VIDEOS,
)
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.manifests import Drop
from slac_tasks.storage.records import Record
from slac_tasks.storage.tables import Datasets


@pytest.fixture
def platform(store: FolderStore, ledger: Ledger) -> Platform:
    found = Platform(store=store, ledger=ledger)
    found.register("archery", "judo", "polo")
    return found


def test_categories_without_videos_of_the_window_are_collected(platform: Platform) -> None:
    platform.record(VIDEOS, category="judo", window=WEEKS[0])
    platform.record(VIDEOS, category="polo", window=WEEKS[1])
    assert handed(collect_videos(platform.planner(window=WEEKS[0]))) == [((WEEKS[0],), ("archery", "polo"))]
    assert handed(collect_videos(platform.planner(window=WEEKS[0], only=("judo",)))) == []


def test_a_window_that_has_not_ended_is_refused(platform: Platform) -> None:
    with pytest.raises(WrongArguments, match="ends 2026-01-12, want one that has ended"):
        collect_videos(platform.planner(window=WEEKS[0], now=datetime(2026, 1, 8, tzinfo=UTC)))


def test_what_no_reader_accepts_any_more_is_named_before_it_is_made_again(platform: Platform) -> None:
    assert FETCHED.readable == (3, 2)
    platform.record(replace(FETCHED, version=1), category="judo", window=WEEKS[0])
    platform.record(replace(FETCHED, version=1), category="polo", window=WEEKS[0])
    platform.record(FETCHED, category="polo", window=WEEKS[0])
    with pytest.raises(NotConfigured, match=r"knows 1 partition of fetched/v1, which .* would make again; upgrade by"):
        collect_videos(platform.planner(window=WEEKS[0]))
    platform.record(replace(FETCHED, version=2), category="judo", window=WEEKS[0])
    assert handed(collect_videos(platform.planner(window=WEEKS[0]))) == [((WEEKS[0],), ("archery", "judo", "polo"))]


NOW = datetime(2026, 2, 16, tzinfo=UTC)
NEWEST = "2026-02-09"


def fetched(platform: Platform, category: str, window: str, **changes: Any) -> Record:
    """Record a fetched partition with a drop that a later try may get, and its videos."""
    settings = platform.settings.digest(("collect",))
    changes = {"retryable": 1, "settings": settings, "written_at": NOW - timedelta(days=8), **changes}
    keys = {"category": category, "window": window}
    (found,) = platform.record_all(FETCHED, [keys], **changes)
    platform.record_all(VIDEOS, [keys], made_from={found.address: mark(found)})
    return found


def mark(record: Record) -> str:
    return f"g{record.generation:04d}:{record.manifest_sha256}"


def again(planner: Planner) -> dict[tuple[str, str], Item]:
    """Return what is planned for the categories that have their videos of the newest window."""
    return {
        (category, window): item
        for item in collect_videos(planner)
        for category in item.category
        for window in item.window
        if window != NEWEST
    }


def test_a_drop_that_a_later_try_may_get_is_tried_again_after_a_week(platform: Platform) -> None:
    fetched(platform, "judo", WEEKS[0])
    fetched(platform, "polo", WEEKS[1], written_at=NOW - timedelta(days=6))
    fetched(platform, "archery", WEEKS[0], retryable=0)
    found = again(platform.planner(window=NEWEST, now=NOW))
    assert set(found) == {("judo", WEEKS[0])}
    # The moment is frozen in the argv: a second try of the same task finds a newer generation.
    assert found["judo", WEEKS[0]].retry == (NOW - timedelta(days=7)).isoformat()
    assert found["judo", WEEKS[0]].remake == ()


def test_a_drop_is_tried_so_often_and_then_given_up_aloud(platform: Platform) -> None:
    for generation in (1, 2, 3):
        fetched(platform, "judo", WEEKS[0], generation=generation)
        assert set(again(platform.planner(window=NEWEST, now=NOW))) == {("judo", WEEKS[0])}
    assert not any("given up" in line for line in notes(platform.planner(window=NEWEST, now=NOW), "collect_videos"))
    fetched(platform, "judo", WEEKS[0], generation=4)
    assert again(platform.planner(window=NEWEST, now=NOW)) == {}
    said = notes(platform.planner(window=NEWEST, now=NOW), "collect_videos")
    assert "1 drop in 1 (category, window), tried 4 times and given up" in said[0]
    by_hand = collect_videos(platform.planner(window=WEEKS[0], now=NOW, retry_drops=True, only=("judo",)))
    assert [(item.category, item.retry) for item in by_hand] == [(("judo",), NOW.isoformat())]


def test_only_the_run_of_the_newest_window_takes_up_past_ones(platform: Platform) -> None:
    fetched(platform, "judo", WEEKS[0])
    assert again(platform.planner(window=WEEKS[1], now=NOW, only=("judo",))).keys() == {("judo", WEEKS[1])}
    assert again(platform.planner(window=WEEKS[0], now=NOW, only=("judo",))).keys() == {("judo", WEEKS[0])}


def test_what_others_lack_is_left_alone_by_a_plan_of_one_category_and_what_a_retired_one_lacks_by_all(
    platform: Platform,
) -> None:
    for category in ("judo", "polo"):
        fetched(platform, category, WEEKS[0])
    assert again(platform.planner(window=NEWEST, now=NOW)).keys() == {("judo", WEEKS[0]), ("polo", WEEKS[0])}
    assert again(platform.planner(window=NEWEST, now=NOW, only=("judo",))).keys() == {("judo", WEEKS[0])}
    platform.ledger.run("retire_category", category="polo", person="ada", reason="too few videos")
    assert again(platform.planner(window=NEWEST, now=NOW)).keys() == {("judo", WEEKS[0])}


def test_nothing_is_tried_again_under_settings_that_would_fetch_everything(platform: Platform) -> None:
    fetched(platform, "judo", WEEKS[0])
    platform.fields["collect"] = Collect(sources=("new",))
    assert set(again(platform.planner(window=NEWEST, now=NOW))) == {("judo", WEEKS[0])}
    platform.fields["collect"] = Collect(max_pixels=100)
    assert again(platform.planner(window=NEWEST, now=NOW)) == {}


def test_what_was_made_from_an_input_that_holds_other_rows_now_is_made_again(platform: Platform) -> None:
    made = fetched(platform, "judo", WEEKS[0], retryable=0)
    fetched(platform, "polo", WEEKS[0], retryable=0)
    platform.record_all(FETCHED, [made.keys], generation=2, contents="rows", settings=made.settings)
    assert again(platform.planner(window=NEWEST, now=NOW)) == {}
    platform.record_all(FETCHED, [made.keys], generation=3, contents="more rows", settings=made.settings)
    found = again(platform.planner(window=NEWEST, now=NOW))
    assert found == {("judo", WEEKS[0]): Item(category=("judo",), window=(WEEKS[0],))}
    assert ("judo", WEEKS[0]) not in again(platform.planner(window=WEEKS[1], now=NOW))


def test_look_alikes_that_a_person_told_apart_are_admitted_by_the_next_plan(platform: Platform) -> None:
    fetched(platform, "judo", WEEKS[0], retryable=0)
    pair = {"candidate_id": "c", "video_id": "b", "other_id": "a", "evidence": "", "source": "s", "source_id": "b"}
    keys = {"category": "judo", "window": WEEKS[0]}
    platform.ledger.run("add_duplicate", **pair, **keys, proxy_256="p")
    assert again(platform.planner(window=NEWEST, now=NOW)) == {}
    assert tell_apart(platform.ledger, "a", "b", person="mara", reason="two people")
    found = again(platform.planner(window=NEWEST, now=NOW))
    assert found == {("judo", WEEKS[0]): Item(category=("judo",), window=(WEEKS[0],))}
    assert ("judo", WEEKS[0]) not in again(platform.planner(window=WEEKS[1], now=NOW))


def test_other_settings_are_counted_aloud_and_made_again_by_hand_alone(platform: Platform) -> None:
    for category in ("judo", "polo", "archery"):
        fetched(platform, category, WEEKS[0], retryable=0)
    fetched(platform, "judo", WEEKS[1], retryable=0)
    older = {**platform.settings.digest(("collect",))["collect"], "sources": [], "max_pixels": 7}
    fetched(platform, "judo", WEEKS[0], generation=2, retryable=0, settings={"collect": older})
    for category in ("polo", "archery"):
        fetched(platform, category, WEEKS[1], generation=2, retryable=0, settings={"collect": older})
    planner = platform.planner(window=WEEKS[0], now=NOW)
    assert collect_videos(planner) == []
    assert notes(planner, "collect_videos") == [
        "3 (category, window) are stale, fetched or admitted with other settings; 1 of them in 2026-01-05, which "
        "--stale makes again"
    ]
    (item,) = collect_videos(platform.planner(window=WEEKS[0], now=NOW, stale=True))
    assert (item.category, item.remake) == (("judo",), ("judo/2026-01-05",))
    fetched(platform, "polo", WEEKS[0], generation=2, retryable=0, settings={"collect": older})
    platform.fields["batch_categories"] = 1
    tasks = collect_videos(platform.planner(window=WEEKS[0], now=NOW, stale=True))
    assert [(item.category, item.remake) for item in tasks] == [
        (("judo",), ("judo/2026-01-05",)), (("polo",), ("polo/2026-01-05",))
    ], "each makes its own again"  # fmt: skip


def test_windows_that_new_sources_were_not_searched_for_are_counted_aloud(platform: Platform) -> None:
    fetched(platform, "judo", WEEKS[0], retryable=0)
    platform.fields["collect"] = Collect(sources=("new",))
    said = notes(platform.planner(window=WEEKS[0], now=NOW), "collect_videos")
    assert "1 (category, window) were collected when `collect.sources` was another list" in said[-1]


def test_two_hundred_categories_and_a_hundred_windows_are_handed_on_whole(platform: Platform) -> None:
    categories = [f"c{number:03d}" for number in range(200)]
    platform.register(*categories)
    windows = platform.weeks(100)
    platform.record_all(VIDEOS, [{"category": "judo", "window": window} for window in windows])
    items = add_category(platform.planner(only=tuple(categories)))
    assert len(items) <= 1024
    found = {(category, window) for item in items for category in item.category for window in item.window}
    assert found == {(category, window) for category in categories for window in windows}


def test_videos_that_every_member_has_scored_are_not_planned_again(platform: Platform) -> None:
    platform.seat({"judo": ["w1", "w2"], "polo": ["w1", "w3"]})
    for category in ("judo", "polo"):
        platform.record(VIDEOS, category=category, window=WEEKS[0])
        platform.record(CLIPS, category=category, window=WEEKS[0])
        platform.record(SCORES, category=category, window=WEEKS[0], weights="w1")
    assert handed(score_clips(platform.planner(window=WEEKS[0]))) == [((WEEKS[0],), ("judo", "polo"))]
    platform.record(SCORES, category="judo", window=WEEKS[0], weights="w2")
    assert handed(score_clips(platform.planner(window=WEEKS[0]))) == [((WEEKS[0],), ("polo",))]
    platform.record(SCORES, category="polo", window=WEEKS[0], weights="w9")
    assert handed(score_clips(platform.planner())) == [((WEEKS[0],), ("polo",))]
    platform.record(SCORES, category="polo", window=WEEKS[0], weights="w3")
    assert score_clips(platform.planner()) == []


def test_a_plan_of_one_category_scores_and_mines_no_other(platform: Platform) -> None:
    platform.seat({"judo": ["w1"], "polo": ["w2"]})
    for category, weights in (("judo", "w1"), ("polo", "w2")):
        platform.record(VIDEOS, category=category, window=WEEKS[0])
        platform.record(CLIPS, category=category, window=WEEKS[0])
        assert handed(score_clips(platform.planner(only=("judo",)))) == [((WEEKS[0],), ("judo",))]
        platform.record(SCORES, category=category, window=WEEKS[1], weights=weights)
    for category, weights in (("judo", "w1"), ("polo", "w2")):
        platform.record(SCORES, category=category, window=WEEKS[0], weights=weights)
    assert [item.category for item in send_hard_clips(platform.planner(only=("judo",)))] == [("judo",)]


def test_scores_of_the_version_before_count_and_remade_ones_count_once(platform: Platform) -> None:
    platform.seat({"judo": ["w1", "w2"]})
    platform.record(VIDEOS, category="judo", window=WEEKS[0])
    platform.record(CLIPS, category="judo", window=WEEKS[0])
    assert SCORES.upgrade is not None
    keys = {"category": "judo", "window": WEEKS[0]}
    platform.record(SCORES, **keys, weights="w1")
    platform.record(SCORES, generation=2, **keys, weights="w1")
    assert handed(score_clips(platform.planner())) == [((WEEKS[0],), ("judo",))]
    platform.record(SCORES.upgrade.previous, **keys, weights="w2")
    assert score_clips(platform.planner()) == []


def test_clips_of_videos_that_came_later_are_cut_and_scored(platform: Platform) -> None:
    platform.seat({"judo": ["w1"]})
    keys = {"category": "judo", "window": WEEKS[0]}
    videos = platform.record(VIDEOS, **keys)
    (clips,) = platform.record_all(CLIPS, [keys], made_from={videos.address: mark(videos)})
    for weights in ("w1", "gone"):
        platform.record_all(SCORES, [{**keys, "weights": weights}], made_from={clips.address: mark(clips)})
    platform.record(HARD_CLIPS, category="judo", round=round_key(WEEKS[0], platform.panel("judo")))
    assert score_clips(platform.planner(window=WEEKS[0])) == []
    (more,) = platform.record_all(VIDEOS, [keys], generation=2, contents="one more")
    assert handed(score_clips(platform.planner(window=WEEKS[0]))) == [((WEEKS[0],), ("judo",))]
    (clips,) = platform.record_all(
        CLIPS, [keys], generation=2, contents="nine more", made_from={more.address: mark(more)}
    )
    assert handed(score_clips(platform.planner(window=WEEKS[0]))) == [((WEEKS[0],), ("judo",))]
    platform.record_all(SCORES, [{**keys, "weights": "w1"}], generation=2, made_from={clips.address: mark(clips)})
    assert score_clips(platform.planner(window=WEEKS[0])) == []


def test_categories_that_wait_for_training_videos_are_named(platform: Platform) -> None:
    platform.seat({"judo": ["w1"]})
    platform.record(VIDEOS, category="polo", window=WEEKS[0])
    platform.record(VIDEOS, category="archery", rows=0, window=WEEKS[0])
    platform.record(VIDEOS, category="judo", window=WEEKS[0])
    platform.admit("polo", WEEKS[1], split="training")
    (line,) = notes(platform.planner(window=WEEKS[0]), "score_clips")
    assert line.startswith("polo: no member scores it and no training video is there")
    assert notes(platform.planner(window=WEEKS[0], only=("judo",)), "score_clips") == [], "nobody asks about polo"
    assert notes(platform.planner(), "score_clips") == [], "another window has one"
    platform.admit("polo", WEEKS[0], split="training")
    assert notes(platform.planner(window=WEEKS[0]), "score_clips") == []


def test_what_a_committee_could_not_learn_is_named_until_a_later_one_scores_it(platform: Platform) -> None:
    platform.seat({"judo": ["w1"]})
    drops = [Drop(item=category, reason="too few", detail="2 clips") for category in ("judo", "polo")]
    rows = list(Datasets(platform.store).rows(COMMITTEES, committee=platform.committee))
    write(
        platform.store, dataset=COMMITTEES, rows=rows, keys={"committee": platform.committee}, stage="bootstrap",
        drops=drops,
    )  # fmt: skip
    assert notes(platform.planner(), "score_clips") == [
        f"polo: committee {platform.committee} lacks it: too few, 2 clips"
    ]


def test_a_floor_of_a_category_that_does_not_exist_is_named(platform: Platform) -> None:
    platform.fields["quality"] = Quality(floors=("judo: 0.9", "jodo: 0.9"))
    (line,) = notes(platform.planner(), "judge")
    assert line.startswith("jodo: no such category is registered")


def test_a_window_without_videos_is_not_scored(platform: Platform) -> None:
    platform.seat({"judo": ["w1"]})
    platform.record(VIDEOS, rows=0, category="judo", window=WEEKS[0])
    assert score_clips(platform.planner(window=WEEKS[0])) == []


def test_a_category_without_a_panel_is_bootstrapped_where_it_has_training_videos(platform: Platform) -> None:
    platform.seat({"judo": ["w1"]})
    for category, split in (("polo", "training"), ("archery", "testing")):
        platform.admit(category, WEEKS[0], split=split)
        platform.record(VIDEOS, category=category, window=WEEKS[0])
    (item,) = score_clips(platform.planner(window=WEEKS[0]))
    assert (item.category, item.uncovered, item.parent) == (("polo",), ("polo",), platform.committee)
    assert item.committee not in (None, platform.committee)


def test_a_member_that_is_new_in_the_settings_is_trained_and_said(platform: Platform, capsys: Any) -> None:
    platform.seat({"judo": ["w1"]})
    platform.record(VIDEOS, category="judo", window=WEEKS[0])
    platform.admit("judo", WEEKS[0], split="training")
    (item,) = score_clips(platform.planner(window=WEEKS[0]))
    assert (item.uncovered, item.parent) == (("judo",), platform.committee)
    assert item.committee != platform.committee
    said = capsys.readouterr().err
    assert "plan: r3d_18 joins the committee: bootstrap trains it" in said
    assert "plan: member 0 is not in committee.members: it leaves with the next committee" in said


def test_what_new_categories_are_called_is_handed_on_where_a_member_reads_it(platform: Platform) -> None:
    platform.fields |= {
        "committee": Committee(members=(*Committee().members, IMAGE_TEXT)),
        "collect": Collect(synonyms=("judo: throw",)),
    }
    platform.ledger.run("register_category", category="judo", name="judo", guideline="Two people")
    platform.record(VIDEOS, category="judo", window=WEEKS[0])
    platform.admit("judo", WEEKS[0], split="training")
    (before,) = score_clips(platform.planner(window=WEEKS[0]))
    words = decode_words(platform.store.get(f"{FOLDER}/{before.words}.json"))
    assert words == {"judo": Words(name="judo", synonyms=("throw",), guideline="Two people")}
    platform.ledger.run("register_category", category="judo", name="judo", guideline="Two people, one mat")
    (after,) = score_clips(platform.planner(window=WEEKS[0]))
    assert before.words != after.words
    assert before.committee != after.committee


def test_one_window_teaches_and_the_committee_that_comes_of_it_scores_all(platform: Platform) -> None:
    for week, categories in ((WEEKS[0], ("judo", "polo")), (WEEKS[1], ("polo",))):
        for category in categories:
            platform.record(VIDEOS, category=category, window=week)
            platform.admit(category, week, split="training")
    items = score_clips(platform.planner())
    assert handed(items) == [((WEEKS[1],), ("polo",)), ((WEEKS[0],), ("polo",))]
    assert [item.uncovered for item in items] == [("polo",), ()]
    assert len({item.committee for item in items}) == 1


def test_a_withdrawn_training_video_is_nothing_to_learn_from(platform: Platform) -> None:
    platform.record(VIDEOS, category="polo", window=WEEKS[0])
    video = platform.admit("polo", WEEKS[0], split="training")
    assert len(score_clips(platform.planner(window=WEEKS[0]))) == 1
    platform.ledger.run("add_tombstone", video_id=video, reason="leak")
    assert score_clips(platform.planner(window=WEEKS[0])) == []


def test_mined_windows_are_scored_by_a_new_member_only_if_the_promotion_names_them(platform: Platform) -> None:
    platform.seat({"judo": ["w1"], "polo": ["w2"]})
    for week in WEEKS:
        platform.record(VIDEOS, category="judo", window=week)
        platform.record(HARD_CLIPS, category="judo", round=round_key(week, "p00000001"))
    assert score_clips(platform.planner()) == []
    # Videos of another category have come, which nobody has scored.
    platform.record(VIDEOS, category="polo", window=WEEKS[0])
    assert handed(score_clips(platform.planner(window=WEEKS[0]))) == [((WEEKS[0],), ("polo",))]
    platform.promote(rescore=WEEKS[:2])
    assert handed(score_clips(platform.planner())) == [((WEEKS[1],), ("judo",)), ((WEEKS[0],), ("judo", "polo"))]
    assert handed(score_clips(platform.planner(window=WEEKS[1]))) == [((WEEKS[1],), ("judo",))]
    assert score_clips(platform.planner(window=WEEKS[2])) == []


def test_scored_windows_are_mined_and_queued_once(platform: Platform) -> None:
    platform.seat({"judo": ["w1"]})
    key = round_key(WEEKS[0], platform.panel("judo"))
    platform.record(CLIPS, category="judo", window=WEEKS[0])
    assert send_hard_clips(platform.planner()) == []
    platform.record(SCORES, category="judo", window=WEEKS[0], weights="w1")
    assert send_hard_clips(platform.planner()) == [Item(category=("judo",), round=key)]
    platform.record(HARD_CLIPS, category="judo", round=key)
    assert send_hard_clips(platform.planner()) == [Item(category=("judo",), round=key)]
    platform.queue("judo", key, state="finished")
    assert send_hard_clips(platform.planner()) == []


def test_a_round_without_clips_is_finished_when_it_is_mined(platform: Platform) -> None:
    platform.seat({"judo": ["w1"]})
    platform.record(CLIPS, category="judo", window=WEEKS[0])
    platform.record(SCORES, category="judo", window=WEEKS[0], weights="w1")
    platform.record(HARD_CLIPS, rows=0, category="judo", round=round_key(WEEKS[0], platform.panel("judo")))
    assert send_hard_clips(platform.planner()) == []


def test_a_full_queue_is_sent_nothing(platform: Platform) -> None:
    platform.seat({"judo": ["w1"]})
    platform.record(CLIPS, category="judo", window=WEEKS[0])
    platform.record(SCORES, category="judo", window=WEEKS[0], weights="w1")
    mining = platform.settings.mining
    platform.queue("judo", "2025-12-29.p1", clips=int(mining.days_of_work * mining.clips_per_person_day))
    assert send_hard_clips(platform.planner()) == []


def test_labels_are_due_when_nobody_is_asked_or_the_last_verdicts_are_old(platform: Platform) -> None:
    due = [Item(labels="000002")]
    platform.record(LABELS, labels="000002")
    platform.queue("judo", "2026-01-05.p1", clips=1)
    assert labels_due(platform.planner(now=NOW)) == due, "nothing was judged yet"
    platform.record_all(QUALITY, [{"labels": "000001"}], written_at=NOW - timedelta(minutes=29))
    assert labels_due(platform.planner(now=NOW)) == []
    assert labels_due(platform.planner(now=NOW + timedelta(minutes=1))) == due
    platform.ledger.run(
        "settle_clips", clip_ids=["2026-01-05.p1:1"], categories=["judo"], votes_wanted=[2], states=["finished"],
        were_again=[False], again=[False],
    )  # fmt: skip
    assert labels_due(platform.planner(now=NOW)) == due


def test_new_labels_are_counted_as_a_set_and_not_by_their_number() -> None:
    """20,000 labels of a release of 100,000 were withdrawn, and 60,000 are new."""
    held = labels(range(100_000))
    waiting = labels([*range(20_000, 100_000), *range(100_000, 160_000)])
    assert new_labels(waiting, held) == 60_000
    assert len(waiting) - len(held) == 40_000
    assert new_labels(waiting, labels([])) == 140_000
    assert new_labels(labels([]), held) == 0


def test_a_label_that_changed_is_new() -> None:
    assert new_labels(labels([1, 2], label=-1), labels([1, 2])) == 2


def labels(numbers: Any, label: int = 1) -> Any:
    """Return clips with these numbers as labels of judo."""
    import pyarrow as pa

    clips = [f"v:{number}" for number in numbers]
    schema = pa.schema([RELEASES.schema.field(name) for name in ("clip_id", "category", "label")])
    return pa.table({"clip_id": clips, "category": ["judo"] * len(clips), "label": [label] * len(clips)}, schema=schema)


def test_a_ledger_that_an_older_version_recorded_is_reconciled_first(platform: Platform) -> None:
    with platform.ledger._connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO datasets (address, generation, manifest_sha256, row_count, dataset, version, keys)"
            " VALUES ('videos/v1/category=judo/window=2026-01-05', 1, 'abc', 7, 'videos', 1, '{}')"
        )
    with pytest.raises(NotConfigured, match="run `slac doctor --reconcile` once"):
        collect_videos(platform.planner(window=WEEKS[0]))


def test_the_command_prints_one_line_of_json(
    platform: Platform, ledger_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLAC_STORE", platform.store.url)
    monkeypatch.setenv("SLAC_DATABASE_URL", ledger_url)
    parser = command.argparse.ArgumentParser()
    command.add_arguments(parser)
    command.main(parser.parse_args(["--for", "collect_videos", "--window", WEEKS[0]]))
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == [{"category": ["archery", "judo", "polo"], "window": WEEKS[0]}]
