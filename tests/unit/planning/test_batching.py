"""A task of `score` takes so many categories that its start is a tenth of its time, where its speed is known."""

import pytest
from platform_records import WEEKS, Platform

from slac_tasks.networks.rates import Run, Work, write_run
from slac_tasks.networks.settings import Scoring
from slac_tasks.planning.batching import MOST, categories_to_score
from slac_tasks.planning.plans import score_clips
from slac_tasks.storage.datasets import CLIPS, VIDEOS
from slac_tasks.storage.folder import FolderStore
from slac_tasks.storage.ledger import Ledger

CATEGORIES = [f"c{number:02d}" for number in range(24)]


@pytest.fixture
def platform(store: FolderStore, ledger: Ledger) -> Platform:
    found = Platform(store=store, ledger=ledger)
    found.register(*CATEGORIES)
    found.seat({category: ["w0"] for category in CATEGORIES})
    for category in CATEGORIES:
        found.record(VIDEOS, rows=4, category=category, window=WEEKS[0])
        found.record(CLIPS, rows=1000, category=category, window=WEEKS[0])
    return found


def measured(platform: Platform, clips_per_s: int, *, device: str = "a card") -> None:
    run = Run(
        device=device, clips=clips_per_s * 10, seconds=10.0, startup_sec=10.0, size_bytes=None,
        measured_at="2026-11-27T10:00:00.000+00:00",
    )  # fmt: skip
    write_run(platform.store, Work(networks=("r2plus1d_18",), scoring=Scoring()), run)


def test_without_a_rate_the_setting_decides(platform: Platform) -> None:
    assert categories_to_score(platform.planner()) == 8
    assert len(score_clips(platform.planner())) == 3


@pytest.mark.parametrize(
    ("clips_per_s", "categories"),
    [
        # 40 s of start want 360 s of work; 1,000 clips take 500 s, 20 s, 1 s and 0.1 s.
        (2, 8), (50, 18), (1000, MOST), (10_000, MOST),
    ],
)  # fmt: skip
def test_the_start_is_a_tenth_at_most(platform: Platform, clips_per_s: int, categories: int) -> None:
    measured(platform, clips_per_s)
    assert categories_to_score(platform.planner()) == categories


def test_a_category_without_clips_counts_in_the_mean_and_hides_no_rate(platform: Platform) -> None:
    measured(platform, 50)
    for category in CATEGORIES[:12]:
        platform.record(CLIPS, rows=0, generation=2, category=category, window=WEEKS[0])
    # 360 s of work, at 10 s for a category in the mean.
    assert categories_to_score(platform.planner()) == 36


def test_the_fastest_device_decides_and_the_plan_follows(platform: Platform) -> None:
    measured(platform, 2, device="processor")
    measured(platform, 50)
    assert [len(item.category) for item in score_clips(platform.planner())] == [18, 6]


def test_a_cluster_that_starts_pods_at_once_needs_smaller_batches(platform: Platform) -> None:
    platform.fields["task_start_sec"] = 0.0
    measured(platform, 200)
    # 10 s of start want 90 s of work, at 5 s for each category.
    assert categories_to_score(platform.planner()) == 18
