"""What each DAG is handed, from what the ledger records."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from platform_records import WEEKS, Platform

from slac_tasks.commands import plan as command
from slac_tasks.errors import NotConfigured, WrongArguments
from slac_tasks.model import round_key
from slac_tasks.planning.items import Item
from slac_tasks.planning.plans import add_category, collect_videos, new_labels, score_clips, send_hard_clips
from slac_tasks.storage.datasets import CLIPS, HARD_CLIPS, RELEASES, SCORES, VIDEOS
from slac_tasks.storage.ledger import Ledger
from slac_tasks.storage.objects import FolderStore


@pytest.fixture
def platform(store: FolderStore, ledger: Ledger) -> Platform:
    found = Platform(store=store, ledger=ledger)
    found.register("archery", "judo", "polo")
    return found


def handed(items: list[Item]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(item.window, item.category) for item in items]


def test_categories_without_videos_of_the_window_are_collected(platform: Platform) -> None:
    platform.record(VIDEOS, category="judo", window=WEEKS[0])
    platform.record(VIDEOS, category="polo", window=WEEKS[1])
    assert handed(collect_videos(platform.planner(window=WEEKS[0]))) == [((WEEKS[0],), ("archery", "polo"))]
    assert handed(collect_videos(platform.planner(window=WEEKS[0], only=("judo",)))) == []


def test_a_window_that_has_not_ended_is_refused(platform: Platform) -> None:
    with pytest.raises(WrongArguments, match="ends 2026-01-12, want one that has ended"):
        collect_videos(platform.planner(window=WEEKS[0], now=datetime(2026, 1, 8, tzinfo=UTC)))


def test_a_category_that_was_added_lacks_all_windows(platform: Platform) -> None:
    for week in WEEKS:
        platform.record(VIDEOS, category="judo", window=week)
    platform.record(VIDEOS, category="polo", window=WEEKS[1])
    assert handed(add_category(platform.planner(only=("polo",)))) == [
        ((WEEKS[0],), ("polo",)),
        ((WEEKS[2],), ("polo",)),
    ]


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


def test_a_withdrawn_training_video_is_nothing_to_learn_from(platform: Platform) -> None:
    platform.record(VIDEOS, category="polo", window=WEEKS[0])
    video = platform.admit("polo", WEEKS[0], split="training")
    assert len(score_clips(platform.planner(window=WEEKS[0]))) == 1
    platform.ledger.run("add_tombstone", video_id=video, reason="leak")
    assert score_clips(platform.planner(window=WEEKS[0])) == []


def test_without_a_window_mined_ones_are_planned_only_if_the_promotion_names_them(platform: Platform) -> None:
    platform.seat({"judo": ["w1"]})
    for week in WEEKS:
        platform.record(VIDEOS, category="judo", window=week)
        platform.record(HARD_CLIPS, category="judo", round=round_key(week, "p00000001"))
    assert score_clips(platform.planner()) == []
    platform.promote(rescore=WEEKS[:2])
    assert handed(score_clips(platform.planner())) == [((WEEKS[1],), ("judo",)), ((WEEKS[0],), ("judo",))]


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
